"""Services: the programs that send records."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_log import wiring
from sessions_log.admin.base import PortalAdmin, current_organization
from sessions_log.commands.organizations import AddService, add_service
from sessions_log.forms.actors import actor
from sessions_log.forms.services import ServiceForm
from sessions_log.models import Organization, Service
from sessions_log.templatetags.portal import age, count, moment


@admin.register(Service)
class ServiceAdmin(PortalAdmin):
    """A service is added, and then never changed: its name stands in every leaf."""

    page_title = "Services"
    singular = "service"
    empty_words = "A service is a program that sends records. Add it, then give it a key."
    save_words = "Add the service"
    keyset = ("name",)
    list_display = ("name", "usable_keys", "last_used", "since")
    search_fields = ("name",)
    search_help_text = "Part of a service's name"
    form = ServiceForm
    readonly_fields = ("own_name", "usable_keys", "last_used", "since")

    def get_fieldsets(self, request: HttpRequest, obj: Service | None = None) -> Any:
        """A new one has a name only."""
        fields = ("name",) if obj is None else ("own_name", "usable_keys", "last_used", "since")
        return [(None, {"fields": fields})]

    def of_organization(self, rows: QuerySet[Service], organization: Organization) -> QuerySet[Service]:
        """With what its keys say: how many can be used, and when one was used last."""
        now = timezone.now()
        lasting = Q(keys__expires_at__isnull=True) | Q(keys__expires_at__gt=now)
        usable = Q(keys__revoked_at__isnull=True) & lasting
        return rows.filter(organization_id=organization.pk).annotate(
            key_count=Count("keys", filter=usable), used_at=Max("keys__last_used_at")
        )

    def has_change_permission(self, request: HttpRequest, obj: Service | None = None) -> bool:
        """Never changed."""
        return False

    def get_form(self, request: HttpRequest, obj: Service | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows the organization, in which a name must be new."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.organization = current_organization(request)
        return form

    def save_model(self, request: HttpRequest, obj: Service, form: Any, change: bool) -> None:
        """By the command, which also records it."""
        command = AddService(organization_id=form.organization.pk, name=obj.name, actor=actor(request))
        obj.pk = add_service(command, wiring.ports())

    def response_add(self, request: HttpRequest, obj: Service, post_url_continue: str | None = None) -> HttpResponse:
        """On to its first key."""
        messages.success(request, f"Service {obj.name} added. It needs a key before it can send records.")
        return HttpResponseRedirect(f"{reverse('admin:sessions_log_servicekey_add')}?service={obj.pk}")

    @admin.display(description="Name")
    def own_name(self, row: Service) -> str:
        """As every record of it says."""
        return row.name

    @admin.display(description="Usable keys")
    def usable_keys(self, row: Any) -> SafeString:
        """How many."""
        return count(row.key_count)

    @admin.display(description="Last used")
    def last_used(self, row: Any) -> SafeString | str:
        """How long ago one of its keys was used."""
        if row.used_at is None:
            return format_html('<span class="none">{}</span>', "never")
        return f"{age(row.used_at)} ago"

    @admin.display(description="Since")
    def since(self, row: Service) -> SafeString:
        """When it was added."""
        return moment(row.created_at)
