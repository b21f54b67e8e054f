"""What became of records and requests: entries first, then outcomes, then what still waits."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_log.models import Conflict, QuarantinedRequest, RequestOutcome, SessionLog


@dataclass(frozen=True, slots=True)
class EntryReceipt:
    """state: pending, recorded, conflict, quarantined or unknown; `seq` where an entry exists."""

    entry_id: UUID
    state: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class RequestReceipt:
    """state: pending, done or unknown; counts of records, all zero while not done."""

    request_id: UUID
    state: str
    recorded: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0


def entry_receipt(organization_id: int, entry_id: UUID) -> EntryReceipt:
    """Where a record of the organization stands. `conflict`: it is stored, and came again with other content."""
    seq = SessionLog.objects.filter(organization_id=organization_id, id=entry_id).values_list("seq", flat=True).first()
    if seq is not None:
        conflicts = Conflict.objects.filter(organization_id=organization_id, entry_id=entry_id).exists()
        return EntryReceipt(entry_id, "conflict" if conflicts else "recorded", seq)
    if _is_pending(organization_id, entry_id):
        return EntryReceipt(entry_id, "pending", None)
    if _is_quarantined(organization_id, entry_id):
        return EntryReceipt(entry_id, "quarantined", None)
    return EntryReceipt(entry_id, "unknown", None)


def request_receipt(organization_id: int, request_id: UUID) -> RequestReceipt:
    """Where a request of the organization stands; outcomes are kept 30 days."""
    outcome = RequestOutcome.objects.filter(id=request_id, organization_id=organization_id).first()
    if outcome is not None:
        return RequestReceipt(
            request_id, "done", outcome.recorded, outcome.duplicates, outcome.conflicts, outcome.quarantined
        )
    waits = _found(
        "SELECT 1 FROM sessions_log_inbox WHERE id = %s AND organization_id = %s",
        [request_id, organization_id],
    )
    return RequestReceipt(request_id, "pending" if waits else "unknown")


def _is_pending(organization_id: int, entry_id: UUID) -> bool:
    """Whether a request after the recorder's position holds the id. Read to the end of the inbox, usually short."""
    return _found(
        """
        SELECT 1 FROM sessions_log_recorderposition p JOIN sessions_log_inbox i
            ON i.shard = p.shard AND i.lane = p.lane AND (i.xid, i.serial) > (p.xid, p.serial)
        WHERE i.organization_id = %s AND position(%s IN i.entry_ids) > 0 LIMIT 1
        """,
        [organization_id, entry_id.bytes],
    )


def _is_quarantined(organization_id: int, entry_id: UUID) -> bool:
    table = QuarantinedRequest._meta.db_table
    # Only names written in this file are put into the text; values go beside it.
    return _found(
        f"SELECT 1 FROM {table} WHERE organization_id = %s AND position(%s IN entry_ids) > 0 LIMIT 1",  # nosec B608
        [organization_id, entry_id.bytes],
    )


def _found(statement: str, values: list[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() is not None
