"""Subjects with their keys, sessions, targets and addresses, as a verification reads them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection, sql

from sessions_log.adapters.recorder_references import uuids
from sessions_log.domain.references import ADDRESS, SESSION, TARGET
from sessions_log.domain.verification.opening import Referred, StoredReference, StoredSubject

T = TypeVar("T", StoredSubject, StoredReference)
MOST_KEPT = 50_000
_AT_ONCE = 2_000
_SUBJECTS = sql.SQL(
    "SELECT uuid_send(r.id), r.epoch, r.lookup, r.sealed, r.is_provisional, k.epoch, k.wrapped"
    " FROM sessions_log_subject r LEFT JOIN sessions_log_subjectkey k ON k.subject_id = r.id AND k.part = 1"
    " WHERE r.organization_id = %s"
)


class References:
    """The rows that entries refer to. Those read last are kept."""

    def __init__(self, connection: Connection[Any], organization_id: int, erased: frozenset[UUID]) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._erased = frozenset(one.bytes for one in erased)
        self._subjects: dict[bytes, StoredSubject] = {}
        self._known: dict[str, dict[bytes, StoredReference]] = {SESSION: {}, TARGET: {}, ADDRESS: {}}

    def is_erased(self, own_id: bytes) -> bool:
        """Whether an erasure accounts for a subject's missing key."""
        return own_id in self._erased

    def of(self, subjects: set[bytes], sessions: set[bytes], targets: set[bytes], addresses: set[bytes]) -> Referred:
        """The rows of these ids, as far as there are any."""
        self._learn(self._subjects, subjects, self._read_subjects)
        for table, ids in ((SESSION, sessions), (TARGET, targets), (ADDRESS, addresses)):
            self._learn(self._known[table], ids, partial(self._read, table))
        return Referred(self._subjects, self._known[SESSION], self._known[TARGET], self._known[ADDRESS])

    def _learn(self, known: dict[bytes, T], wanted: set[bytes], read: Callable[[list[bytes]], Iterator[T]]) -> None:
        if len(known) > MOST_KEPT:
            known.clear()
        if missing := [one for one in wanted if one not in known]:
            known.update((row.id, row) for row in read(missing))

    def all_subjects(self) -> Iterator[StoredSubject]:
        """Every subject of the organization."""
        return (StoredSubject(*row) for row in self._stream(_SUBJECTS))

    def all_of(self, table: str) -> Iterator[StoredReference]:
        """Every session, target or address of the organization."""
        return (StoredReference(*row) for row in self._stream(_select(table)))

    def _read_subjects(self, ids: list[bytes]) -> Iterator[StoredSubject]:
        return (StoredSubject(*row) for row in self._by_id(_SUBJECTS, ids))

    def _read(self, table: str, ids: list[bytes]) -> Iterator[StoredReference]:
        return (StoredReference(*row) for row in self._by_id(_select(table), ids))

    def _by_id(self, statement: sql.SQL | sql.Composed, ids: list[bytes]) -> Iterator[tuple[Any, ...]]:
        whole = statement + sql.SQL(" AND r.id = ANY(%s::uuid[])")
        return iter(self._connection.execute(whole, (self._organization_id, uuids(ids)), binary=True))

    def _stream(self, statement: sql.SQL | sql.Composed) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor(name="references") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(statement, (self._organization_id,), binary=True)
            yield from cursor


def _select(table: str) -> sql.Composed:
    subject = sql.SQL(", uuid_send(r.subject_id)" if table == SESSION else "")
    statement = sql.SQL("SELECT uuid_send(r.id), r.epoch, r.lookup, r.sealed{} FROM {} r WHERE r.organization_id = %s")
    return statement.format(subject, sql.Identifier(f"sessions_log_{table}"))
