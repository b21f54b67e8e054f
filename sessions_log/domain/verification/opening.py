"""What only keys can tell: that sealed parts open, and that what is in them is what their entries refer to.

Leaves commit to random ids. Whom an id means stands in the tables of references, sealed and under a keyed hash; there
nothing but this would notice a change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

from sessions_log.domain import entry_id, sealing
from sessions_log.domain.entries import IdentityPart, decode_identity
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.references import ADDRESS, SESSION, SUBJECT, TARGET, subject_lookup
from sessions_log.domain.sealing import CannotOpen, PartCipher, ValueCipher
from sessions_log.domain.verification.results import Fault

_MOST_KEPT = 50_000


class SealedEntry(NamedTuple):
    """What an entry's row says in plain beside its sealed part; ids are 16 bytes."""

    id: bytes
    timestamp: datetime
    subject: bytes
    session: bytes
    target: bytes | None
    address: bytes | None
    target_type: str | None
    ai_model: str | None
    is_redacted: bool
    identity: bytes


class StoredSubject(NamedTuple):
    """A subject's row with its wrapped key for the identity part, None where the key is gone."""

    id: bytes
    epoch: int
    lookup: bytes
    sealed: bytes
    is_provisional: bool
    key_epoch: int | None
    wrapped: bytes | None


class StoredReference(NamedTuple):
    """The row of a session, target or address; `subject` is a session's."""

    id: bytes
    epoch: int
    lookup: bytes
    sealed: bytes
    subject: bytes | None = None


class Wrong(Exception):
    """Something does not fit; the message says what, without values."""


@dataclass(frozen=True, slots=True)
class Keys:
    """An organization's keys: for ids, and by epoch for wrapping and for lookups. Never shown."""

    id_key: bytes = field(repr=False)
    wrapping: Mapping[int, bytes] = field(repr=False)
    search: Mapping[int, bytes] = field(repr=False)


class Referred(NamedTuple):
    """The rows that the entries at hand refer to, by id."""

    subjects: Mapping[bytes, StoredSubject]
    sessions: Mapping[bytes, StoredReference]
    targets: Mapping[bytes, StoredReference]
    addresses: Mapping[bytes, StoredReference]


class Opening:
    """Opens the entries and references of one organization, as of one moment: what was seen once, holds."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._values = {epoch: ValueCipher(key) for epoch, key in keys.wrapping.items()}
        self._ciphers: dict[tuple[int | None, bytes | None], PartCipher] = {}
        self._agreed: dict[bytes, str] = {}  # by the id of a row: the value that it was seen to stand for

    def entry_fault(self, entry: SealedEntry, referred: Referred) -> str | None:
        """What is wrong with an entry, None where all of it fits."""
        try:
            subject = referred.subjects.get(entry.subject)
            if subject is None or subject.wrapped is None:
                raise Wrong("the key of its subject is gone, and no erasure accounts for it")
            identity = self._opened(entry, subject)
            self._check_own_id(entry, identity)
            self._check_subject(subject, referred.sessions.get(entry.session), identity)
            self._check_reference(SESSION, referred.sessions, entry.session, identity.session)
            self._check_reference(ADDRESS, referred.addresses, entry.address, identity.address or None)
            self._check_target(entry, identity, referred.targets)
            if entry.ai_model is not None and identity.ai_model is not None:
                raise Wrong("it names an AI model both in plain and in its sealed part")
        except Wrong as wrong:
            return str(wrong)
        return None

    def subject_faults(self, subjects: Iterable[StoredSubject], is_erased: Callable[[bytes], bool]) -> Iterable[Fault]:
        """Subjects whose key does not open, whose name is another's, or whose key is gone without an erasure."""
        for one in subjects:
            if fault := self._subject_fault(one, is_erased(one.id)):
                yield Fault(f"subject {entry_id.text(one.id)}", fault)

    def reference_faults(self, table: str, rows: Iterable[StoredReference]) -> Iterable[Fault]:
        """Sessions, targets or addresses whose lookup is not that of their value."""
        for one in rows:
            try:
                values = self._values.get(one.epoch)
                if values is None:
                    raise Wrong("the keys of its epoch are gone")
                value = self._value(values, one.sealed, one.id, table)
                if not self._is_lookup(one, table, value):
                    raise Wrong("its lookup is not that of its value")
            except Wrong as wrong:
                yield Fault(f"{table} {entry_id.text(one.id)}", str(wrong))

    def _opened(self, entry: SealedEntry, subject: StoredSubject) -> IdentityPart:
        try:
            plain = self._cipher(subject).open(entry.identity, entry_id=entry.id, kind=KIND_SESSION_LOG)
            return decode_identity(plain)
        except CannotOpen:
            raise Wrong("its sealed part does not open under its subject's key") from None
        except (msgspec.MsgspecError, ValueError):
            raise Wrong("its sealed part cannot be read") from None

    def _check_own_id(self, entry: SealedEntry, identity: IdentityPart) -> None:
        if identity.id is not None:
            own = entry_id.from_client_id(entry.timestamp, KIND_SESSION_LOG, identity.id, self._keys.id_key)
            if own != entry.id:
                raise Wrong("its id is not that of the record in its sealed part")
        elif int.from_bytes(entry.id[:6], "big") != entry_id.milliseconds(entry.timestamp):
            raise Wrong("its id is not of its time")

    def _check_subject(self, subject: StoredSubject, session: StoredReference | None, identity: IdentityPart) -> None:
        """Without a user, a record is its session's: of that session alone, or of the first user seen in it."""
        if identity.user is not None:
            is_own = not subject.is_provisional and self._is_lookup(subject, SUBJECT, identity.user)
        elif subject.is_provisional:
            is_own = self._is_lookup(subject, SUBJECT, identity.session)
        else:
            is_own = session is None or session.subject == subject.id
        if not is_own:
            raise Wrong("its subject is not the user in its sealed part")

    def _check_reference(
        self, table: str, rows: Mapping[bytes, StoredReference], reference: bytes | None, value: str | None
    ) -> None:
        if reference is None and value is None:
            return
        row = rows.get(reference) if reference is not None else None
        if row is None or value is None or not self._is_lookup(row, table, value):
            raise Wrong(f"its {table} is not the one in its sealed part")

    def _check_target(self, entry: SealedEntry, identity: IdentityPart, rows: Mapping[bytes, StoredReference]) -> None:
        if entry.target_type is not None and identity.target_type is not None:
            raise Wrong("it names a type of target both in plain and in its sealed part")
        if entry.is_redacted and identity.target_type is not None and entry.target in rows:
            return  # its lookup is of the type as it was before something in it was redacted
        of_type = entry.target_type if entry.target_type is not None else identity.target_type
        value = None if identity.target is None else f"{of_type}\x00{identity.target}"
        self._check_reference(TARGET, rows, entry.target, value)

    def _subject_fault(self, subject: StoredSubject, is_erased: bool) -> str | None:
        if subject.wrapped is None:
            return None if is_erased else "its key is gone, and no erasure accounts for it"
        if is_erased:
            return "it was erased, and its key is still there"
        try:
            key = self._key(subject)
            name = self._value(ValueCipher(key), subject.sealed, subject.id, SUBJECT)
            if not self._is_lookup(subject, SUBJECT, name):
                raise Wrong("its lookup is not that of its name")
        except Wrong as wrong:
            return str(wrong)
        return None

    def _cipher(self, subject: StoredSubject) -> PartCipher:
        """Kept by the wrapped key itself: another one is another cipher."""
        place = subject.key_epoch, subject.wrapped
        cipher = self._ciphers.get(place)
        if cipher is None:
            cipher = PartCipher(self._key(subject), sealing.PART_IDENTITY)
            if len(self._ciphers) >= _MOST_KEPT:
                self._ciphers.clear()
            self._ciphers[place] = cipher
        return cipher

    def _key(self, subject: StoredSubject) -> bytes:
        wrapping = self._keys.wrapping.get(subject.key_epoch or 0)
        if wrapping is None or subject.wrapped is None:
            raise Wrong("the epoch of its subject's key is over")
        try:
            return sealing.unwrap(subject.wrapped, wrapping)
        except CannotOpen:
            raise Wrong("its subject's key does not open under its epoch's key") from None

    def _value(self, cipher: ValueCipher, sealed: bytes, row_id: bytes, table: str) -> str:
        try:
            return cipher.open(sealed, row_id=row_id, table=table)
        except CannotOpen:
            raise Wrong("its sealed value does not open") from None

    def _is_lookup(self, row: StoredSubject | StoredReference, table: str, value: str) -> bool:
        """Whether a row stands for this value. Most entries ask what others asked before: that is kept."""
        if self._agreed.get(row.id) == value:
            return True
        search = self._keys.search.get(row.epoch)
        if search is None:
            return False
        if isinstance(row, StoredSubject):
            own = subject_lookup(search, value, is_provisional=row.is_provisional)
        else:
            own = sealing.lookup(search, table, value)
        if own != row.lookup:
            return False
        if len(self._agreed) >= _MOST_KEPT:
            self._agreed.clear()
        self._agreed[row.id] = value
        return True
