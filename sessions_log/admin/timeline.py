"""A session's records in order, with the time between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sessions_log.queries.session_logs import SessionLogRow
from sessions_log.templatetags.portal import grouped, span

AROUND = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One record; `gap` is the time since the one before, None for the first one shown."""

    row: SessionLogRow
    gap: timedelta | None
    is_this: bool

    @property
    def gap_words(self) -> str:
        """`+1 min 46 s`."""
        return "" if self.gap is None else f"+{span(self.gap)}"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The records of a session around one of them; the session may go on at either end."""

    steps: tuple[Step, ...]
    has_earlier: bool
    has_later: bool

    @property
    def words(self) -> str:
        """`8 records in 6 min 41 s`."""
        if len(self.steps) == 1:
            return "its only record"
        took = self.steps[-1].row.timestamp - self.steps[0].row.timestamp
        count = f"{grouped(len(self.steps))} records"
        if self.has_earlier or self.has_later:
            return f"{count} around this one"
        return f"{count} in {span(took)}"


def timeline(rows: Sequence[SessionLogRow], log_id: UUID) -> Timeline:
    """At most AROUND records to either side of the one on the page.

    rows: oldest first, up to AROUND + 1 to either side; the outermost then only tell that there are more.
    """
    here = next(index for index, row in enumerate(rows) if row.id == log_id)
    first, last = max(here - AROUND, 0), here + AROUND + 1
    shown = rows[first:last]
    steps = tuple(
        Step(row, row.timestamp - shown[index - 1].timestamp if index else None, row.id == log_id)
        for index, row in enumerate(shown)
    )
    return Timeline(steps, has_earlier=first > 0, has_later=last < len(rows))
