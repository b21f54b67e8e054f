"""Looking is an act: what somebody searched and saw is itself a record, or the page is not shown."""

from typing import Any

from django.http import HttpRequest

from sessions_log import wiring
from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import PortalAction
from sessions_log.forms.actors import actor
from sessions_log.models import Organization


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
