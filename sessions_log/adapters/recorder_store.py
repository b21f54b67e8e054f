"""The recorder's storage: one connection that holds the shard's lock, one transaction a batch."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from sessions_log.adapters import copying, partitions
from sessions_log.adapters.ledger_store import PostgresLedgers
from sessions_log.adapters.organization_keys import KEYS_LOCK
from sessions_log.adapters.recorder_references import PostgresReferences, uuids
from sessions_log.adapters.session_sequences import PostgresSequences
from sessions_log.domain.entries import POLICY_VERSION, NewEntries
from sessions_log.domain.entry_id import KIND_STATEMENT, hour_of
from sessions_log.domain.inbox import LANE_BULK, LANE_LIVE, InboxRequest
from sessions_log.domain.outcomes import ConflictSeen, Outcome, Quarantined
from sessions_log.domain.redaction import DETECTORS_VERSION
from sessions_log.domain.spans import spans_of
from sessions_log.domain.statements import Statement, statement_leaf
from sessions_log.ports import (
    EntriesExist,
    EntriesRefused,
    MissingMonths,
    RecordingOrganization,
    ShardTaken,
    UnstatedLedger,
)

_LOCK_CLASS = 0x6D756E69  # "muni": the advisory locks of recorders
BATCH_CHANNEL = "muniment_batch"

# Only rows whose transaction ended before every one that still runs: no late committer can come in between.
_PENDING = """
SELECT id, organization_id, service_id, shard, lane, kind, entry_ids, sealed, xid::text, serial
FROM (
    SELECT next.*, sum(next.records) OVER (ORDER BY next.xid, next.serial) - next.records AS before
    FROM (
        SELECT i.* FROM sessions_log_inbox i
        WHERE i.shard = %(shard)s AND i.lane = %(lane)s AND (i.xid, i.serial) > (%(xid)s::xid8, %(serial)s)
          AND i.xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY i.xid, i.serial LIMIT %(most)s
    ) next
) counted
WHERE before < %(most)s ORDER BY counted.xid, counted.serial
"""

_UNSTATED = """
SELECT o.id, o.uid, coalesce(h.size, 0),
       (SELECT count(*) FROM sessions_log_statement s
        WHERE s.organization_id = o.id AND s.seq >= coalesce(digest.seq, 0)),
       digest.seq, digest.stated_at
FROM sessions_log_organization o LEFT JOIN sessions_log_ledgerhead h ON h.organization_id = o.id
LEFT JOIN LATERAL (
    SELECT s.seq, s.stated_at FROM sessions_log_statement s
    WHERE s.organization_id = o.id AND s.type = 'digest' ORDER BY s.seq DESC LIMIT 1
) digest ON true
WHERE o.shard = %s AND (digest.stated_at IS NULL OR digest.stated_at < %s) AND o.id <> ALL(%s::int[])
ORDER BY o.id LIMIT %s
"""


class PostgresRecorderStore:
    """See `sessions_log.ports.RecorderStore`."""

    def __init__(self, conninfo: Callable[[], str], shard: int) -> None:
        self._conninfo = conninfo
        self._shard = shard
        self._connection: Connection[Any] | None = None
        self._months: set[date] = set()

    @contextmanager
    def transaction(self) -> Iterator["PostgresRecorderTransaction"]:
        """See the port. Raises ShardTaken while another recorder holds the shard."""
        connection = self.connected()
        try:
            with connection.transaction():
                yield PostgresRecorderTransaction(connection, self._shard, self._months)
        except psycopg.errors.UniqueViolation:
            raise EntriesExist("entries are stored already") from None
        except psycopg.errors.IntegrityError as error:
            raise EntriesRefused(f"the database refuses it ({type(error).__name__})") from None
        except psycopg.DataError as error:
            raise EntriesRefused(f"the database cannot hold it ({type(error).__name__})") from None
        except psycopg.OperationalError:
            self.close()
            raise

    def make_months(self, months: Sequence[date]) -> None:
        """Make entry partitions that were found missing."""
        connection = self.connected()
        with connection.transaction():
            partitions.make_months(connection, months)
        self._months.clear()

    def close(self) -> None:
        """Let go of connection and shard."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connected(self) -> Connection[Any]:
        """The connection that holds the shard, made anew where there is none. Raises ShardTaken."""
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(
                self._conninfo(), autocommit=True, connect_timeout=3, application_name="recorder"
            )
            connection.execute("SET synchronous_commit = on")
            locked = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, self._shard)).fetchone()
            if not locked or not locked[0]:
                connection.close()
                raise ShardTaken(f"another recorder holds shard {self._shard}")
            self._connection = connection
            self._months = set()
        return self._connection


class PostgresRecorderTransaction:
    """See `sessions_log.ports.RecorderTransaction`."""

    def __init__(self, connection: Connection[Any], shard: int, months: set[date]) -> None:
        self.references = PostgresReferences(connection)
        self.sequences = PostgresSequences(connection, shard)
        self._ledgers = PostgresLedgers(connection)
        self._connection = connection
        self._shard = shard
        self._months = months
        self._last: dict[int, tuple[str, int]] = {}
        self._spans: list[tuple[Any, ...]] = []
        self._entries = 0

    def pending(self, most_records: int) -> list[InboxRequest]:
        """See the port."""
        positions = {
            lane: (xid, serial)
            for lane, xid, serial in self._connection.execute(
                "SELECT lane, xid::text, serial FROM sessions_log_recorderposition WHERE shard = %s", (self._shard,)
            )
        }
        if not positions:  # a shard that was not set up has nothing
            return []
        requests = self._lane(LANE_LIVE, most_records, positions[LANE_LIVE])
        left = most_records - sum(request.records for request in requests)
        return requests + (self._lane(LANE_BULK, left, positions[LANE_BULK]) if left > 0 else [])

    def _lane(self, lane: int, most: int, position: tuple[str, int]) -> list[InboxRequest]:
        xid, serial = position
        rows = self._connection.execute(
            _PENDING,
            {"shard": self._shard, "lane": lane, "most": most, "xid": xid, "serial": serial},
            binary=True,
        ).fetchall()
        if rows:
            self._last[lane] = (rows[-1][8], rows[-1][9])
        return [
            InboxRequest(
                id=row[0].bytes,
                organization_id=row[1],
                service_id=row[2],
                shard=row[3],
                lane=row[4],
                kind=row[5],
                entry_ids=row[6],
                sealed=row[7],
            )
            for row in rows
        ]

    def organizations(self, ids: Sequence[int]) -> Mapping[int, RecordingOrganization]:
        """See the port. Who changes an organization's keys holds the same lock, alone."""
        wanted = sorted(set(ids))
        self._connection.execute(
            "SELECT pg_advisory_xact_lock_shared(%s, id) FROM unnest(%s::int[]) AS wanted (id)", (KEYS_LOCK, wanted)
        )
        rows = self._connection.execute(
            "SELECT id, uid, epoch, old_epoch, erasures FROM sessions_log_organization WHERE id = ANY(%s)", (wanted,)
        ).fetchall()
        return {row[0]: RecordingOrganization(*row) for row in rows}

    def services(self, ids: Sequence[int]) -> Mapping[int, str]:
        """See the port."""
        rows = self._connection.execute(
            "SELECT id, name FROM sessions_log_service WHERE id = ANY(%s)", (list(set(ids)),)
        ).fetchall()
        return dict(rows)

    def recorded(self, organization_id: int, ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes | None]]:
        """See the port. The ids' bounds let the planner pass over months that cannot hold them."""
        rows = self._connection.execute(
            "SELECT id, subject_id, identity FROM sessions_log_sessionlog"
            " WHERE organization_id = %s AND id = ANY(%s::uuid[]) AND id BETWEEN %s AND %s",
            (organization_id, uuids(ids), UUID(bytes=min(ids)), UUID(bytes=max(ids))),
        ).fetchall()
        return {row[0].bytes: (row[1].bytes, row[2]) for row in rows}

    def append(self, entries: NewEntries) -> None:
        """See the port. Raises MissingMonths where a partition is wanting."""
        self._require_months(entries.months)
        head = self._ledgers.head(entries.organization_id)
        first_seq = head.size
        shared = copying.shared_columns(entries.recorded_at, entries.organization_id, DETECTORS_VERSION, POLICY_VERSION)
        placed: list[tuple[bytes, int]] = []
        leaves: list[bytes] = []
        with self._connection.cursor() as cursor, cursor.copy(copying.COPY) as copy:
            copy.write(copying.HEADER)
            for chunk in entries.chunks:
                # The server takes in a chunk while the next is sealed.
                copy.write(copying.session_logs(chunk, first_seq + len(leaves), shared))
                placed += [(row.id, row.hour) for row in chunk]
                leaves += [row.leaf for row in chunk]
            copy.write(copying.TRAILER)
        self._ledgers.append(entries.organization_id, head, leaves)
        self._spans += spans_of(entries.organization_id, entries.kind, placed, first_seq)
        self._entries += entries.count

    def append_statements(self, organization_id: int, statements: Sequence[Statement]) -> None:
        """See the port."""
        head = self._ledgers.head(organization_id)
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO sessions_log_statement (id, organization_id, seq, stated_at, type, body)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (UUID(bytes=one.id), organization_id, seq, one.stated_at, one.type, one.body)
                    for seq, one in enumerate(statements, head.size)
                ],
            )
        self._ledgers.append(organization_id, head, [statement_leaf(one.body) for one in statements])
        placed = [(one.id, hour_of(one.stated_at)) for one in statements]
        self._spans += spans_of(organization_id, KIND_STATEMENT, placed, head.size)
        self._entries += len(statements)

    def unstated(self, hour: datetime, most: int, refused: Collection[int]) -> list[UnstatedLedger]:
        """See the port. Exact: nobody else adds to these ledgers while this connection holds the shard."""
        rows = self._connection.execute(_UNSTATED, (self._shard, hour, list(refused), most)).fetchall()
        return [UnstatedLedger(*row) for row in rows]

    def _require_months(self, wanted: set[date]) -> None:
        if not wanted <= self._months:
            self._months |= partitions.months_made(self._connection)
        if missing := wanted - self._months:
            raise MissingMonths(sorted(missing))

    def finish(self, requests: Sequence[InboxRequest], outcomes: Sequence[Outcome]) -> int:
        """See the port."""
        batch = self._write_batch()
        with self._connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO sessions_log_outcome (id, organization_id, batch, recorded, duplicates, conflicts,"
                " quarantined) SELECT id, o, %s, r, d, c, q FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[],"
                " %s::int[], %s::int[]) AS outcome (id, o, r, d, c, q)",
                (
                    batch,
                    uuids([one.request_id for one in outcomes]),
                    [one.organization_id for one in outcomes],
                    [one.recorded for one in outcomes],
                    [one.duplicates for one in outcomes],
                    [one.conflicts for one in outcomes],
                    [one.quarantined for one in outcomes],
                ),
            )
        for lane, (xid, serial) in self._last.items():
            self._connection.execute(
                "UPDATE sessions_log_recorderposition SET xid = %s::xid8, serial = %s WHERE shard = %s AND lane = %s",
                (xid, serial, self._shard, lane),
            )
        self._connection.execute("SELECT pg_notify(%s, %s)", (BATCH_CHANNEL, str(self._shard)))
        return batch

    def _write_batch(self) -> int:
        row = self._connection.execute(
            "INSERT INTO sessions_log_batch (shard, number, entries)"
            " SELECT %s, coalesce((SELECT number FROM sessions_log_batch WHERE shard = %s"
            "                      ORDER BY number DESC LIMIT 1), 0) + 1, %s RETURNING number",
            (self._shard, self._shard, self._entries),
        ).fetchone()
        number = int(row[0]) if row else 0
        if self._spans:
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO sessions_log_batchspan (shard, number, organization_id, kind, entries, first_seq,"
                    " last_seq, lowest_id, highest_id) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    [(self._shard, number, *span) for span in self._spans],
                )
        return number

    def quarantine(self, rows: Sequence[Quarantined]) -> None:
        """See the port."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO sessions_log_quarantinedrequest (id, organization_id, service_id, shard, kind, reason,"
                " entry_ids, sealed) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (UUID(bytes=one.request.id), one.request.organization_id, one.request.service_id,
                     one.request.shard, one.request.kind, one.reason[:200], one.request.entry_ids, one.request.sealed)
                    for one in rows
                ],
            )  # fmt: skip

    def conflicts(self, seen: Sequence[ConflictSeen]) -> None:
        """See the port."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO sessions_log_conflict (id, organization_id, entry_id, request_id)"
                " VALUES (gen_random_uuid(), %s, %s, %s)",
                [(one.organization_id, UUID(bytes=one.entry_id), UUID(bytes=one.request_id)) for one in seen],
            )
