"""The senders' own counts within sessions, as ranges of the numbers that came."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from sessions_log.adapters.recorder_references import uuids
from sessions_log.domain.sequences import MOST_HOLES, Ranges, SettledSession, UnsettledSession, given_up, holes
from sessions_log.fields import both_included

# A session waits (`waiting_since`) while its holes are others than those stated; `waiting` keeps what they were then.
# Ranges come as numbers: reading a multirange of n ranges from text takes the square of n.
_ADD = """
INSERT INTO sessions_log_sessionsequence AS known
    (session_id, organization_id, seen, waiting_since, waiting, stated, truncated)
SELECT session_id, %(organization)s, seen, CASE WHEN NOT isempty(missing) THEN %(now)s END, missing, '{}', false
FROM (
    SELECT session_id, seen, int8multirange(range_merge(seen)) - seen AS missing
    FROM (
        SELECT session_id, range_agg(int8range(first, last, '[]')) AS seen
        FROM unnest(%(sessions)s::uuid[], %(firsts)s::int8[], %(lasts)s::int8[]) AS one (session_id, first, last)
        GROUP BY session_id
    ) came
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
_GIVE_UP = """
UPDATE sessions_log_sessionsequence q
SET seen = q.seen + int8multirange(int8range(first, last, '[]')),
    waiting = q.waiting - int8multirange(int8range(first, last, '[]')),
    waiting_since = coalesce(q.waiting_since, %s), stated = NULL, truncated = true
FROM unnest(%s::uuid[], %s::int8[], %s::int8[]) AS one (session_id, first, last)
WHERE q.session_id = one.session_id
"""
_UNSETTLED = """
SELECT q.session_id, o.id, o.uid, q.seen, q.waiting, q.stated, q.truncated
FROM sessions_log_sessionsequence q JOIN sessions_log_organization o ON o.id = q.organization_id
WHERE o.shard = %s AND q.waiting_since <= %s AND o.id <> ALL(%s::int[])
ORDER BY q.waiting_since, q.session_id LIMIT %s
"""
_SETTLE = """
UPDATE sessions_log_sessionsequence q
SET stated = one.stated, waiting_since = CASE WHEN one.has_begun THEN %s END,
    waiting = int8multirange(range_merge(q.seen)) - q.seen
FROM unnest(%s::uuid[], %s::text[]::int8multirange[], %s::bool[]) AS one (session_id, stated, has_begun)
WHERE q.session_id = one.session_id
"""


class PostgresSequences:
    """See `sessions_log.ports.SessionSequences`; works within the transaction of its connection."""

    def __init__(self, connection: Connection[Any], shard: int) -> None:
        self._connection = connection
        self._shard = shard

    def add(self, organization_id: int, numbers: Mapping[bytes, Ranges], now: datetime) -> None:
        """See the port. Where a session has more than MOST_HOLES, the lowest are given up."""
        ranges = [(session, first, last) for session, own in numbers.items() for first, last in own]
        rows = self._connection.execute(
            _ADD,
            {
                "organization": organization_id,
                "now": now,
                "sessions": uuids([session for session, _, _ in ranges]),
                "firsts": [first for _, first, _ in ranges],
                "lasts": [last for _, _, last in ranges],
                "most": MOST_HOLES,
            },
        ).fetchall()
        if torn := [(session, *given_up(both_included(seen))) for session, seen in rows if seen is not None]:
            self._connection.execute(_GIVE_UP, (now, *map(list, zip(*torn, strict=True))))

    def unsettled(self, until: datetime, most: int, refused: Collection[int]) -> list[UnsettledSession]:
        """See the port."""
        rows = self._connection.execute(_UNSETTLED, (self._shard, until, list(refused), most)).fetchall()
        return [
            UnsettledSession(
                id=row[0],
                organization_id=row[1],
                organization_uid=row[2],
                missing=holes(both_included(row[3])),
                waiting=both_included(row[4]),
                stated=None if row[5] is None else both_included(row[5]),
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
                [bool(one.begun) for one in sessions],
            ),
        )


def _written(ranges: Ranges) -> str:
    return "{" + ",".join([f"[{first},{last}]" for first, last in ranges]) + "}"
