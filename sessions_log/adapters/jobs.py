"""Claims on scheduled work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def run_once(job: str, every: timedelta, work: Callable[[], None]) -> bool:
    """Do a job's work for the period that is now, unless it is done. Returns whether it was done here.

    Claim and work are one transaction: who comes second waits, then finds it done; work that fails leaves no
    claim, and is tried again at the next tick.
    """
    now = timezone.now()
    period = now - (now - _EPOCH) % every
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sessions_log_jobrun (job, period) VALUES (%s, %s) ON CONFLICT DO NOTHING", [job, period]
        )
        if not cursor.rowcount:
            return False
        work()
    return True
