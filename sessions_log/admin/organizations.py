"""Organizations: those the user may see; name and how far back records are taken may change."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_log import wiring
from sessions_log.admin.base import ACCESS, PortalAdmin
from sessions_log.commands.organizations import ChangeOrganization, change_organization
from sessions_log.forms.actors import actor
from sessions_log.forms.services import OrganizationForm
from sessions_log.models import Organization
from sessions_log.templatetags.portal import moment


@admin.register(Organization)
class OrganizationAdmin(PortalAdmin):
    """The tenants. A new one is made by a command, which also makes its keys."""

    page_title = "Organizations"
    singular = "organization"
    keyset = ("slug",)
    list_display = ("name", "short_name", "days_back", "since")
    form = OrganizationForm
    fields = ("name", "accepts_back_days", "short_name", "number", "since")
    readonly_fields = ("short_name", "number", "since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those the user has a right on."""
        visible = [organization.pk for organization in getattr(request, "organizations", ())]
        return Organization.objects.filter(pk__in=visible)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made on the command line: whoever makes one has no right on it yet."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """By the right on the very organization."""
        if obj is None:
            return super().has_change_permission(request)
        return request.user.has_perm(ACCESS, obj)

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        """By the command, which also records the change."""
        command = ChangeOrganization(
            organization_id=obj.pk,
            name=obj.name,
            accepts_back_days=obj.accepts_back_days,
            actor=actor(request),
        )
        change_organization(command, wiring.ports())

    @admin.display(description="Takes records up to")
    def days_back(self, row: Organization) -> str:
        """How old a record from a service may be."""
        return f"{row.accepts_back_days} days old"

    @admin.display(description="Short name")
    def short_name(self, row: Organization) -> SafeString:
        """By which commands name it."""
        return format_html('<span class="id">{}</span>', row.slug)

    @admin.display(description="Id")
    def number(self, row: Organization) -> SafeString:
        """By which its leaves and keys name it."""
        return format_html('<span class="id">{}</span>', row.uid)

    @admin.display(description="Since")
    def since(self, row: Organization) -> SafeString:
        """When it was made."""
        return moment(row.created_at)
