"""Changing an organization's keys: a new epoch, into which what still lives is taken over row by row.

While that goes on both epochs' keys count, so nothing is ever out of reach; it may stop anywhere and be taken up again.
What was deleted before is not taken over: once the old keys are destroyed, every old copy of it is dead.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sessions_log.commands.portal import record_action
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.domain import sealing
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.domain.references import ADDRESS, SESSION, SUBJECT, TARGET, subject_lookup
from sessions_log.domain.sealing import CannotOpen, ValueCipher
from sessions_log.ports import EpochKeys, Ports, RecordingOrganization

ROWS_AT_ONCE = 500
_VALUES = (SESSION, TARGET, ADDRESS)


class WrappedKey(NamedTuple):
    """A subject's key for a part, as it is stored."""

    id: UUID
    part: int
    wrapped: bytes


class OldSubject(NamedTuple):
    """A subject under the old epoch's keys."""

    id: UUID
    is_provisional: bool
    sealed: bytes
    keys: list[WrappedKey]


class OldValue(NamedTuple):
    """A session, target or address under the old epoch's keys."""

    id: UUID
    sealed: bytes


class NewSubject(NamedTuple):
    """A subject under the new keys: `keys` holds the id and the wrapped form of each."""

    id: UUID
    lookup: bytes
    keys: list[tuple[UUID, bytes]]


class NewValue(NamedTuple):
    """A session, target or address under the new keys."""

    id: UUID
    lookup: bytes
    sealed: bytes


class OrganizationKeys(Protocol):
    """What stands under an organization's epoch keys. All of it works within the transaction at hand."""

    def lock(self, organization_id: int) -> RecordingOrganization:
        """The organization; until the transaction ends nobody else refers to its keys by writing."""

    def oldest_epoch(self, organization_id: int) -> int | None:
        """The lowest epoch that any row of the organization stands under, None where it has no rows."""

    def set_epochs(self, organization_id: int, epoch: int, old_epoch: int | None) -> None:
        """From now on these count."""

    def old_subjects(self, organization_id: int, epoch: int, after: UUID, most: int) -> list[OldSubject]:
        """Subjects under this epoch, by rising id from after that one on, at most so many."""

    def renew_subjects(self, epoch: int, subjects: Sequence[NewSubject]) -> None:
        """Put subjects under this epoch."""

    def old_values(self, table: str, organization_id: int, epoch: int, after: UUID, most: int) -> list[OldValue]:
        """Rows of sessions, targets or addresses under this epoch, by rising id, at most so many."""

    def renew_values(self, table: str, epoch: int, values: Sequence[NewValue]) -> None:
        """Put rows under this epoch."""


class CannotRotate(Exception):
    """A key or value does not open under the epoch that it says: it was changed. The old keys are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKeys:
    """Change an organization's keys; with `is_old_destroyed` destroy those of all epochs before."""

    organization_id: int
    is_old_destroyed: bool
    actor: Actor


@dataclass(slots=True)
class Rotated:
    """What a rotation came to: the new epoch, how many rows were taken over, which epochs' keys were destroyed."""

    epoch: int
    subjects: int = 0
    values: int = 0
    destroyed: tuple[int, ...] = ()


def rotate_keys(
    command: RotateKeys, store: OrganizationKeys, ports: Ports, told: Callable[[Rotated], None] = lambda _: None
) -> Rotated:
    """Begin a rotation, or take up the one that was begun; returns when it is finished.

    Where the old keys are to be destroyed, one that was taken up is followed by another: what was erased since the
    first one began stood under its new keys already.
    told: is given what was done so far, after each step. Short transactions: recording waits for one at most. Raises
    CannotRotate, KeyDestroyed, KeyringUnavailable; then it may be called again.
    """
    is_taken_up, organization = _begin(command, store, ports)
    done = _rotate(command, organization, store, ports, told)
    if not command.is_old_destroyed:
        return done
    if is_taken_up:
        _, organization = _begin(command, store, ports)
        done = _rotate(command, organization, store, ports, told)
    done.destroyed = _destroy_old(command, store, ports)
    return done


def _rotate(
    command: RotateKeys,
    organization: RecordingOrganization,
    store: OrganizationKeys,
    ports: Ports,
    told: Callable[[Rotated], None],
) -> Rotated:
    """From the old epoch to the present one."""
    keys = {number: ports.keyring.epoch(organization.uid, number) for number in organization.epochs()}
    old, new = keys[organization.epochs()[-1]], keys[organization.epoch]
    done = Rotated(organization.epoch)
    work = _TakingOver(command.organization_id, old, new, store, ports)
    for taken in work.subjects():
        done.subjects += taken
        told(done)
    for taken in (taken for table in _VALUES for taken in work.values(table)):
        done.values += taken
        told(done)
    _finish(command, organization, store, ports, done)
    return done


def _begin(command: RotateKeys, store: OrganizationKeys, ports: Ports) -> tuple[bool, RecordingOrganization]:
    """Whether one was under way already, and the organization with both its epochs."""
    with ports.transaction():
        organization = store.lock(command.organization_id)
        if organization.old_epoch is not None:
            return True, organization
        ports.keyring.make_epoch(organization.uid, organization.epoch + 1)
        store.set_epochs(organization.id, organization.epoch + 1, organization.epoch)
        return False, store.lock(command.organization_id)


@dataclass(frozen=True, slots=True)
class _TakingOver:
    """Takes rows over from the old epoch to the new one, some in each transaction; each method yields how many.

    One pass by rising id finds them all: what is added meanwhile comes under the new epoch.
    """

    organization_id: int
    old: EpochKeys
    new: EpochKeys
    store: OrganizationKeys
    ports: Ports

    def subjects(self) -> Iterator[int]:
        after = UUID(int=0)
        while True:
            with self.ports.transaction():
                self.store.lock(self.organization_id)
                rows = self.store.old_subjects(self.organization_id, self.old.number, after, ROWS_AT_ONCE)
                self.store.renew_subjects(self.new.number, [self._subject(one) for one in rows])
            if not rows:
                return
            after = rows[-1].id
            yield len(rows)

    def values(self, table: str) -> Iterator[int]:
        after = UUID(int=0)
        before, now = ValueCipher(self.old.wrapping), ValueCipher(self.new.wrapping)
        while True:
            with self.ports.transaction():
                self.store.lock(self.organization_id)
                rows = self.store.old_values(table, self.organization_id, self.old.number, after, ROWS_AT_ONCE)
                renewed = [self._value(table, row, before, now) for row in rows]
                self.store.renew_values(table, self.new.number, renewed)
            if not rows:
                return
            after = rows[-1].id
            yield len(rows)

    def _subject(self, subject: OldSubject) -> NewSubject:
        try:
            keys = {one.part: (one.id, sealing.unwrap(one.wrapped, self.old.wrapping)) for one in subject.keys}
            _, identity = keys[sealing.PART_IDENTITY]
            name = ValueCipher(identity).open(subject.sealed, row_id=subject.id.bytes, table=SUBJECT)
        except (CannotOpen, KeyError):
            raise self._does_not_open(f"subject {subject.id}") from None
        return NewSubject(
            subject.id,
            subject_lookup(self.new.search, name, is_provisional=subject.is_provisional),
            [(own_id, sealing.wrap(key, self.new.wrapping)) for own_id, key in keys.values()],
        )

    def _value(self, table: str, row: OldValue, before: ValueCipher, now: ValueCipher) -> NewValue:
        try:
            value = before.open(row.sealed, row_id=row.id.bytes, table=table)
        except CannotOpen:
            raise self._does_not_open(f"{table} {row.id}") from None
        lookup = sealing.lookup(self.new.search, table, value)
        return NewValue(row.id, lookup, now.seal(value, row_id=row.id.bytes, table=table))

    def _does_not_open(self, what: str) -> CannotRotate:
        return CannotRotate(f"{what} does not open under the keys of epoch {self.old.number}")


def _finish(
    command: RotateKeys, organization: RecordingOrganization, store: OrganizationKeys, ports: Ports, done: Rotated
) -> None:
    """Let the present epoch alone count. Whoever wrote under the old one had its lock before it was the old one."""
    with ports.transaction():
        if store.lock(organization.id).epochs() != organization.epochs():  # somebody else has finished meanwhile
            return
        store.set_epochs(organization.id, organization.epoch, None)
        details = {"keys": "epoch", "from": organization.old_epoch, "to": organization.epoch}
        _declare(command, {**details, "subjects": done.subjects, "values": done.values}, ports)


def _destroy_old(command: RotateKeys, store: OrganizationKeys, ports: Ports) -> tuple[int, ...]:
    """Destroy the keys of all epochs before the present one; stated and destroyed together, and again after a crash.

    Raises CannotRotate where anything stands under them: somebody else has begun another rotation, or changed a row.
    """
    with ports.transaction():
        organization = store.lock(command.organization_id)
        oldest = store.oldest_epoch(organization.id)
        if organization.old_epoch is not None or (oldest is not None and oldest < organization.epoch):
            raise CannotRotate("keys of an earlier epoch are in use still, so none is destroyed")
        old = tuple(range(1, organization.epoch))
        _declare(command, {"keys": "epoch", "destroyedBelow": organization.epoch}, ports)
        for number in old:
            ports.keyring.destroy_epoch(organization.uid, number)
    return old


def _declare(command: RotateKeys, details: dict[str, object], ports: Ports) -> None:
    """State it, and record who did it."""
    at: datetime = ports.clock()
    make_statement(
        MakeStatement(organization_id=command.organization_id, type="key-rotation", details=details, at=at), ports
    )
    record_action(
        PortalAction(
            action="admin.change",
            actor=command.actor,
            organization_id=command.organization_id,
            at=at,
            target=("keys", "epoch"),
            details=details,
        ),
        ports,
    )
