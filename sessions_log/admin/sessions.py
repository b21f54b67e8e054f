"""The inventory of sessions, newest activity first."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin
from sessions_log.models import SessionSummary
from sessions_log.templatetags.portal import NONE, chip, grouped, moment, short_id, span


@admin.register(SessionSummary)
class SessionSummaryAdmin(ReadOnlyAdmin):
    """What is known of a session from its records."""

    keyset = ("-last_seen", "-id")
    list_display = ("last", "session", "subject", "began", "lasted", "records", "failed", "denied", "state")
    list_display_links = ("last",)

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
        return span(row.last_seen - row.first_seen) if row.last_seen - row.first_seen > timedelta(0) else "–"

    @admin.display(description="Records")
    def records(self, row: SessionSummary) -> str:
        """How many."""
        return grouped(row.entries)

    @admin.display(description="Failed")
    def failed(self, row: SessionSummary) -> SafeString | str:
        """How many failed."""
        return grouped(row.failures) if row.failures else NONE

    @admin.display(description="Denied")
    def denied(self, row: SessionSummary) -> SafeString | str:
        """How many were denied."""
        return format_html('<span class="is-high">{}</span>', grouped(row.denials)) if row.denials else NONE

    @admin.display(description="State")
    def state(self, row: SessionSummary) -> SafeString:
        """Ended once a record said so."""
        return chip("ended", "check") if row.ended_at else chip("open", "dot", "bare")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A session's page is the list of its records."""
        return HttpResponseRedirect(
            f"{reverse('admin:sessions_log_sessionlog_changelist')}?found=session:{object_id}"
        )
