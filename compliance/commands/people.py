"""People and their rights."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from compliance.domain.rights import RIGHTS
from compliance.ports import Ports
from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import Actor, PortalAction

SHORTEST_REASON = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPerson:
    """Somebody who may sign in; organization_id is where the deed is recorded."""

    email: str
    password: str
    name: str
    organization_id: int
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRight:
    """A right on an organization, with its reason and, where it has one, its end."""

    holder: UUID
    right: str
    organization_id: int
    reason: str
    actor: Actor
    ends_at: datetime | None = None


class EmailTaken(ValueError):
    """Somebody has this address already."""


class UnknownRight(ValueError):
    """There is no such right."""


class NoReason(ValueError):
    """A right is not given without a reason."""


def add_person(command: AddPerson, ports: Ports) -> UUID:
    """Store a person, who has no right yet. Raises EmailTaken."""
    with ports.records.transaction():
        person = ports.people.add(command.email, command.password, command.name)
        _note("user.create", command.organization_id, ("user", str(person)), command.actor, {}, ports)
    return person


def give_right(command: GiveRight, ports: Ports) -> None:
    """Store a grant. Raises UnknownRight, NoReason."""
    if command.right not in RIGHTS:
        raise UnknownRight(f"there is no right {command.right!r}; there are {', '.join(RIGHTS)}")
    if len(command.reason.strip()) < SHORTEST_REASON:
        raise NoReason(f"the reason needs at least {SHORTEST_REASON} characters")
    with ports.records.transaction():
        ports.people.grant(
            command.holder,
            command.right,
            command.organization_id,
            command.reason,
            command.actor.user,
            command.ends_at,
        )
        details = {"right": command.right, "reason": command.reason}
        _note(
            "permission.grant",
            command.organization_id,
            ("user", str(command.holder)),
            command.actor,
            details,
            ports,
        )


def _note(
    action: str,
    organization_id: int,
    target: tuple[str, str],
    actor: Actor,
    details: dict[str, str],
    ports: Ports,
) -> None:
    record_action(
        PortalAction(
            action=action,
            actor=actor,
            organization_id=organization_id,
            at=ports.records.clock(),
            target=target,
            details=dict(details),
        ),
        ports.records,
    )
