"""What is stored of a ledger, read row by row for a verification."""

import base64
from collections.abc import Iterator
from datetime import UTC
from heapq import merge
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_log.domain.entries import OUTCOMES
from sessions_log.domain.entry_id import KIND_SESSION_LOG, hour_in
from sessions_log.domain.leaf import EntryColumns, canonical, leaf
from sessions_log.domain.merkle import TILE_LEVELS, Frontier, Node
from sessions_log.domain.sealing import PART_IDENTITY
from sessions_log.domain.signed_note import VerifierKey
from sessions_log.domain.statements import UnfitStatement, read_statement, statement_leaf
from sessions_log.domain.tiles import HIGHEST_LEVEL
from sessions_log.domain.verification import StoredEntry, StoredLedger, StoredNote
from sessions_log.models import (
    Checkpoint,
    LeafBundle,
    LeafTail,
    LedgerHead,
    Organization,
    Service,
    SessionLog,
    Statement,
    TreeNode,
)

_AT_ONCE = 5_000
_OUTCOME_NAMES = {number: name for name, number in OUTCOMES.items()}
_COLUMNS = (
    "seq", "id", "action", "address_id", "ai_model", "detectors", "duration", "findings", "hour", "outcome", "policy",
    "recorded_at", "sensitive", "service_id", "session_id", "subject_id", "target_id", "target_type", "timestamp",
    "nonce", "identity",
)  # fmt: skip


def as_of_one_moment() -> None:
    """Make the transaction at hand read one snapshot, and sort in memory where that is small."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL work_mem = '64MB'")


def stored_ledger(
    organization: Organization, keys: list[VerifierKey], kept: list[StoredNote], first_entry: int
) -> StoredLedger:
    """The ledger; to be read within one transaction.

    kept: checkpoints from elsewhere. first_entry: rows of entries before it are not read.
    """
    own = {"organization_id": organization.id}
    head = LedgerHead.objects.filter(**own).first()
    size = head.size if head else 0
    return StoredLedger(
        origins=frozenset(key.name for key in keys),
        head=_frontier(size, bytes(head.frontier) if head else b""),
        size=size,
        bundles=(
            (number, bytes(leaves))
            for number, leaves in LeafBundle.objects.filter(**own)
            .order_by("number").values_list("number", "leaves").iterator(256)
        ),
        tail=(
            (first_seq, bytes(leaves))
            for first_seq, leaves in LeafTail.objects.filter(**own)
            .order_by("first_seq").values_list("first_seq", "leaves").iterator(_AT_ONCE)
        ),
        nodes={level: _nodes(organization.id, level) for level in _levels()},
        entries=merge(
            _entries(organization, first_entry), _statements(organization, first_entry), key=attrgetter("seq", "id")
        ),
        first_entry=first_entry,
        notes=_notes(organization.id, kept),
        keys=keys,
    )  # fmt: skip


def _levels() -> list[int]:
    return [TILE_LEVELS * level for level in range(1, HIGHEST_LEVEL + 1)]


def _frontier(size: int, packed: bytes) -> Frontier | None:
    try:
        return Frontier.unpacked(size, packed)
    except ValueError:
        return None


def _nodes(organization_id: int, level: int) -> Iterator[Node]:
    rows = TreeNode.objects.filter(organization_id=organization_id, level=level).order_by("number")
    for number, hash_ in rows.values_list("number", "hash").iterator(_AT_ONCE):
        yield Node(level, number, bytes(hash_))


def _notes(organization_id: int, kept: list[StoredNote]) -> Iterator[StoredNote]:
    yield from kept
    stored = Checkpoint.objects.filter(organization_id=organization_id).order_by("id")
    for size, root, note in stored.values_list("size", "root", "note").iterator(_AT_ONCE):
        place = f"checkpoint of {size} entries"
        # The columns beside the note are what pages read: they must say what the note says.
        is_same = note.split("\n")[1:3] == [str(size), base64.b64encode(bytes(root)).decode()]
        yield StoredNote(place, note.encode() if is_same else b"")


def _entries(organization: Organization, first_entry: int) -> Iterator[StoredEntry]:
    services = dict(Service.objects.filter(organization_id=organization.id).values_list("id", "name"))
    rows = SessionLog.objects.filter(organization_id=organization.id, seq__gte=first_entry).order_by("seq", "id")
    for row in rows.values_list(*_COLUMNS).iterator(_AT_ONCE):
        yield StoredEntry(row[0], row[1], _leaf(row, organization.uid.hex, services))


def _statements(organization: Organization, first_entry: int) -> Iterator[StoredEntry]:
    rows = Statement.objects.filter(organization_id=organization.id, seq__gte=first_entry).order_by("seq")
    for own_id, seq, stated_at, of_type, body in rows.values_list("id", "seq", "stated_at", "type", "body").iterator():
        try:
            read = read_statement(bytes(body), organization.uid)
        except UnfitStatement:
            yield StoredEntry(seq, own_id, None)
            continue
        is_same = (read.id, read.stated_at, read.type) == (own_id.bytes, stated_at, of_type)
        yield StoredEntry(seq, own_id, statement_leaf(read.body) if is_same else None)


def _leaf(row: tuple[Any, ...], organization: str, services: dict[int, str]) -> bytes | None:
    (_, own_id, action, address, ai_model, detectors, duration, findings, hour, outcome, policy, recorded_at,
     sensitive, service, session, subject, target, target_type, timestamp, nonce, identity) = row  # fmt: skip
    if service not in services or outcome not in _OUTCOME_NAMES or identity is None or hour != hour_in(own_id):
        return None
    columns = EntryColumns(
        action, _hex(address), ai_model, detectors, duration, findings, own_id.hex, organization,
        _OUTCOME_NAMES[outcome], policy, recorded_at.astimezone(UTC), sensitive, services[service], session.hex,
        subject.hex, _hex(target), target_type, timestamp.astimezone(UTC),
    )  # fmt: skip
    return leaf(KIND_SESSION_LOG, bytes(nonce), canonical(columns), ((PART_IDENTITY, bytes(identity)),))


def _hex(reference: UUID | None) -> str | None:
    return reference.hex if reference is not None else None
