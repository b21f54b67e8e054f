"""Signing in and out are records of the product itself, failed tries too."""

from django.http import HttpRequest

from sessions_log import wiring
from sessions_log.commands.portal import record_action
from sessions_log.domain.portal_action import PORTAL_ORGANIZATION, Actor, PortalAction
from sessions_log.domain.session_record import Outcome
from sessions_log.forms.actors import actor, stranger
from sessions_log.queries.organizations import organization_by_slug


def record_signing(request: HttpRequest, action: str) -> None:
    """Record that the signed-in person comes or goes. Raises what inbox and keyring raise."""
    _record(action, actor(request), "success")


def record_failed_sign_in(request: HttpRequest) -> None:
    """Record that somebody was not let in. Raises what inbox and keyring raise."""
    _record("admin.sign_in_failed", stranger(request, request.POST.get("username", "")), "failure")


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
