"""Looking is an act: what somebody searched and saw is itself a record, or the page is not shown."""

import hashlib
from typing import Any

from django.http import HttpRequest

from sessions_log import wiring
from sessions_log.authentication import client_address
from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.models import Organization

_LONGEST_AGENT = 1024


def actor(request: HttpRequest) -> Actor:
    """The person behind a request. The session is named by a hash: its key would let others in."""
    key = request.session.session_key or ""
    return Actor(
        user=request.user.get_username(),
        session=f"portal-{hashlib.sha256(key.encode()).hexdigest()[:32]}",
        address=client_address(request) or None,
        agent=request.headers.get("User-Agent", "")[:_LONGEST_AGENT] or None,
    )


def record_look(
    request: HttpRequest,
    organization: Organization,
    action: str,
    *,
    target: tuple[str, str],
    details: dict[str, Any] | None = None,
) -> None:
    """Record what is about to be shown. Raises what inbox and keyring raise; then nothing is shown."""
    ports = wiring.ports()
    look = PortalAction(
        action=action,
        actor=actor(request),
        organization_id=organization.pk,
        at=ports.clock(),
        target=target,
        details=details,
    )
    with ports.transaction():
        record_action(look, ports)
