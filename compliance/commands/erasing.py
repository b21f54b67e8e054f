"""Erasing a person on the word of two people who may."""

from dataclasses import dataclass
from uuid import UUID

from compliance.domain.grounds import GROUNDS
from compliance.ports import Ports
from sessions_log.commands.erasing import Erased, EraseSubject, ErasureStatement, erase_subject
from sessions_log.domain.portal_action import Actor

PRIVACY = "privacy"


class ApprovalMissing(Exception):
    """The erasure has not been asked for and approved by two people who may; the message says what is wanting."""


class UnknownGround(ValueError):
    """The law knows no such ground, as far as this version does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseOnTwoNames:
    """Erase the person of this user id: one holder of the right `privacy` asks, another approves (by e-mail address).

    On the console nobody has signed in, so the statement marks it.
    """

    organization_id: int
    user_id: str
    ground: str
    requested_by: str
    approved_by: str
    actor: Actor


def erase_on_two_names(command: EraseOnTwoNames, ports: Ports) -> Erased:
    """Erase him. Raises ApprovalMissing, UnknownGround, NoSuchSubject; then nothing is erased."""
    if command.ground not in GROUNDS:
        raise UnknownGround(f"there is no ground {command.ground!r}; there are {', '.join(GROUNDS)}")
    with ports.records.transaction():
        asking = _holder("requested-by", command.requested_by, command, ports)
        approving = _holder("approved-by", command.approved_by, command, ports)
        if asking == approving:
            raise ApprovalMissing("who approves must be another person than who asks")
        stated = ErasureStatement(command.ground, asking, approving, is_console=True)
        return erase_subject(
            EraseSubject(
                organization_id=command.organization_id,
                user_id=command.user_id,
                stated=stated,
                actor=command.actor,
            ),
            ports.persons,
            ports.records,
        )


def _holder(role: str, email: str, command: EraseOnTwoNames, ports: Ports) -> UUID:
    holder = ports.people.holder(email, PRIVACY, command.organization_id, ports.records.clock())
    if holder is None:
        raise ApprovalMissing(f"{role}: nobody of this address holds the right {PRIVACY} on the organization")
    return holder
