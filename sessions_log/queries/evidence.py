"""What proves one entry: its leaf, the way from there to the latest checkpoint, and the row that the leaf is of."""

import json
from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_log.domain.entry_id import KIND_SESSION_LOG, KIND_STATEMENT
from sessions_log.domain.evidence import Head, Place
from sessions_log.domain.merkle import inclusion_proof
from sessions_log.domain.signed_note import InvalidNote
from sessions_log.domain.witness_policy import WitnessPolicy
from sessions_log.models import Organization, SessionLog, Statement
from sessions_log.queries import ledger
from sessions_log.queries.entry_rows import ROW, CommittedRow, committed_row
from sessions_log.queries.session_logs import service_names

_AT_ONCE = 5_000


def place_in_ledger(organization_id: int, seq: int, policy: WitnessPolicy | None) -> Place | None:
    """The place of the entry with this seq; None where the ledger holds no leaf there that can be read."""
    try:
        leaf = ledger.leaf_at(organization_id, seq)
    except (IndexError, ValueError):
        return None
    checkpoint = ledger.latest_checkpoint(organization_id)
    if checkpoint is None or checkpoint.size <= seq:
        return Place(seq, leaf, None)
    head = _head(ledger.checkpoint_over(seq, checkpoint, policy))
    try:
        path = inclusion_proof(seq, head.size, ledger.subtrees(organization_id))
    except (IndexError, ValueError):  # other leaves or nodes are damaged: no path leads to the root
        path = []
    return Place(seq, leaf, head, tuple(path))


def _head(chosen: ledger.CosignedCheckpoint) -> Head:
    """What the note says, not what the columns beside it say; of a note that cannot be read nothing is signed."""
    signed_at = chosen.checkpoint.signed_at
    try:
        return Head.of_note(chosen.note, signed_at, chosen.cosigned)
    except InvalidNote:
        return Head(chosen.checkpoint.size, b"", chosen.note, signed_at)


def row_of_entry(organization: Organization, entry_id: UUID) -> CommittedRow | None:
    """What a session log's row gives of its leaf; None where it is no such row, or one that no entry has."""
    rows = SessionLog.objects.filter(organization_id=organization.id, id=entry_id).values_list(*ROW)
    found = rows.first()
    if found is None:
        return None
    return committed_row(found, organization.uid.hex, service_names(organization.id))


def is_row_of(organization: Organization, entry_id: UUID, leaf: bytes) -> bool:
    """Whether the row of a session log gives this leaf."""
    row = row_of_entry(organization, entry_id)
    return row is not None and row.gives(leaf)


def read_one_moment() -> None:
    """Make the transaction at hand read one snapshot, and sort in memory where that is small."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL work_mem = '64MB'")


def rows_of_entries(organization: Organization, size: int) -> Iterator[dict[str, Any]]:
    """What the first `size` leaves stand for, where it is still there, by seq; to be read within one transaction."""
    return merge(_records(organization, size), _statements(organization, size), key=itemgetter("seq"))


def _records(organization: Organization, size: int) -> Iterator[dict[str, Any]]:
    services, uid = service_names(organization.id), organization.uid.hex
    rows = SessionLog.objects.filter(organization_id=organization.id, seq__lt=size).order_by("seq")
    for row in rows.values_list(*ROW).iterator(_AT_ONCE):
        if (one := committed_row(row, uid, services)) is not None:
            columns = json.loads(one.columns)
            yield {"seq": one.seq, "kind": KIND_SESSION_LOG, "nonce": one.nonce.hex(), "columns": columns}


def _statements(organization: Organization, size: int) -> Iterator[dict[str, Any]]:
    rows = Statement.objects.filter(organization_id=organization.id, seq__lt=size).order_by("seq")
    for seq, body in rows.values_list("seq", "body").iterator(_AT_ONCE):
        yield {"seq": seq, "kind": KIND_STATEMENT, "statement": json.loads(bytes(body))}
