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
    with transaction.atomic():
        if not claim(job, every):
            return False
        work()
    return True


def claim(job: str, every: timedelta) -> bool:
    """Claim a job's period that is now. Returns whether it was free.

    On its own for work that waits for others' servers: no transaction may stay open for that long, because the inbox
    is read up to the oldest one. Such work that fails is done again in the next period.
    """
    now = timezone.now()
    period = now - (now - _EPOCH) % every
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sessions_log_jobrun (job, period) VALUES (%s, %s) ON CONFLICT DO NOTHING", [job, period]
        )
        return bool(cursor.rowcount)
