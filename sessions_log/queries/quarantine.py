"""What waits in quarantine."""

from sessions_log.models import QuarantinedRequest

MOST_COUNTED = 1_000


def waiting_in_quarantine(organization_id: int) -> int:
    """How many requests wait to be retried, counted up to MOST_COUNTED."""
    waiting = QuarantinedRequest.objects.filter(organization_id=organization_id, retried_at=None)
    return waiting.values("pk")[:MOST_COUNTED].count()
