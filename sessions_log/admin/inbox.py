"""The inbox: requests that are durable but not recorded yet. Their contents are sealed and stay so."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin
from sessions_log.domain.inbox import LANE_LIVE
from sessions_log.models import InboxRow, Organization, RecorderPosition
from sessions_log.queries.health import recorder_lag
from sessions_log.templatetags.portal import age, count, moment, short_id, span


@admin.register(InboxRow)
class InboxRowAdmin(ReadOnlyAdmin):
    """Counts, lane and age; never contents."""

    page_title = "Inbox"
    singular = "request"
    empty_words = "Nothing waits: every accepted request is recorded."
    keyset = ("-id",)
    list_display = ("received", "request", "lane_name", "records_inside", "waiting")
    list_display_links = None

    def of_organization(self, rows: QuerySet[Any], organization: Organization) -> QuerySet[Any]:
        """What the recorder has not reached: what lies after its positions."""
        waiting = Q(pk__in=())
        for position in RecorderPosition.objects.all():
            after = Q(xid__gt=position.xid) | Q(xid=position.xid, serial__gt=position.serial)
            waiting |= Q(shard=position.shard, lane=position.lane) & after
        return rows.filter(waiting, organization_id=organization.pk).defer("sealed", "entry_ids")

    def page_meta(self, request: HttpRequest) -> str:
        """What waits of all organizations."""
        lag = recorder_lag(timezone.now())
        if not lag.requests:
            return "nothing waits"
        return f"{lag.requests:,} requests of all organizations wait, the oldest for {span(lag.oldest)}"

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
    def records_inside(self, row: InboxRow) -> SafeString:
        """How many records it carries."""
        return count(row.records)

    @admin.display(description="Waiting")
    def waiting(self, row: InboxRow) -> str:
        """For how long."""
        return age(row.received_at)
