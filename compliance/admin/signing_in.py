"""Signing in and out are records of the product itself, failed tries too."""

from django.http import HttpRequest

from sessions_log import wiring
from sessions_log.admin.looks import actor
from sessions_log.authentication import client_address
from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import PORTAL_ORGANIZATION, Actor, PortalAction
from sessions_log.domain.session_record import Outcome
from sessions_log.queries.organizations import organization_by_slug

_LONGEST_NAME = 256


def record_signing(request: HttpRequest, action: str) -> None:
    """Record that the signed-in person came or goes. Raises what inbox and keyring raise."""
    _record(action, actor(request), "success")


def record_failed_sign_in(request: HttpRequest) -> None:
    """Record that somebody was not let in, under the name he gave. Raises what inbox and keyring raise."""
    address = client_address(request)
    name = request.POST.get("username", "").strip()[:_LONGEST_NAME]
    who = Actor(user=name or "nobody", session=f"sign-in-from-{address}", address=address or None)
    _record("admin.sign_in_failed", who, "failure")


def _record(action: str, who: Actor, outcome: Outcome) -> None:
    product = organization_by_slug(PORTAL_ORGANIZATION)
    if product is None:
        return  # before the first set-up there is nobody who could sign in
    ports = wiring.ports()
    with ports.transaction():
        record_action(
            PortalAction(action=action, actor=who, organization_id=product.pk, at=ports.clock(), outcome=outcome),
            ports,
        )
