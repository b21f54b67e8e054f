"""What an organization did lately, from the counters by minute."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions_log.models import MinuteCounter, SessionSummary

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """Entries of an hour by their own time; `start` is when the hour begins."""

    start: datetime
    success: int = 0
    failure: int = 0
    denied: int = 0
    sensitive: int = 0
    redacted: int = 0

    @property
    def entries(self) -> int:
        """All of them."""
        return self.success + self.failure + self.denied


def outcomes_by_hour(organization_id: int, start: datetime, end: datetime) -> list[HourCounts]:
    """One count for each 60 minutes from `start` to `end`, oldest first, empty hours included."""
    rows = MinuteCounter.objects.filter(organization_id=organization_id, minute__gte=start, minute__lt=end)
    sums = [[0] * 5 for _ in range(-((start - end) // _HOUR))]
    for minute, *counts in rows.values_list("minute", "success", "failure", "denied", "sensitive", "redacted"):
        hour = sums[(minute - start) // _HOUR]
        hour[:] = [have + more for have, more in zip(hour, counts, strict=True)]
    return [_counts(start + index * _HOUR, values) for index, values in enumerate(sums)]


def totals(hours: Iterable[HourCounts]) -> HourCounts:
    """The hours together; `start` is the first one's."""
    known = list(hours)
    columns = ((hour.success, hour.failure, hour.denied, hour.sensitive, hour.redacted) for hour in known)
    return _counts(known[0].start, [sum(column) for column in zip(*columns, strict=True)])


def recent_sessions(organization_id: int, since: datetime) -> int:
    """How many sessions were seen since then."""
    return SessionSummary.objects.filter(organization_id=organization_id, last_seen__gte=since).count()


def _counts(start: datetime, values: list[int]) -> HourCounts:
    success, failure, denied, sensitive, redacted = values
    return HourCounts(
        start=start, success=success, failure=failure, denied=denied, sensitive=sensitive, redacted=redacted
    )
