"""Organizations: those the user may see."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin
from sessions_log.models import Organization
from sessions_log.templatetags.portal import moment


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    """The tenants."""

    keyset = ("slug",)
    list_display = ("name", "slug", "days_back", "since")
    fields = ("name", "slug", "uid", "days_back", "since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those the user has a right on."""
        visible = [organization.pk for organization in getattr(request, "organizations", ())]
        return Organization.objects.filter(pk__in=visible)

    @admin.display(description="Takes records up to")
    def days_back(self, row: Organization) -> str:
        """How old a record from a service may be."""
        return f"{row.accepts_back_days} days old"

    @admin.display(description="Since")
    def since(self, row: Organization) -> SafeString:
        """When it was made."""
        return moment(row.created_at)
