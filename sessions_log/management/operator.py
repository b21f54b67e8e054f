"""Who runs a command: the operating-system user, for the record that each command leaves."""

import getpass
import os
import socket
import sys
import uuid

from sessions_log import wiring
from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import PORTAL_ORGANIZATION, Actor, PortalAction
from sessions_log.queries.organizations import organization_by_slug


def operator() -> Actor:
    """The person at the terminal, as far as the operating system knows; sudo's caller, where it was sudo."""
    name = os.environ.get("SUDO_USER") or _own_name()
    return Actor(user=f"{name}@{socket.gethostname()}", session=f"command-{uuid.uuid4()}", agent=_program())


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the number may have no name; Python 3.13 raises OSError
        return f"uid-{os.getuid()}"


def record_command(actor: Actor, organization_id: int | None, details: dict[str, object]) -> None:
    """Record that a command was run on an organization; on the product's own where it is None."""
    if organization_id is None:
        portal = organization_by_slug(PORTAL_ORGANIZATION)
        if portal is None:  # nothing is set up yet
            return
        organization_id = portal.id
    ports = wiring.ports()
    action = PortalAction(
        action="admin.command",
        actor=actor,
        organization_id=organization_id,
        at=ports.clock(),
        target=("command", _name()),
        details=details,
    )
    with ports.transaction():
        record_action(action, ports)


def _program() -> str:
    return f"manage.py {_name()}"


def _name() -> str:
    return sys.argv[1] if len(sys.argv) > 1 else "?"
