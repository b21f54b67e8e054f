"""Parts of a stored ledger read and checked, on a connection of one's own: as well in another process as in this one.

Nothing here knows Django: a process that checks parts has begun its work when Django would still be starting.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection

from sessions_log.adapters.reference_reading import References
from sessions_log.domain.entries import OUTCOMES
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.leaf import EntryColumns, canonical, leaf
from sessions_log.domain.references import SUBJECT
from sessions_log.domain.sealing import PART_IDENTITY
from sessions_log.domain.statements import UnfitStatement, read_statement, statement_leaf
from sessions_log.domain.verification.leaves import CheckedPart, Part, StoredEntry, check_part
from sessions_log.domain.verification.opening import Keys, Opening, SealedEntry
from sessions_log.domain.verification.results import MOST_FAULTS, Fault

_OUTCOME_NAMES = {number: name for name, number in OUTCOMES.items()}
_SESSION_LOGS = """
SELECT seq, uuid_send(id), action, uuid_send(address_id), ai_model, detectors, duration, findings, hour, outcome,
    policy, recorded_at, sensitive, service_id, uuid_send(session_id), uuid_send(subject_id), uuid_send(target_id),
    target_type, "timestamp", nonce, identity
FROM sessions_log_sessionlog
WHERE organization_id = %(organization)s AND seq >= %(lowest)s AND seq < %(beyond)s ORDER BY seq, id
"""
_STATEMENTS = """
SELECT seq, uuid_send(id), stated_at, type, body FROM sessions_log_statement
WHERE organization_id = %(organization)s AND seq >= %(lowest)s AND seq < %(beyond)s ORDER BY seq
"""
_LOWEST, _BEYOND = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which ledger is read, and where; handed to other processes through a pipe, never stored.

    keys: where sealed parts are opened. erased: subjects whose keys an erasure destroyed.
    """

    conninfo: str = field(repr=False)
    snapshot: str
    organization_id: int
    organization: UUID
    services: dict[int, str]
    keys: Keys | None = None
    erased: frozenset[UUID] = frozenset()


class _Row(NamedTuple):
    """A session log as it is read; ids are 16 bytes."""

    seq: int
    id: bytes
    action: str
    address: bytes | None
    ai_model: str | None
    detectors: int
    duration: int | None
    findings: dict[str, int] | None
    hour: int
    outcome: int
    policy: int
    recorded_at: datetime
    sensitive: bool
    service: int
    session: bytes
    subject: bytes
    target: bytes | None
    target_type: str | None
    timestamp: datetime
    nonce: bytes
    identity: bytes | None


class PartReader:
    """Reads and checks the parts of one ledger, all of them as they were at one moment."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection = _of_one_moment(place)
        self._opening = Opening(place.keys) if place.keys else None
        self._references = References(self._connection, place.organization_id, place.erased)
        self._organization = place.organization.hex

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def check(self, part: Part) -> CheckedPart:
        """The part, checked."""
        read = _Read()
        rows = merge(self._session_logs(part, read), self._statements(part), key=attrgetter("seq", "id"))
        checked = check_part(part, self._bundles(part), self._tail(part), rows)
        checked.opened, checked.erased = read.opened, read.erased
        return checked

    def reference_faults(self, table: str) -> list[Fault]:
        """What is wrong with the organization's subjects, sessions, targets or addresses; the first MOST_FAULTS."""
        if self._opening is None:
            return []
        if table == SUBJECT:
            found = self._opening.subject_faults(self._references.all_subjects(), self._references.is_erased)
        else:
            found = self._opening.reference_faults(table, self._references.all_of(table))
        return list(islice(found, MOST_FAULTS))

    def _bundles(self, part: Part) -> list[tuple[int, bytes]]:
        """Those of the part, and with the last one all that lie beyond."""
        return self._connection.execute(
            "SELECT number, leaves FROM sessions_log_leafbundle"
            " WHERE organization_id = %s AND number >= %s AND number < %s",
            (self._place.organization_id, part.first, _BEYOND if part.is_last else part.end),
            binary=True,
        ).fetchall()

    def _tail(self, part: Part) -> list[tuple[int, bytes]]:
        if not part.is_last:
            return []
        return self._connection.execute(
            "SELECT first_seq, leaves FROM sessions_log_leaftail WHERE organization_id = %s ORDER BY first_seq",
            (self._place.organization_id,),
            binary=True,
        ).fetchall()

    def _rows(self, statement: str, part: Part) -> list[tuple[Any, ...]]:
        bounds = {
            "organization": self._place.organization_id,
            "lowest": _LOWEST if part.lowest is None else part.lowest,
            "beyond": _BEYOND if part.beyond is None else part.beyond,
        }
        return self._connection.execute(statement, bounds, binary=True).fetchall()

    def _session_logs(self, part: Part, read: "_Read") -> Iterator[StoredEntry]:
        rows = [_Row(*row) for row in self._rows(_SESSION_LOGS, part)]
        faults = self._opened(rows, read) if self._opening else [None] * len(rows)
        for row, fault in zip(rows, faults, strict=True):
            yield StoredEntry(row.seq, row.id, self._leaf(row), fault)

    def _statements(self, part: Part) -> Iterator[StoredEntry]:
        for seq, own_id, stated_at, of_type, body in self._rows(_STATEMENTS, part):
            try:
                statement = read_statement(body, self._place.organization)
            except UnfitStatement:
                yield StoredEntry(seq, own_id, None)
                continue
            is_same = (statement.id, statement.stated_at, statement.type) == (own_id, stated_at, of_type)
            yield StoredEntry(seq, own_id, statement_leaf(body) if is_same else None)

    def _leaf(self, row: _Row) -> bytes | None:
        service, outcome = self._place.services.get(row.service), _OUTCOME_NAMES.get(row.outcome)
        is_of_its_hour = row.hour == int.from_bytes(row.id[:6], "big") // 3_600_000
        if service is None or outcome is None or row.identity is None or not is_of_its_hour:
            return None
        columns = EntryColumns(
            row.action, _hex(row.address), row.ai_model, row.detectors, row.duration, row.findings, row.id.hex(),
            self._organization, outcome, row.policy, row.recorded_at, row.sensitive, service, row.session.hex(),
            row.subject.hex(), _hex(row.target), row.target_type, row.timestamp,
        )  # fmt: skip
        return leaf(KIND_SESSION_LOG, row.nonce, canonical(columns), ((PART_IDENTITY, row.identity),))

    def _opened(self, rows: list[_Row], read: "_Read") -> Iterator[str | None]:
        """What is wrong within each entry. A row without its sealed part gives no leaf: that is told there."""
        referred = self._references.of(
            {row.subject for row in rows},
            {row.session for row in rows},
            {row.target for row in rows if row.target},
            {row.address for row in rows if row.address},
        )
        for row in rows:
            if self._references.is_erased(row.subject):
                read.erased += 1
                yield None
            elif row.identity is None or self._opening is None:
                yield None
            else:
                read.opened += 1
                yield self._opening.entry_fault(_sealed(row, row.identity), referred)


@dataclass(slots=True)
class _Read:
    opened: int = 0
    erased: int = 0


def _sealed(row: _Row, identity: bytes) -> SealedEntry:
    return SealedEntry(
        row.id, row.timestamp, row.subject, row.session, row.target, row.address, row.target_type, row.ai_model,
        row.findings is not None, identity,
    )  # fmt: skip


def _of_one_moment(place: Place) -> Connection[Any]:
    """A connection that sees what another transaction sees, and changes nothing."""
    connection = psycopg.connect(place.conninfo, autocommit=True, connect_timeout=3, application_name="verify")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET work_mem = '64MB'")  # a part's rows are sorted in memory
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(f"SET TRANSACTION SNAPSHOT '{place.snapshot}'")
    return connection


def _hex(reference: bytes | None) -> str | None:
    return None if reference is None else reference.hex()
