"""Service keys: issued, rotated, revoked; a key is shown once, when it is made."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_log import wiring
from sessions_log.admin.base import ACCESS, PortalAdmin, current_organization, may
from sessions_log.commands.service_keys import (
    IssueKey,
    KeyNotUsable,
    RevokeKey,
    RotateKey,
    issue_key,
    revoke_key,
    rotate_key,
)
from sessions_log.domain.portal_action import PORTAL_SERVICE
from sessions_log.forms.actors import actor
from sessions_log.forms.services import ServiceKeyForm
from sessions_log.models import Organization, Service, ServiceKey
from sessions_log.templatetags.portal import age, chip, moment

_LIST = "admin:sessions_log_servicekey_changelist"
OVERLAPS = {"1": "1 hour", "24": "24 hours", "168": "7 days"}


@admin.register(ServiceKey)
class ServiceKeyAdmin(PortalAdmin):
    """Keys are issued, rotated and revoked, never changed and never shown again."""

    page_title = "Service keys"
    singular = "service key"
    empty_words = "A key lets a service send records, or a program read them."
    save_words = "Make the key"
    keyset = ("-created_at", "-id")
    right_to_see = ACCESS
    list_display = ("key", "of_service", "scope", "state", "last_used", "ends", "since")
    list_select_related = ("service",)
    actions = ("revoke",)
    form = ServiceKeyForm
    change_form_template = "admin/sessions_log/servicekey/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """The stock pages and rotation."""
        rotate = path(
            "<uuid:key_id>/rotate/",
            self.admin_site.admin_view(self.rotate),
            name="sessions_log_servicekey_rotate",
        )
        return [rotate, *super().get_urls()]

    def of_organization(self, rows: QuerySet[ServiceKey], organization: Organization) -> QuerySet[ServiceKey]:
        """Keys belong to an organization by their service."""
        return rows.filter(service__organization_id=organization.pk)

    def has_change_permission(self, request: HttpRequest, obj: ServiceKey | None = None) -> bool:
        """Never changed."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: ServiceKey | None = None) -> Any:
        """What is asked for a new one; what is known of an old one."""
        if obj is None:
            asked = ("service", "scopes", "expires_at", "allowed_networks", "records_per_minute")
            return [(None, {"fields": asked})]
        known = ("key", "of_service", "scope", "state", "last_used", "ends", "networks", "limit", "since")
        return [(None, {"fields": known})]

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> tuple[str, ...]:
        """All of an old one."""
        return () if obj is None else tuple(self.get_fieldsets(request, obj)[0][1]["fields"])

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The services of this organization; the portal itself needs no key."""
        services = Service.objects.filter(organization=current_organization(request))
        kwargs["queryset"] = services.exclude(name=PORTAL_SERVICE)
        kwargs["empty_label"] = "Choose a service"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ServiceKey, form: Any, change: bool) -> None:
        """By the command, which also records it. The token goes to the answer and nowhere else."""
        command = IssueKey(
            service_id=obj.service_id,
            scopes=tuple(obj.scopes),
            actor=actor(request),
            expires_at=obj.expires_at,
            allowed_networks=tuple(obj.allowed_networks),
            records_per_minute=obj.records_per_minute,
        )
        form.token = issue_key(command, wiring.ports())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing hangs on a key."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Called between saving and answering, with the form: it hands the token on."""
        form.instance.token = form.token
        return super().construct_change_message(request, form, formsets, add)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key, this once; a message would keep it in a cookie."""
        return self._show(request, obj.token, obj.service, overlap="")

    def rotate(self, request: HttpRequest, key_id: UUID) -> HttpResponse:
        """Ask for how long the old key still works, then replace it."""
        key = self._key(request, key_id)
        if request.method != "POST":
            asked = {"title": "Rotate key", "key": key, "overlaps": OVERLAPS}
            return self._page(request, "portal/rotate_key.html", asked)
        hours = request.POST.get("overlap", "24")
        overlap = hours if hours in OVERLAPS else "24"
        command = RotateKey(key_id=key.pk, overlap=timedelta(hours=int(overlap)), actor=actor(request))
        try:
            token = rotate_key(command, wiring.ports())
        except KeyNotUsable:
            messages.error(request, f"Key {key} was revoked already; issue a new one.")
            return HttpResponseRedirect(reverse(_LIST))
        return self._show(request, token, key.service, overlap=OVERLAPS[overlap])

    @admin.action(description="Revoke …", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ServiceKey]) -> HttpResponse | None:
        """Ask first: the services that use these keys are refused at once."""
        keys = list(queryset.filter(revoked_at__isnull=True).select_related("service"))
        if not keys:
            messages.warning(request, "These keys are revoked already.")
            return None
        if "confirmed" not in request.POST:
            return self._page(request, "portal/revoke_keys.html", {"title": "Revoke keys", "keys": keys})
        for key in keys:
            revoke_key(RevokeKey(key_id=key.pk, actor=actor(request)), wiring.ports())
        names = ", ".join(str(key) for key in keys)
        which = "this key" if len(keys) == 1 else "these keys"
        messages.success(request, f"Revoked {names}: no request with {which} is taken any more.")
        return None

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """By the right to change."""
        return may(request, ACCESS)

    def _key(self, request: HttpRequest, key_id: UUID) -> ServiceKey:
        if not may(request, ACCESS):
            raise PermissionDenied
        key: ServiceKey = get_object_or_404(self.get_queryset(request).select_related("service"), pk=key_id)
        return key

    def _show(self, request: HttpRequest, token: str, service: Service, *, overlap: str) -> HttpResponse:
        context = {"title": "The new key", "token": token, "service": service, "overlap": overlap}
        response = self._page(request, "portal/new_key.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "list_url": reverse(_LIST)}
        return TemplateResponse(request, template, {**frame, **context})

    @admin.display(description="Key")
    def key(self, row: ServiceKey) -> SafeString:
        """Its prefix: the rest is not known here."""
        return format_html('<span class="id">{}</span>', row)

    @admin.display(description="Service")
    def of_service(self, row: ServiceKey) -> str:
        """Whose key it is."""
        return row.service.name

    @admin.display(description="May")
    def scope(self, row: ServiceKey) -> str:
        """What it opens."""
        return ", ".join(row.scopes)

    @admin.display(description="State")
    def state(self, row: ServiceKey) -> SafeString:
        """Usable, replaced, expired or revoked."""
        if row.revoked_at:
            return chip("revoked", "denied", "low")
        if row.expires_at and row.expires_at <= timezone.now():
            return chip("expired", "clock", "low")
        if row.replaced_by_id:
            return chip("replaced", "retry", "med")
        return chip("usable", "dot", "bare")

    @admin.display(description="Last used")
    def last_used(self, row: ServiceKey) -> SafeString | str:
        """How long ago."""
        if row.last_used_at is None:
            return format_html('<span class="none">{}</span>', "never")
        return f"{age(row.last_used_at)} ago"

    @admin.display(description="Ends")
    def ends(self, row: ServiceKey) -> SafeString:
        """When it stops to work."""
        return moment(row.revoked_at or row.expires_at)

    @admin.display(description="Networks")
    def networks(self, row: ServiceKey) -> str:
        """From where it may be used."""
        return ", ".join(row.allowed_networks) or "anywhere"

    @admin.display(description="Records a minute")
    def limit(self, row: ServiceKey) -> str:
        """Its limit."""
        return f"at most {row.records_per_minute:,}"

    @admin.display(description="Since")
    def since(self, row: ServiceKey) -> SafeString:
        """When it was made."""
        return moment(row.created_at)
