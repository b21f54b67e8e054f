"""An organization's ledger as it lies in the tables, and as it follows from the rows."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sessions_log.domain.entries import OUTCOMES
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.leaf import BUNDLE_LEAVES, EntryColumns, canonical, leaf, unbundle
from sessions_log.domain.sealing import PART_IDENTITY
from sessions_log.domain.statements import statement_leaf

_OUTCOME_NAMES = {number: name for name, number in OUTCOMES.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry's place and the leaf that its row gives."""

    seq: int
    leaf: bytes


def organizations(connection: psycopg.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT organization_id FROM sessions_log_ledgerhead").fetchall()]


def size(connection: psycopg.Connection, organization_id: int) -> int:
    """The ledger's size by its head."""
    row = connection.execute(
        "SELECT size FROM sessions_log_ledgerhead WHERE organization_id = %s", (organization_id,)
    ).fetchone()
    return int(row[0]) if row else 0


def rows(connection: psycopg.Connection, organization_id: int) -> list[Row]:
    """Every entry, statements among them, in the order of seq."""
    found = _records(connection, organization_id) + _statements(connection, organization_id)
    return sorted(found, key=lambda row: row.seq)


def _statements(connection: psycopg.Connection, organization_id: int) -> list[Row]:
    stated = connection.execute(
        "SELECT seq, body FROM sessions_log_statement WHERE organization_id = %s", (organization_id,)
    )
    return [Row(seq, statement_leaf(body)) for seq, body in stated]


def _records(connection: psycopg.Connection, organization_id: int) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            """
            SELECT e.*, o.uid, s.name AS service FROM sessions_log_sessionlog e
            JOIN sessions_log_organization o ON o.id = e.organization_id
            JOIN sessions_log_service s ON s.id = e.service_id
            WHERE e.organization_id = %s ORDER BY e.seq
            """,
            (organization_id,),
        )
        return [Row(row["seq"], _leaf(row)) for row in cursor]


def leaves(connection: psycopg.Connection, organization_id: int) -> list[bytes]:
    """The leaves that are kept: the bundles', then the tail's. Each must stand where the one before ends."""
    kept: list[bytes] = []
    bundles = connection.execute(
        "SELECT number, leaves FROM sessions_log_leafbundle WHERE organization_id = %s ORDER BY number",
        (organization_id,),
    )
    for number, packed in bundles.fetchall():
        assert number * BUNDLE_LEAVES == len(kept)
        kept += unbundle(packed)
        assert len(kept) == (number + 1) * BUNDLE_LEAVES
    tail = connection.execute(
        "SELECT first_seq, leaves FROM sessions_log_leaftail WHERE organization_id = %s ORDER BY first_seq",
        (organization_id,),
    )
    for first_seq, packed in tail.fetchall():
        assert first_seq == len(kept)
        kept += unbundle(packed)
    return kept


def _leaf(row: dict[str, Any]) -> bytes:
    columns = EntryColumns(
        action=row["action"],
        address=row["address_id"] and row["address_id"].hex,
        aiModel=row["ai_model"],
        detectors=row["detectors"],
        duration=row["duration"],
        findings=row["findings"],
        id=row["id"].hex,
        organization=row["uid"].hex,
        outcome=_OUTCOME_NAMES[row["outcome"]],
        policy=row["policy"],
        recordedAt=row["recorded_at"].astimezone(UTC),
        sensitive=row["sensitive"],
        service=row["service"],
        session=row["session_id"].hex,
        subject=row["subject_id"].hex,
        target=row["target_id"] and row["target_id"].hex,
        targetType=row["target_type"],
        timestamp=row["timestamp"].astimezone(UTC),
    )
    return leaf(KIND_SESSION_LOG, row["nonce"], canonical(columns), ((PART_IDENTITY, row["identity"]),))
