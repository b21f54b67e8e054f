"""Checkpoints in PostgreSQL, as the recorder of a shard writes them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from psycopg import Connection

from sessions_log.domain.checkpoint import parse_checkpoint
from sessions_log.domain.merkle import Frontier
from sessions_log.domain.signed_note import Note
from sessions_log.ports import UnsignedLedger


class PostgresCheckpoints:
    """See `sessions_log.ports.Checkpoints`. Works on the connection that holds the shard, so no two sign at once."""

    def __init__(self, connected: Callable[[], Connection[Any]], shard: int) -> None:
        self._connected = connected
        self._shard = shard

    def due(self, unsigned_since: datetime) -> list[UnsignedLedger]:
        """See the port. One statement, so that head and batch are of one moment."""
        rows = self._connected().execute(
            """
            SELECT o.id, o.uid, o.slug, h.size, h.frontier,
                   coalesce((SELECT max(number) FROM sessions_log_batch b WHERE b.shard = o.shard), 0)
            FROM sessions_log_ledgerhead h JOIN sessions_log_organization o ON o.id = h.organization_id
            LEFT JOIN LATERAL (
                SELECT c.size, c.signed_at FROM sessions_log_checkpoint c
                WHERE c.organization_id = o.id ORDER BY c.id DESC LIMIT 1
            ) last ON true
            WHERE o.shard = %s AND h.size > 0
              AND (last.size IS NULL OR h.size > last.size OR last.signed_at < %s)
            """,
            (self._shard, unsigned_since),
        )
        return [
            UnsignedLedger(organization_id, uid, slug, _frontier(size, frontier), batch)
            for organization_id, uid, slug, size, frontier, batch in rows
        ]

    def add(self, ledger: UnsignedLedger, note: Note) -> None:
        """See the port."""
        checkpoint = parse_checkpoint(note.text)
        self._connected().execute(
            "INSERT INTO sessions_log_checkpoint (organization_id, size, root, note, batch)"
            " VALUES (%s, %s, %s, %s, %s)",
            (ledger.organization_id, checkpoint.size, checkpoint.root, str(note), ledger.batch),
        )


def _frontier(size: int, packed: bytes) -> Frontier | None:
    try:
        return Frontier.unpacked(size, packed)
    except ValueError:
        return None
