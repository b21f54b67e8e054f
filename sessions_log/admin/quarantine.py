"""The quarantine: requests that could not be recorded, with the reason, until somebody retries them."""

from django.contrib import admin
from django.utils.safestring import SafeString

from sessions_log.admin.base import ReadOnlyAdmin
from sessions_log.models import QuarantinedRequest
from sessions_log.templatetags.portal import chip, moment, short_id


@admin.register(QuarantinedRequest)
class QuarantinedRequestAdmin(ReadOnlyAdmin):
    """Reason and state; never contents."""

    keyset = ("-quarantined_at", "-id")
    list_display = ("since", "request", "reason", "state")

    @admin.display(description="Since")
    def since(self, row: QuarantinedRequest) -> SafeString:
        """When it was set aside."""
        return moment(row.quarantined_at)

    @admin.display(description="Request")
    def request(self, row: QuarantinedRequest) -> SafeString:
        """Its id, which the receipt names."""
        return short_id(row.pk)

    @admin.display(description="State")
    def state(self, row: QuarantinedRequest) -> SafeString:
        """Waiting, or given back to the recorder."""
        return chip("retried", "check") if row.retried_at else chip("waiting", "warning", "med")
