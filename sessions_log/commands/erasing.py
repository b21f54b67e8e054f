"""Erasing a person: his key goes, and with it the sense of all that it sealed; the ledger stays whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from sessions_log.commands.portal import record_action
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.domain.references import subject_lookup
from sessions_log.ports import Ports, RecordingOrganization

# A day of the inbox is dropped, with its key, when two days have passed; not while a quarantined request waits in it,
# but after 30 days in any case.
INBOX_KEPT = timedelta(days=2)
QUARANTINE_KEPT = timedelta(days=30)
# A statement must fit into a leaf: of a person with many sessions before signing in there are several.
SUBJECTS_OF_A_STATEMENT = 1000


class NoSuchSubject(Exception):
    """The organization knows nobody under this user id."""


class PersonsBusy(Exception):
    """What keeps people's read models is at work for longer than an erasure may wait, since recording waits for it."""


class Holding(NamedTuple):
    """What is held of subjects: how many entries, and whether requests of anybody lie in quarantine."""

    entries: int
    has_quarantine: bool


class Gone(NamedTuple):
    """What went beside the keys: session tokens, and addresses and targets that nobody else's entries name."""

    sessions: int
    addresses: int
    targets: int


class Persons(Protocol):
    """People as subjects. All of it works within the transaction at hand."""

    def lock(self, organization_id: int) -> RecordingOrganization:
        """The organization; nothing is recorded of it until the transaction ends. Raises PersonsBusy.

        To be called before anything is written.
        """

    def subjects(self, organization_id: int, lookups: Sequence[bytes]) -> list[UUID]:
        """The subject of a person's lookup, then the provisional ones that turned out to be him."""

    def holding(self, organization_id: int, subjects: Sequence[UUID]) -> Holding:
        """What is held of them."""

    def erase(self, organization_id: int, subjects: Mapping[UUID, UUID], at: datetime) -> Gone:
        """Delete keys, names, lookups and what read models hold of them; put tombstones in their place.

        subjects: each with the statement that accounts for it.
        """


class ErasureStatement(NamedTuple):
    """What an erasure says of itself: the law in letters, digits and dashes; people by their random ids."""

    law: str
    requested_by: UUID
    approved_by: UUID
    is_console: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSubject:
    """Erase the person of this user id. Whoever calls has seen that it may be done."""

    organization_id: int
    user_id: str
    stated: ErasureStatement
    actor: Actor


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and from which day on no copy in the inbox can be opened any more.

    Copies in backups and in the write-ahead log die when the keys of `epoch` are destroyed (`rotate_keys`).
    """

    subjects: tuple[UUID, ...]
    entries: int
    gone: Gone
    inbox_until: date
    epoch: int
    statements: tuple[UUID, ...]


def erase_subject(command: EraseSubject, persons: Persons, ports: Ports) -> Erased:
    """Erase a person in one transaction, with the statement that accounts for him. Raises NoSuchSubject, PersonsBusy.

    His entries stay with times, actions and random ids, which nothing resolves any more; so does every proof. What
    comes in of him later is of a new subject.
    """
    with ports.transaction():
        organization = persons.lock(command.organization_id)
        keys = [ports.keyring.epoch(organization.uid, number) for number in organization.epochs()]
        lookups = [subject_lookup(one.search, command.user_id, is_provisional=False) for one in keys]
        subjects = persons.subjects(organization.id, lookups)
        if not subjects:
            raise NoSuchSubject("the organization knows no such user")
        return _erase(command, organization, subjects, persons, ports)


def _erase(
    command: EraseSubject,
    organization: RecordingOrganization,
    subjects: Sequence[UUID],
    persons: Persons,
    ports: Ports,
) -> Erased:
    at = ports.clock()
    entries, stated, inbox_until = 0, dict[UUID, UUID](), at.date()
    for begin in range(0, len(subjects), SUBJECTS_OF_A_STATEMENT):
        some = subjects[begin : begin + SUBJECTS_OF_A_STATEMENT]
        holding = persons.holding(organization.id, some)
        entries += holding.entries
        inbox_until = (at + (QUARANTINE_KEPT if holding.has_quarantine else INBOX_KEPT)).date()
        statement = _state(command, organization, some, holding, inbox_until, at, ports)
        stated |= dict.fromkeys(some, statement)
    gone = persons.erase(organization.id, stated, at)
    statements = tuple(dict.fromkeys(stated.values()))
    record_action(
        PortalAction(
            action="admin.change",
            actor=command.actor,
            organization_id=organization.id,
            at=at,
            target=("subject", str(subjects[0])),
            details={"erased": True, "statement": str(statements[0]), "law": command.stated.law},
        ),
        ports,
    )
    return Erased(tuple(subjects), entries, gone, inbox_until, organization.epoch, statements)


def _state(
    command: EraseSubject,
    organization: RecordingOrganization,
    subjects: Sequence[UUID],
    holding: Holding,
    inbox_until: date,
    at: datetime,
    ports: Ports,
) -> UUID:
    """The statement that accounts for these subjects."""
    details = {
        "approvedBy": command.stated.approved_by.hex,
        "console": command.stated.is_console,
        "entries": holding.entries,
        "epoch": organization.epoch,
        "inboxUntil": inbox_until.isoformat(),
        "law": command.stated.law,
        "parts": ["identity"],
        "requestedBy": command.stated.requested_by.hex,
        "subjects": [one.hex for one in subjects],
    }
    made = make_statement(MakeStatement(organization_id=organization.id, type="erasure", details=details, at=at), ports)
    return UUID(bytes=made.id)
