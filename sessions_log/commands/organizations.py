"""Organizations and their services."""

from dataclasses import dataclass

from sessions_log.commands.portal import record_action
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.domain.portal_action import PORTAL_SERVICE, Actor, PortalAction
from sessions_log.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganization:
    """slug: lower-case letters, digits and hyphens, unique."""

    slug: str
    name: str
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AddService:
    """name: lower-case letters, digits and hyphens, unique in its organization; it never changes."""

    organization_id: int
    name: str
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrganization:
    """What may change of an organization."""

    organization_id: int
    name: str
    accepts_back_days: int
    actor: Actor


class SlugTaken(ValueError):
    """There is an organization, or in this organization a service, of that name already."""


def create_organization(command: CreateOrganization, ports: Ports) -> int:
    """Create an organization with its keys and its service `portal`. Returns its id. Raises SlugTaken."""
    with ports.transaction():
        organization_id, uid = ports.organizations.add(command.slug, command.name)
        ports.keyring.make_organization(uid)
        ports.organizations.add_service(organization_id, PORTAL_SERVICE)
        _note("organization", command.slug, organization_id, command.actor, ports)
    return organization_id


def add_service(command: AddService, ports: Ports) -> int:
    """Add a service. Returns its id. Raises SlugTaken."""
    with ports.transaction():
        service_id = ports.organizations.add_service(command.organization_id, command.name)
        _note("service", command.name, command.organization_id, command.actor, ports)
    return service_id


def change_organization(command: ChangeOrganization, ports: Ports) -> None:
    """Change name or how far back records are taken. What is taken is policy: its change is stated in the ledger."""
    with ports.transaction():
        at = ports.clock()
        before = ports.organizations.change(command.organization_id, command.name, command.accepts_back_days)
        details = {
            "before": before,
            "after": {"name": command.name, "acceptsBackDays": command.accepts_back_days},
        }
        record_action(
            PortalAction(
                action="admin.change",
                actor=command.actor,
                organization_id=command.organization_id,
                at=at,
                target=("organization", str(command.organization_id)),
                details=details,
            ),
            ports,
        )
        if before["acceptsBackDays"] != command.accepts_back_days:
            changed = {"acceptsBackDays": {"from": before["acceptsBackDays"], "to": command.accepts_back_days}}
            make_statement(
                MakeStatement(organization_id=command.organization_id, type="policy", details=changed, at=at), ports
            )


def _note(kind: str, name: str, organization_id: int, actor: Actor, ports: Ports) -> None:
    record_action(
        PortalAction(
            action="admin.change",
            actor=actor,
            organization_id=organization_id,
            at=ports.clock(),
            target=(kind, name),
            details={"change": "added"},
        ),
        ports,
    )
