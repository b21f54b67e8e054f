"""The inventory of sessions, newest activity first."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin
from sessions_log.models import Organization, SessionSequence, SessionSummary
from sessions_log.templatetags.portal import NONE, chip, count, moment, number_ranges, short_id, span


@admin.register(SessionSummary)
class SessionSummaryAdmin(ReadOnlyAdmin):
    """What is known of a session from its records."""

    page_title = "Sessions"
    singular = "session"
    empty_words = "A session appears with its first record."
    keyset = ("-last_seen", "-id")
    list_display = ("last", "session", "subject", "began", "lasted", "records", "failed", "denied", "missing", "state")

    def of_organization(self, rows: QuerySet[Any], organization: Organization) -> QuerySet[Any]:
        """With the numbers that were last stated to be missing."""
        stated = SessionSequence.objects.filter(session_id=OuterRef("pk")).values("stated")
        own: QuerySet[Any] = super().of_organization(rows, organization).annotate(missing_numbers=Subquery(stated))
        return own

    def page_meta(self, request: HttpRequest) -> str:
        """How the list is ordered."""
        return "last seen first"

    @admin.display(description="Last seen")
    def last(self, row: SessionSummary) -> SafeString:
        """The link of the row."""
        return moment(row.last_seen)

    @admin.display(description="Session")
    def session(self, row: SessionSummary) -> SafeString:
        """Its random id."""
        return short_id(row.pk)

    @admin.display(description="Subject")
    def subject(self, row: SessionSummary) -> SafeString:
        """The person's random id."""
        return short_id(row.subject_id)

    @admin.display(description="First seen")
    def began(self, row: SessionSummary) -> SafeString:
        """When its first record happened."""
        return moment(row.first_seen)

    @admin.display(description="Lasted")
    def lasted(self, row: SessionSummary) -> str:
        """From its first to its last record."""
        return span(row.last_seen - row.first_seen) if row.last_seen > row.first_seen else NONE

    @admin.display(description="Records")
    def records(self, row: SessionSummary) -> SafeString:
        """How many."""
        return count(row.entries)

    @admin.display(description="Failed")
    def failed(self, row: SessionSummary) -> SafeString:
        """How many failed."""
        return count(row.failures)

    @admin.display(description="Denied")
    def denied(self, row: SessionSummary) -> SafeString:
        """How many were denied."""
        return count(row.denials)

    @admin.display(description="Missing")
    def missing(self, row: Any) -> SafeString:
        """Which numbers of the sender's own count did not come, where it has one."""
        return number_ranges(row.missing_numbers) if row.missing_numbers else NONE

    @admin.display(description="State")
    def state(self, row: SessionSummary) -> SafeString:
        """Ended once a record said so; otherwise nothing is claimed."""
        return chip("ended", "check") if row.ended_at else NONE

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A session's page is the list of its records."""
        return HttpResponseRedirect(f"{reverse('admin:sessions_log_sessionlog_changelist')}?found=session:{object_id}")
