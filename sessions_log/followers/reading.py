"""How followers read: batches in the order of their numbers, position and read model in one transaction.

The entries never leave the database: a follower is handed a subselect of them and aggregates it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection, transaction
from django.utils.module_loading import import_string

from sessions_log.models import FollowerPosition
from sessions_log.models.read_models import FOLLOWER_LOCK

MOST_ENTRIES = 20_000
MOST_BATCHES = 2_000
_COLUMNS = (
    "e.id, e.organization_id, e.service_id, e.timestamp, e.subject_id, e.session_id, e.outcome, e.sensitive,"
    " e.action, e.findings, e.ai_model"
)


@dataclass(frozen=True, slots=True)
class Entries:
    """Session logs as a subselect: put `sql` in parentheses into a FROM, `values` among the statement's values."""

    sql: str
    values: tuple[Any, ...]


class Follower(Protocol):
    """A read model that is kept from entries, each applied once."""

    name: str

    def apply(self, entries: Entries) -> None:
        """Add the entries to the read model, within the transaction at hand."""

    def clear(self) -> None:
        """Empty the read model."""


def load(paths: Sequence[str]) -> list[Follower]:
    """The followers that settings name by dotted path."""
    return [import_string(path)() for path in paths]


def follow(follower: Follower, shard: int) -> int:
    """Apply the next batches, about MOST_ENTRIES entries at most. Returns how many batches were applied."""
    with transaction.atomic():
        _execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", FOLLOWER_LOCK, follower.name)
        position, _ = FollowerPosition.objects.get_or_create(follower=follower.name, shard=shard)
        last = _last_batch(shard, position.batch)
        if last is None:
            return 0
        follower.apply(_of_batches(shard, position.batch, last))
        applied = last - position.batch
        position.batch = last
        position.save(update_fields=("batch",))
        return applied


def rebuild(follower: Follower) -> None:
    """Make the read model anew from all entries that are kept, and take up the batches after them.

    One snapshot sees entries and batch numbers alike, so nothing is missed or counted twice. It is taken once the
    follower stands still.
    """
    _execute("SELECT pg_advisory_lock(%s, hashtext(%s))", FOLLOWER_LOCK, follower.name)
    try:
        _rebuild(follower)
    finally:
        _execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", FOLLOWER_LOCK, follower.name)


def _rebuild(follower: Follower) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT shard, max(number) FROM sessions_log_batch GROUP BY shard")
            newest = cursor.fetchall()
        follower.clear()
        # Only names written in this file are put into the text; values go beside it.
        follower.apply(Entries(f"SELECT {_COLUMNS} FROM sessions_log_sessionlog e", ()))  # nosec B608
        for shard, number in newest:
            FollowerPosition.objects.update_or_create(follower=follower.name, shard=shard, defaults={"batch": number})


def _execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _last_batch(shard: int, position: int) -> int | None:
    """The last batch to apply together with those after the position; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT max(number) FROM (
                SELECT number, sum(entries) OVER (ORDER BY number) - entries AS before
                FROM (SELECT number, entries FROM sessions_log_batch WHERE shard = %s AND number > %s
                      ORDER BY number LIMIT %s) next
            ) counted WHERE before < %s
            """,
            [shard, position, MOST_BATCHES, MOST_ENTRIES],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _of_batches(shard: int, after: int, last: int) -> Entries:
    """The entries of the batches in (after, last]: found by each span's id bounds, told apart by its seqs."""
    # Only names written in this file are put into the text; values go beside it.
    return Entries(
        f"""
        SELECT {_COLUMNS} FROM sessions_log_batchspan s JOIN sessions_log_sessionlog e
            ON e.organization_id = s.organization_id AND e.id BETWEEN s.lowest_id AND s.highest_id
           AND e.seq BETWEEN s.first_seq AND s.last_seq
        WHERE s.shard = %s AND s.number > %s AND s.number <= %s AND s.kind = 1
        """,  # nosec B608
        (shard, after, last),
    )
