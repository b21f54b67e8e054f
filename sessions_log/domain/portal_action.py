"""What the product's own people, commands and jobs do: records like any other, sent by the service `portal`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sessions_log.domain.session_record import Outcome, SessionRecord, Target, metadata_text

PORTAL_SERVICE = "portal"
PORTAL_ORGANIZATION = "portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person of the portal, or the operating-system user behind a command."""

    user: str
    session: str
    address: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalAction:
    """One thing done; `details` are sealed with the record."""

    action: str
    actor: Actor
    organization_id: int
    at: datetime
    target: tuple[str, str] | None = None
    outcome: Outcome = "success"
    details: dict[str, Any] | None = None


def portal_record(action: PortalAction) -> SessionRecord:
    """The record of an action."""
    return SessionRecord(
        id=str(uuid4()),
        session_id=action.actor.session,
        user_id=action.actor.user,
        timestamp=action.at,
        action=action.action,
        metadata=metadata_text(action.details),
        ip_address=action.actor.address,
        user_agent=action.actor.agent,
        outcome=action.outcome,
        target=Target(*action.target) if action.target else None,
    )
