"""What became of records and requests: entries first, then outcomes, then what still waits."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_log.domain.session_record import CLOCK_TOLERANCE
from sessions_log.models import Conflict, QuarantinedRequest, RequestOutcome, SessionLog

MOST_WAITING = 20_000
_SOON_MS = 60_000
_TOLERATED_MS = CLOCK_TOLERANCE // timedelta(milliseconds=1)


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


class TooManyWait(Exception):
    """More requests wait to be recorded than are looked through for one receipt."""


def entry_receipt(organization_id: int, entry_id: UUID) -> EntryReceipt:
    """Where a record of the organization stands. `conflict`: it is stored, and came again with other content.

    Raises TooManyWait where that cannot be told before the recorder has worked off more.
    """
    if receipt := _recorded(organization_id, entry_id):
        return receipt
    if _is_pending(organization_id, entry_id):
        return EntryReceipt(entry_id, "pending", None)
    if _is_quarantined(organization_id, entry_id):
        return EntryReceipt(entry_id, "quarantined", None)
    # Once more: what waited at the first look may have been recorded before the second.
    return _recorded(organization_id, entry_id) or EntryReceipt(entry_id, "unknown", None)


def _recorded(organization_id: int, entry_id: UUID) -> EntryReceipt | None:
    seq = SessionLog.objects.filter(organization_id=organization_id, id=entry_id).values_list("seq", flat=True).first()
    if seq is None:
        return None
    conflicts = Conflict.objects.filter(organization_id=organization_id, entry_id=entry_id).exists()
    return EntryReceipt(entry_id, "conflict" if conflicts else "recorded", seq)


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
    """Whether a request after the recorder's position holds the id. Raises TooManyWait.

    Looked for among the requests of the minute after the record's own time, then among all that can hold it: none
    came before the record, but for the tolerated clock. Of either at most MOST_WAITING are looked through.
    """
    at = _milliseconds(entry_id)
    is_cut = False
    for first, last in ((at, at + _SOON_MS), (at - _TOLERATED_MS, None)):
        is_among_them, is_whole = _look_through_waiting(organization_id, entry_id, first, last)
        if is_among_them:
            return True
        is_cut |= not is_whole
    if is_cut:
        raise TooManyWait
    return False


def _look_through_waiting(
    organization_id: int, entry_id: UUID, first_ms: int, last_ms: int | None
) -> tuple[bool, bool]:
    """Whether a waiting request of these milliseconds holds the id, and whether all of them were looked through."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) < %s, bool_or(organization_id = %s AND position(%s IN entry_ids) > 0) FROM (
                SELECT i.organization_id, i.entry_ids FROM sessions_log_recorderposition p JOIN sessions_log_inbox i
                    ON i.shard = p.shard AND i.lane = p.lane AND (i.xid, i.serial) > (p.xid, p.serial)
                WHERE p.shard = (SELECT shard FROM sessions_log_organization WHERE id = %s)
                    AND i.id BETWEEN %s AND %s
                LIMIT %s
            ) waiting
            """,
            [MOST_WAITING, organization_id, entry_id.bytes, organization_id, _bound(first_ms), _bound(last_ms),
             MOST_WAITING],
        )  # fmt: skip
        is_whole, is_among_them = cursor.fetchone()
    return bool(is_among_them), is_whole


def _is_quarantined(organization_id: int, entry_id: UUID) -> bool:
    table = QuarantinedRequest._meta.db_table
    # Only names written in this file are put into the text; values go beside it.
    return _found(
        f"SELECT 1 FROM {table} WHERE organization_id = %s AND id >= %s"  # nosec B608
        " AND position(%s IN entry_ids) > 0 LIMIT 1",
        [organization_id, _bound(_milliseconds(entry_id) - _TOLERATED_MS), entry_id.bytes],
    )


def _milliseconds(entry: UUID) -> int:
    return entry.int >> 80


def _bound(milliseconds: int | None) -> UUID:
    """Where the ids of requests of this millisecond begin; None is beyond all."""
    if milliseconds is None or milliseconds >= 1 << 48:
        return UUID(int=(1 << 128) - 1)
    return UUID(int=max(0, milliseconds) << 80)


def _found(statement: str, values: list[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() is not None
