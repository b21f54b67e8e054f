"""The inbox: requests that are durable but not recorded yet. Their contents are sealed and stay so."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin
from sessions_log.domain.inbox import LANE_LIVE
from sessions_log.models import InboxRow, Organization
from sessions_log.templatetags.portal import age, grouped, moment, short_id


@admin.register(InboxRow)
class InboxRowAdmin(ReadOnlyAdmin):
    """Counts, lane and age; never contents."""

    keyset = ("-id",)
    list_display = ("received", "request", "lane_name", "records_inside", "waiting")
    list_display_links = None

    def of_organization(self, rows: QuerySet[Any], organization: Organization) -> QuerySet[Any]:
        """What the recorder has not reached."""
        return rows.filter(organization_id=organization.pk).defer("sealed", "entry_ids")

    @admin.display(description="Received")
    def received(self, row: InboxRow) -> SafeString:
        """When it was committed."""
        return moment(row.received_at)

    @admin.display(description="Request")
    def request(self, row: InboxRow) -> SafeString:
        """Its id, which the receipt names."""
        return short_id(row.pk)

    @admin.display(description="Lane")
    def lane_name(self, row: InboxRow) -> str:
        """Live goes before bulk."""
        return "live" if row.lane == LANE_LIVE else "bulk"

    @admin.display(description="Records")
    def records_inside(self, row: InboxRow) -> str:
        """How many records it carries."""
        return grouped(row.records)

    @admin.display(description="Waiting")
    def waiting(self, row: InboxRow) -> str:
        """For how long."""
        return age(row.received_at)
