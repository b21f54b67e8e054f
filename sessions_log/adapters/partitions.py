"""Partitions: made ahead of time by the owner's functions, which every role that needs one may call."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import Connection

MONTHS_BACK, MONTHS_AHEAD, DAYS_AHEAD = 1, 2, 3


def make_ahead(connection: Connection[Any], now: datetime | None = None) -> None:
    """Make the months from last month to two ahead, and the days of the inbox from yesterday to three ahead."""
    today = (now or datetime.now(UTC)).date()
    make_months(connection, (month_after(today, step) for step in range(-MONTHS_BACK, MONTHS_AHEAD + 1)))
    make_days(connection, (today + timedelta(days=step) for step in range(-1, DAYS_AHEAD + 1)))


def make_months(connection: Connection[Any], months: Iterable[date]) -> None:
    """Make the entry partitions of these months where they are missing."""
    for month in sorted({month.replace(day=1) for month in months}):
        connection.execute("SELECT muniment_make_month(%s)", (month,))


def make_days(connection: Connection[Any], days: Iterable[date]) -> None:
    """Make the inbox and outcome partitions of these days where they are missing."""
    for day in sorted(set(days)):
        connection.execute("SELECT muniment_make_day(%s)", (day,))


def drop_day(connection: Connection[Any], day: date) -> bool:
    """Drop what is finished of a day. Returns whether its inbox went."""
    row = connection.execute("SELECT muniment_drop_inbox_day(%s)", (day,)).fetchone()
    connection.execute("SELECT muniment_drop_outcome_day(%s)", (day,))
    return bool(row and row[0])


def has_inbox_day(connection: Connection[Any], day: date) -> bool:
    """Whether the inbox still has this day."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"public.inbox_{day:%Y_%m_%d}",)).fetchone()
    return bool(row and row[0])


def months_made(connection: Connection[Any]) -> set[date]:
    """The months (first days) that have a partition of session logs."""
    rows = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sessions_log_sessionlog'::regclass"
    ).fetchall()
    return {date(int(name[-7:-3]), int(name[-2:]), 1) for (name,) in rows}


def month_after(day: date, steps: int) -> date:
    """The first day of the month `steps` months after that of `day`; negative for before."""
    months = day.year * 12 + day.month - 1 + steps
    return date(months // 12, months % 12 + 1, 1)
