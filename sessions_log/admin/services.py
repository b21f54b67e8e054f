"""Services and their keys."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_log.admin.base import ACCESS, PortalAdmin
from sessions_log.models import Organization, Service, ServiceKey
from sessions_log.templatetags.portal import NONE, age, chip, moment


@admin.register(Service)
class ServiceAdmin(PortalAdmin):
    """The programs that send records."""

    keyset = ("name",)
    list_display = ("name", "keys", "since")
    search_fields = ("name",)
    search_help_text = "Part of a service's name"

    @admin.display(description="Keys")
    def keys(self, row: Service) -> str:
        """Usable ones."""
        return "…"

    @admin.display(description="Since")
    def since(self, row: Service) -> SafeString:
        """When it was made."""
        return moment(row.created_at)


@admin.register(ServiceKey)
class ServiceKeyAdmin(PortalAdmin):
    """Keys are made and revoked, never shown again and never changed."""

    keyset = ("-created_at", "-id")
    right_to_see = ACCESS
    list_display = ("key", "of_service", "scope", "state", "last_used", "limit", "since")
    list_select_related = ("service",)

    def of_organization(self, rows: QuerySet[ServiceKey], organization: Organization) -> QuerySet[ServiceKey]:
        """Keys belong to an organization by their service."""
        return rows.filter(service__organization_id=organization.pk)

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
        """Usable, expired or revoked."""
        if row.revoked_at:
            return chip("revoked", "denied", "low")
        if row.expires_at and row.expires_at <= timezone.now():
            return chip("expired", "clock", "low")
        return chip("usable", "dot", "bare")

    @admin.display(description="Last used")
    def last_used(self, row: ServiceKey) -> SafeString | str:
        """How long ago."""
        return f"{age(row.last_used_at)} ago" if row.last_used_at else "never"

    @admin.display(description="Records a minute")
    def limit(self, row: ServiceKey) -> str:
        """Its limit."""
        return f"{row.records_per_minute:,}"

    @admin.display(description="Since")
    def since(self, row: ServiceKey) -> SafeString:
        """When it was made."""
        return moment(row.created_at) if row.created_at else NONE

    def has_change_permission(self, request: HttpRequest, obj: ServiceKey | None = None) -> bool:
        """A key is never changed."""
        return False
