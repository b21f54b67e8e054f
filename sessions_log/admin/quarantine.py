"""The quarantine: requests that could not be recorded, with the reason, until somebody retries them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from sessions_log import wiring
from sessions_log.adapters.quarantine import QuarantineRepository
from sessions_log.admin.base import ACCESS, ReadOnlyAdmin, may
from sessions_log.commands.quarantine import NotRetryable, RetryRequest, retry_request
from sessions_log.forms.actors import actor
from sessions_log.models import Organization, QuarantinedRequest
from sessions_log.templatetags.portal import chip, count, moment, short_id


@admin.register(QuarantinedRequest)
class QuarantinedRequestAdmin(ReadOnlyAdmin):
    """Reason and state; never contents."""

    page_title = "Quarantine"
    singular = "request"
    empty_words = "Nothing was set aside: every request could be recorded."
    right_to_see = ACCESS
    keyset = ("-quarantined_at", "-id")
    list_display = ("since", "request", "records", "reason", "state")
    list_display_links = None
    actions = ("retry",)

    def of_organization(self, rows: QuerySet[Any], organization: Organization) -> QuerySet[Any]:
        """Without what is sealed."""
        return rows.filter(organization_id=organization.pk).defer("sealed")

    def page_meta(self, request: HttpRequest) -> str:
        """What a retry does."""
        return "retrying gives a request back to the recorder"

    @admin.action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[QuarantinedRequest]) -> None:
        """Give the ticked requests back to the recorder."""
        retried = 0
        for request_id in queryset.values_list("pk", flat=True):
            command = RetryRequest(request_id=request_id, actor=actor(request))
            try:
                retry_request(command, QuarantineRepository(), wiring.ports())
            except NotRetryable as error:
                messages.error(request, f"Request {request_id} stays: {error}.")
            else:
                retried += 1
        if retried:
            noun = "request" if retried == 1 else "requests"
            messages.success(request, f"{retried} {noun} given back to the recorder.")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """By the right to change."""
        return may(request, ACCESS)

    @admin.display(description="Since")
    def since(self, row: QuarantinedRequest) -> SafeString:
        """When it was set aside."""
        return moment(row.quarantined_at)

    @admin.display(description="Request")
    def request(self, row: QuarantinedRequest) -> SafeString:
        """Its id, which the receipt names."""
        return short_id(row.pk)

    @admin.display(description="Records")
    def records(self, row: QuarantinedRequest) -> SafeString:
        """How many records it carries."""
        return count(len(row.entry_ids) // 16)

    @admin.display(description="State")
    def state(self, row: QuarantinedRequest) -> SafeString:
        """Waiting, or given back to the recorder."""
        return chip("retried", "check") if row.retried_at else chip("waiting", "warning", "med")
