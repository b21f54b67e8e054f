"""Which service a request comes from: `Authorization: Bearer mun_…`."""

import threading
import time
from collections.abc import Callable

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from sessions_log.domain.service_key import KnownKey, matches, parse
from sessions_log.queries.service_keys import key_by_prefix

# Revocation bites within a second: no process trusts what it knows of a key for longer.
TRUSTED_FOR_S = 0.8
_MOST_KEPT = 10_000
_REFUSED = "The key is unknown, expired or revoked, or may not be used from this network."


class KeyCache:
    """What this process knows of keys, for TRUSTED_FOR_S. Safe for use by threads."""

    def __init__(self, load: Callable[[str], KnownKey | None]) -> None:
        self._load = load
        self._known: dict[str, tuple[float, KnownKey | None]] = {}
        self._lock = threading.Lock()

    def get(self, prefix: str) -> KnownKey | None:
        """The key of this prefix, or None."""
        known = self._known.get(prefix)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        with self._lock:  # one thread asks the database for all
            known = self._known.get(prefix)
            if known is None or known[0] <= time.monotonic():
                if len(self._known) > _MOST_KEPT:
                    self._known.clear()
                known = (time.monotonic() + TRUSTED_FOR_S, self._load(prefix))
                self._known[prefix] = known
        return known[1]


_keys = KeyCache(key_by_prefix)


class ServiceKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to None and `request.auth` to the KnownKey."""

    def authenticate(self, request: Request) -> tuple[None, KnownKey] | None:
        """The key, or None where no bearer token came. Raises AuthenticationFailed."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        parsed = parse(token.strip())
        if parsed is None:
            raise AuthenticationFailed("The bearer token is not a service key (mun_…).")
        prefix, secret = parsed
        key = _keys.get(prefix)
        if key is None or not matches(secret, key.secret_hash) or not key.is_usable(timezone.now()):
            raise AuthenticationFailed(_REFUSED)
        if key.allowed_networks and not key.allows(client_address(request._request)):
            raise AuthenticationFailed(_REFUSED)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="muniment"'


def client_address(request: HttpRequest) -> str:
    """The address the request came from; what named proxies say of it is in REMOTE_ADDR already.

    Forwarded headers are not looked at here: the step around the web process has settled and removed them.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    return address
