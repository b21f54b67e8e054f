"""Changing organizations, adding services, issuing keys."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from sessions_log.domain.service_key import SCOPES, UnknownNetwork, checked_networks
from sessions_log.forms.session_logs import LOCAL_TIME
from sessions_log.models import Organization, Service, ServiceKey

if TYPE_CHECKING:
    OrganizationModelForm = forms.ModelForm[Organization]
    ServiceModelForm = forms.ModelForm[Service]
    KeyModelForm = forms.ModelForm[ServiceKey]
else:
    OrganizationModelForm = ServiceModelForm = KeyModelForm = forms.ModelForm

_SCOPE_WORDS = {
    "ingest": "send records",
    "read": "read times, actions and outcomes",
    "identities": "read who: users, sessions, addresses, metadata",
    "ledger": "read the ledger: leaves, proofs, checkpoints",
}


class OrganizationForm(OrganizationModelForm):
    """What may change of an organization."""

    class Meta:
        model = Organization
        fields = ("name", "accepts_back_days")
        labels = {"accepts_back_days": "Takes records up to"}
        help_texts = {"accepts_back_days": "Days back, at most 3650. Older records need an import of history."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})


class ServiceForm(ServiceModelForm):
    """A new service of `organization`, which the admin sets."""

    organization: Organization | None = None

    class Meta:
        model = Service
        fields = ("name",)
        help_texts = {"name": "Lower-case letters, digits and hyphens. It stands in every record and never changes."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})

    def clean_name(self) -> str:
        """New in its organization, and written like the wire's own names."""
        name: str = self.cleaned_data["name"]
        if name != name.lower() or "_" in name:
            raise ValidationError("Lower-case letters, digits and hyphens only.")
        if Service.objects.filter(organization=self.organization, name=name).exists():
            raise ValidationError(f"This organization has a service {name} already.")
        return name


class ServiceKeyForm(KeyModelForm):
    """A new key: for whom, for what, until when, from where, how much."""

    scopes = forms.MultipleChoiceField(
        label="May",
        choices=[(scope, _SCOPE_WORDS[scope]) for scope in SCOPES],
        initial=["ingest"],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_at = forms.DateTimeField(
        label="Ends",
        required=False,
        input_formats=LOCAL_TIME,
        widget=forms.DateTimeInput(attrs={"placeholder": "2026-12-31 18:00"}),
        help_text="Year, month, day and hour. Without an end it works until it is revoked.",
    )
    allowed_networks = forms.CharField(
        label="Only from",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Networks like 192.0.2.0/24 or 2001:db8::/32, one a line. None: from anywhere.",
    )
    records_per_minute = forms.IntegerField(
        label="Records a minute",
        min_value=1,
        max_value=2_000_000_000,
        initial=600_000,
        help_text="More are refused.",
    )

    class Meta:
        model = ServiceKey
        fields = ("service", "scopes", "expires_at", "allowed_networks", "records_per_minute")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "label_suffix": ""})

    def clean_allowed_networks(self) -> list[str]:
        """The networks in canonical form."""
        try:
            return checked_networks(self.cleaned_data["allowed_networks"].split())
        except UnknownNetwork as error:
            raise ValidationError(str(error).capitalize() + ".") from None

    def save(self, commit: bool = True) -> ServiceKey:
        """The instance as filled in; storing it is the command's work."""
        return self.instance
