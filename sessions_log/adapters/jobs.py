"""Claims on scheduled work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from sessions_log.models import JobRun

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LOCK_CLASS = 0x6A6F6273  # "jobs": one process at a time does a long job


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


def run_long(job: str, every: timedelta, work: Callable[[datetime], bool]) -> bool:
    """Do a job's work that takes longer than a transaction may stay open. Returns whether it was finished here.

    work: is given the period's beginning, and says whether all is done; if not, the next tick goes on. A lock of this
    connection, and no transaction, keeps others from the job meanwhile; who dies leaves neither lock nor claim.
    """
    period = _period(every)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK_CLASS, job])
        if not cursor.fetchone()[0]:
            return False
        try:
            return not _is_done(job, period) and work(period) and _claim(job, period)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_LOCK_CLASS, job])


def claim(job: str, every: timedelta) -> bool:
    """Claim a job's period that is now. Returns whether it was free.

    On its own for work that waits for others' servers: no transaction may stay open for that long, because the inbox
    is read up to the oldest one. Such work that fails is done again in the next period.
    """
    return _claim(job, _period(every))


def _period(every: timedelta) -> datetime:
    """The beginning of the period that is now."""
    now = timezone.now()
    return now - (now - _EPOCH) % every


def _is_done(job: str, period: datetime) -> bool:
    return JobRun.objects.filter(job=job, period=period).exists()


def _claim(job: str, period: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sessions_log_jobrun (job, period) VALUES (%s, %s) ON CONFLICT DO NOTHING", [job, period]
        )
        return bool(cursor.rowcount)
