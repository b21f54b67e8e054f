"""The senders' own counts within sessions, as ranges of the numbers that came."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.multirange import Multirange

from sessions_log.adapters.recorder_references import uuids
from sessions_log.domain.sequences import MOST_HOLES, Ranges, SettledSession, UnsettledSession, bounded, holes

# A session waits (`waiting_since`) while its holes are others than those stated; `waiting` keeps what they were then.
_ADD = """
INSERT INTO sessions_log_sessionsequence AS known
    (session_id, organization_id, seen, waiting_since, waiting, stated, truncated)
SELECT session_id, %(organization)s, seen, CASE WHEN NOT isempty(missing) THEN %(now)s END, missing, '{}', false
FROM (
    SELECT session_id, seen, int8multirange(range_merge(seen)) - seen AS missing
    FROM unnest(%(sessions)s::uuid[], %(seen)s::text[]::int8multirange[]) AS came (session_id, seen)
) came
ON CONFLICT (session_id) DO UPDATE SET (seen, waiting_since, waiting) = (
    SELECT grown.seen,
        CASE WHEN grown.missing IS DISTINCT FROM known.stated THEN coalesce(known.waiting_since, %(now)s) END,
        CASE WHEN known.waiting_since IS NULL THEN grown.missing ELSE known.waiting END
    FROM (
        SELECT united.seen, int8multirange(range_merge(united.seen)) - united.seen AS missing
        FROM (SELECT known.seen + excluded.seen AS seen) united
    ) grown
)
RETURNING session_id, CASE WHEN (SELECT count(*) FROM unnest(known.seen)) > %(most)s + 1 THEN known.seen END
"""
# What was stated counts no more: that holes are given up is news, whatever else is missing.
_TRUNCATE = """
UPDATE sessions_log_sessionsequence
SET seen = %(seen)s::int8multirange, waiting = waiting * %(missing)s::int8multirange, stated = NULL, truncated = true,
    waiting_since = coalesce(waiting_since, %(now)s)
WHERE session_id = %(session)s
"""
_UNSETTLED = """
SELECT q.session_id, o.id, o.uid, int8multirange(range_merge(q.seen)) - q.seen, q.waiting, q.stated, q.truncated
FROM sessions_log_sessionsequence q JOIN sessions_log_organization o ON o.id = q.organization_id
WHERE o.shard = %s AND q.waiting_since <= %s AND o.id <> ALL(%s::int[])
ORDER BY q.waiting_since, q.session_id LIMIT %s
"""
_SETTLE = """
UPDATE sessions_log_sessionsequence q
SET stated = one.stated, waiting = one.waiting, waiting_since = CASE WHEN isempty(one.begun) THEN NULL ELSE %s END
FROM unnest(%s::uuid[], %s::text[]::int8multirange[], %s::text[]::int8multirange[], %s::text[]::int8multirange[])
    AS one (session_id, stated, waiting, begun)
WHERE q.session_id = one.session_id
"""


class PostgresSequences:
    """See `sessions_log.ports.SessionSequences`; works within the transaction of its connection."""

    def __init__(self, connection: Connection[Any], shard: int) -> None:
        self._connection = connection
        self._shard = shard

    def add(self, organization_id: int, numbers: Mapping[bytes, Ranges], now: datetime) -> None:
        """See the port. Keeps at most MOST_HOLES holes of a session: the lowest are given up."""
        rows = self._connection.execute(
            _ADD,
            {
                "organization": organization_id,
                "now": now,
                "sessions": uuids(list(numbers)),
                "seen": [_written(ranges) for ranges in numbers.values()],
                "most": MOST_HOLES,
            },
        ).fetchall()
        for session, seen in rows:
            if seen is not None:
                self._truncate(session, bounded(_read(seen)), now)

    def _truncate(self, session: UUID, seen: Ranges, now: datetime) -> None:
        values = {"session": session, "seen": _written(seen), "missing": _written(holes(seen)), "now": now}
        self._connection.execute(_TRUNCATE, values)

    def unsettled(self, until: datetime, most: int, refused: Collection[int]) -> list[UnsettledSession]:
        """See the port."""
        rows = self._connection.execute(_UNSETTLED, (self._shard, until, list(refused), most)).fetchall()
        return [
            UnsettledSession(
                id=row[0],
                organization_id=row[1],
                organization_uid=row[2],
                missing=_read(row[3]),
                waiting=_read(row[4]),
                stated=None if row[5] is None else _read(row[5]),
                truncated=row[6],
            )
            for row in rows
        ]

    def settle(self, sessions: Sequence[SettledSession], now: datetime) -> None:
        """See the port."""
        self._connection.execute(
            _SETTLE,
            (
                now,
                uuids([one.session.id.bytes for one in sessions]),
                [_written(one.missing) for one in sessions],
                [_written(one.session.missing) for one in sessions],
                [_written(one.begun) for one in sessions],
            ),
        )


def _written(ranges: Ranges) -> str:
    return "{" + ",".join([f"[{first},{last}]" for first, last in ranges]) + "}"


def _read(multirange: Multirange[int]) -> Ranges:
    """PostgreSQL gives whole numbers with the first included and the last not."""
    return [(one.lower, one.upper - 1) for one in multirange if one.lower is not None and one.upper is not None]
