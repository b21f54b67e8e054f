"""The person behind a request of the portal, as commands and records name him."""

import hashlib

from django.http import HttpRequest

from sessions_log.authentication import client_address
from sessions_log.domain.portal_action import Actor

_LONGEST_AGENT = 1024
_LONGEST_NAME = 256


def actor(request: HttpRequest) -> Actor:
    """Who is signed in. The session is named by a hash: its key would let others in."""
    key = request.session.session_key or ""
    return Actor(
        user=request.user.get_username(),
        session=f"portal-{hashlib.sha256(key.encode()).hexdigest()[:32]}",
        address=client_address(request) or None,
        agent=request.headers.get("User-Agent", "")[:_LONGEST_AGENT] or None,
    )


def stranger(request: HttpRequest, name: str) -> Actor:
    """Somebody who is not signed in, under the name he gave."""
    address = client_address(request)
    return Actor(
        user=name.strip()[:_LONGEST_NAME] or "nobody",
        session=f"sign-in-from-{address}",
        address=address or None,
        agent=request.headers.get("User-Agent", "")[:_LONGEST_AGENT] or None,
    )
