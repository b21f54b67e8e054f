"""From names to random ids: which subject, session, target and address a record is about."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sessions_log.domain import sealing
from sessions_log.domain.entries import Referred, digest_within
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.references import (
    ADDRESS,
    SESSION,
    SUBJECT,
    TARGET,
    NewReference,
    NewSubject,
    Reference,
    SubjectLinked,
    SubjectReference,
    Wanted,
    subject_lookup,
)
from sessions_log.domain.sealing import CannotOpen, PartCipher, ValueCipher
from sessions_log.domain.session_record import SessionRecord
from sessions_log.domain.session_record import Target as RecordTarget
from sessions_log.ports import EntriesRefused, EpochKeys, RecordingOrganization, References

MOST_KEPT = 50_000
Found = TypeVar("Found", Reference, SubjectReference)


@dataclass(frozen=True, slots=True)
class KnownSubject:
    """A subject whose key is at hand."""

    id: bytes
    cipher: PartCipher
    is_provisional: bool


@dataclass(slots=True)
class KnownSession:
    """A session and whom records in it belong to that name no user."""

    id: bytes
    subject: bytes


class OrganizationReferences:
    """The references of one organization, kept between batches and made on first sight.

    What it keeps holds only while the transactions that made it commit: after a failure it is thrown away. So it is
    when `organization` is not what it was: with its keys, or a subject, gone.
    """

    def __init__(self, organization: RecordingOrganization, keys: Sequence[EpochKeys]) -> None:
        """keys: of the organization's epochs in use, the present one first; what is new comes under its keys."""
        self.organization = organization
        self.organization_id = organization.id
        self.search_key = keys[0].search
        self._keys = {one.number: one for one in keys}
        self._wrapping = keys[0].wrapping
        self._values = ValueCipher(keys[0].wrapping)
        self._subjects: dict[str, bytes] = {}
        self._sessions: dict[str, KnownSession] = {}
        self._targets: dict[str, bytes] = {}
        self._addresses: dict[str, bytes] = {}
        self._known: dict[bytes, KnownSubject] = {}

    def refer(self, store: References, records: Sequence[SessionRecord]) -> list[Referred]:
        """The ids of each record; subjects' rows stay locked until the transaction ends.

        Raises SubjectGone, and EntriesRefused where the key of a subject does not open.
        """
        self._forget_when_large()
        wanted = Wanted(self.organization_id, self.organization.epoch)
        targets = [_target_value(record.target) for record in records]
        addresses = [record.ip_address or None for record in records]
        self._find(store, self._targets, TARGET, targets, wanted)
        self._find(store, self._addresses, ADDRESS, addresses, wanted)
        self._find_subjects(store, {record.user_id for record in records if record.user_id}, wanted)
        self._find_sessions(store, records, wanted)
        referred = [
            Referred(
                (subject := self._subject_of(record, wanted)).id,
                subject.cipher,
                self._sessions[record.session_id].id,
                self._targets[target] if target else None,
                self._addresses[address] if address else None,
            )
            for record, target, address in zip(records, targets, addresses, strict=True)
        ]
        self._hold(store, {one.subject for one in referred}, wanted)
        store.add(wanted)
        return referred

    def digest_of(self, store: References, subject: bytes, sealed: bytes | None, entry_id: bytes) -> bytes | None:
        """The fingerprint within a stored entry, or None where it cannot be opened any more (erased, purged)."""
        try:
            if sealed is None or not self._learn(store, {subject}):
                return None
            plain = self._known[subject].cipher.open(sealed, entry_id=entry_id, kind=KIND_SESSION_LOG)
        except (CannotOpen, EntriesRefused):
            return None
        return digest_within(plain)

    def _find(
        self,
        store: References,
        known: dict[str, bytes],
        table: str,
        values: Iterable[str | None],
        wanted: Wanted,
    ) -> None:
        """Make every value known: from the database, else new."""
        lookups = self._lookups(table, {value for value in values if value and value not in known})
        if not lookups:
            return
        found = store.find(self.organization_id, table, _flat(lookups))
        for value, (lookup, *_) in lookups.items():
            if (reference := _first(found, lookups[value])) is None:
                reference = Reference(uuid.uuid4().bytes)
                sealed = self._values.seal(value, row_id=reference.id, table=table)
                wanted.references.append(NewReference(table, reference.id, lookup, sealed))
            known[value] = reference.id

    def _find_subjects(self, store: References, users: set[str], wanted: Wanted) -> None:
        lookups = self._lookups(SUBJECT, {user for user in users if user not in self._subjects})
        if not lookups:
            return
        found = store.subjects(self.organization_id, _flat(lookups))
        for user, (lookup, *_) in lookups.items():
            if (reference := _first(found, lookups[user])) is None:
                self._subjects[user] = self._new_subject(lookup, user, False, wanted)
            else:
                self._subjects[user] = reference.id
                self._keep(reference)

    def _find_sessions(self, store: References, records: Sequence[SessionRecord], wanted: Wanted) -> None:
        unknown = {record.session_id for record in records if record.session_id not in self._sessions}
        lookups = self._lookups(SESSION, unknown)
        if not lookups:
            return
        found = store.sessions(self.organization_id, _flat(lookups))
        first_user: dict[str, str] = {}
        for record in records:
            if record.user_id:
                first_user.setdefault(record.session_id, record.user_id)
        for token, (lookup, *_) in lookups.items():
            reference = _first(found, lookups[token])
            if reference is not None and reference.subject is not None:
                self._sessions[token] = KnownSession(reference.id, reference.subject)
            else:
                self._sessions[token] = self._new_session(lookup, token, first_user.get(token), wanted)
        self._learn(store, {self._sessions[token].subject for token in lookups})

    def _subject_of(self, record: SessionRecord, wanted: Wanted) -> KnownSubject:
        session = self._sessions[record.session_id]
        if not record.user_id:
            return self._with_key(session.subject)
        subject = self._known[self._subjects[record.user_id]]
        of_session = self._known.get(session.subject)
        if of_session is not None and of_session.is_provisional:
            wanted.links.append(SubjectLinked(session.id, session.subject, subject.id))
            session.subject = subject.id
        return subject

    def _with_key(self, subject: bytes) -> KnownSubject:
        """The subject. Raises EntriesRefused where his key is gone and his session is still there: nobody does that."""
        if (known := self._known.get(subject)) is None:
            raise EntriesRefused("the subject of a session has no key")
        return known

    def _new_session(self, lookup: bytes, token: str, user: str | None, wanted: Wanted) -> KnownSession:
        session_id = uuid.uuid4().bytes
        if user is None:
            own = subject_lookup(self.search_key, token, is_provisional=True)
            subject = self._new_subject(own, token, True, wanted)
        else:
            subject = self._subjects[user]
        sealed = self._values.seal(token, row_id=session_id, table=SESSION)
        wanted.references.append(NewReference(SESSION, session_id, lookup, sealed, subject))
        return KnownSession(session_id, subject)

    def _new_subject(self, lookup: bytes, name: str, is_provisional: bool, wanted: Wanted) -> bytes:
        subject_id, key = uuid.uuid4().bytes, sealing.new_key()
        wanted.subjects.append(
            NewSubject(
                id=subject_id,
                lookup=lookup,
                # Under the subject's own key: with it, the name is gone too.
                sealed=ValueCipher(key).seal(name, row_id=subject_id, table=SUBJECT),
                is_provisional=is_provisional,
                part=sealing.PART_IDENTITY,
                wrapped=sealing.wrap(key, self._wrapping),
            )
        )
        cipher = PartCipher(key, sealing.PART_IDENTITY)
        self._known[subject_id] = KnownSubject(subject_id, cipher, is_provisional)
        return subject_id

    def _hold(self, store: References, subjects: set[bytes], wanted: Wanted) -> None:
        """Lock the subjects that exist already: none may lose its key between look-up and commit.

        Raises SubjectGone when one has; the batch is then done again from the start.
        """
        existing = subjects - {subject.id for subject in wanted.subjects}
        if existing and store.hold_subjects(list(existing)) != existing:
            raise SubjectGone

    def _learn(self, store: References, subjects: set[bytes]) -> bool:
        """Have the keys of subjects at hand; False when one of them has none any more."""
        unknown = [subject for subject in subjects if subject not in self._known]
        if unknown:
            for reference in store.subject_keys(unknown):
                self._keep(reference)
        return all(subject in self._known for subject in subjects)

    def _keep(self, reference: SubjectReference) -> None:
        try:
            key = sealing.unwrap(reference.wrapped, self._keys[reference.epoch].wrapping)
        except (CannotOpen, KeyError):  # KeyError: of an epoch that is over
            raise EntriesRefused("the key of a subject does not open") from None
        cipher = PartCipher(key, sealing.PART_IDENTITY)
        self._known[reference.id] = KnownSubject(reference.id, cipher, reference.is_provisional)

    def _lookups(self, table: str, values: set[str]) -> dict[str, list[bytes]]:
        """The keyed hashes of each value, one for each epoch in use, the present one's first."""
        return {value: [sealing.lookup(one.search, table, value) for one in self._keys.values()] for value in values}

    def _forget_when_large(self) -> None:
        kept: tuple[dict[Any, Any], ...] = (
            self._subjects, self._sessions, self._targets, self._addresses, self._known
        )  # fmt: skip
        if any(len(known) > MOST_KEPT for known in kept):
            for known in kept:
                known.clear()


class SubjectGone(Exception):
    """A subject lost its key after it was looked up."""


def _flat(lookups: dict[str, list[bytes]]) -> list[bytes]:
    return [lookup for own in lookups.values() for lookup in own]


def _first(found: Mapping[bytes, Found], lookups: Sequence[bytes]) -> Found | None:
    return next((found[lookup] for lookup in lookups if lookup in found), None)


def _target_value(target: RecordTarget | None) -> str | None:
    return f"{target.type}\x00{target.id}" if target else None
