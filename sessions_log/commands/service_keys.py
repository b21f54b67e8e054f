"""Service keys: issued, rotated, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.domain.service_key import NewKey, checked_networks, checked_scopes, new_key
from sessions_log.ports import Ports

USUAL_RECORDS_PER_MINUTE = 600_000
MOST_RECORDS_PER_MINUTE = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey:
    """A key for a service. Without networks it may be used from anywhere, without an end until it is revoked."""

    service_id: int
    scopes: tuple[str, ...]
    actor: Actor
    expires_at: datetime | None = None
    allowed_networks: tuple[str, ...] = ()
    records_per_minute: int = USUAL_RECORDS_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKey:
    """A new key like the old one, which stays usable for `overlap`."""

    key_id: UUID
    overlap: timedelta
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """The end of a key."""

    key_id: UUID
    actor: Actor


class KeyNotUsable(ValueError):
    """The key is unknown, or revoked already."""


class ReservedService(ValueError):
    """The product's own service has no keys: with one, anybody could write in its name."""


class NoScope(ValueError):
    """A key without any scope would be of no use."""


def issue_key(command: IssueKey, ports: Ports) -> str:
    """Make a key. Returns its token, which is nowhere kept.

    Raises UnknownScope, UnknownNetwork, NoScope, ReservedService.
    """
    scopes = checked_scopes(command.scopes)
    if not scopes:
        raise NoScope("a key needs at least one scope")
    networks = checked_networks(command.allowed_networks)
    limit = max(1, min(command.records_per_minute, MOST_RECORDS_PER_MINUTE))
    key = new_key()
    with ports.transaction():
        organization_id = ports.service_keys.add(command.service_id, key, scopes, command.expires_at, networks, limit)
        _note("issued", key.prefix, organization_id, command.actor, ports)
    return key.token


def rotate_key(command: RotateKey, ports: Ports) -> str:
    """Replace a key; both work until the overlap ends. Returns the new token. Raises KeyNotUsable."""
    key: NewKey = new_key()
    with ports.transaction():
        ends = ports.clock() + command.overlap
        found = ports.service_keys.replace(command.key_id, key, ends)
        if found is None:
            raise KeyNotUsable("the key is unknown or revoked")
        _note("rotated", key.prefix, found, command.actor, ports)
    return key.token


def revoke_key(command: RevokeKey, ports: Ports) -> None:
    """End a key; no process accepts it for longer than a second. Raises KeyNotUsable."""
    with ports.transaction():
        found = ports.service_keys.revoke(command.key_id, ports.clock())
        if found is None:
            raise KeyNotUsable("the key is unknown or revoked already")
        organization_id, prefix = found
        _note("revoked", prefix, organization_id, command.actor, ports)


def _note(change: str, prefix: str, organization_id: int, actor: Actor, ports: Ports) -> None:
    record_action(
        PortalAction(
            action="admin.change",
            actor=actor,
            organization_id=organization_id,
            at=ports.clock(),
            target=("service_key", prefix),
            details={"change": change},
        ),
        ports,
    )
