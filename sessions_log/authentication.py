"""Which service a request comes from: `Authorization: Bearer mun_…`."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest
from django.utils import timezone
from psycopg_pool import PoolTimeout
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from sessions_log.domain.service_key import KnownKey, matches, parse
from sessions_log.models import ServiceKey
from sessions_log.queries.service_keys import key_by_prefix
from sessions_log.serializers.problems import Problem

# Revocation bites within a second: no process trusts what it knows of a key for longer.
TRUSTED_FOR_S = 0.8
ASKED_FOR_S = 2.0
RETRY_AFTER_S = 2
NOTED_EVERY_S = 60.0
_MOST_KEPT = 10_000
_REFUSED = "The key is unknown, expired or revoked, or may not be used from this network."


class KeyCache:
    """What this process knows of keys, for TRUSTED_FOR_S. Safe for use by threads.

    The database is asked once for all who wait for a key, in a thread beside theirs: one that stands still then
    holds up no request for longer than ASKED_FOR_S.
    """

    def __init__(self, load: Callable[[str], KnownKey | None]) -> None:
        self._load = load
        self._known: dict[str, tuple[float, KnownKey | None]] = {}
        self._asked: dict[str, Future[KnownKey | None]] = {}
        self._lock = threading.Lock()
        self._askers = ThreadPoolExecutor(2, thread_name_prefix="keys")

    def get(self, prefix: str) -> KnownKey | None:
        """The key of this prefix, or None. Raises Problem (503) when the database does not answer in time."""
        known = self._known.get(prefix)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        with self._lock:
            asked = self._asked.get(prefix)
            if asked is None:
                asked = self._asked[prefix] = self._askers.submit(self._ask, prefix)
        try:
            return asked.result(ASKED_FOR_S)
        except TimeoutError:
            raise Problem(503, "The database does not answer now.", retry_after_s=RETRY_AFTER_S) from None

    def _ask(self, prefix: str) -> KnownKey | None:
        try:
            until = time.monotonic() + TRUSTED_FOR_S
            key = self._load(prefix)
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            self._known[prefix] = until, key
            return key
        finally:
            with self._lock:
                del self._asked[prefix]
            connection.close()  # this thread's own, back to the pool


class KeyUses:
    """Notes when keys were last used: to the minute, and beside the requests, none of which waits for it."""

    def __init__(self) -> None:
        self._noted: dict[UUID, float] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="key-uses")

    def note(self, key: KnownKey) -> None:
        """Note that the key is used now, unless that was done within the minute."""
        now = time.monotonic()
        if now - self._noted.get(key.id, -NOTED_EVERY_S) >= NOTED_EVERY_S:
            self._noted[key.id] = now
            self._writer.submit(self._write, key.id)

    def _write(self, key_id: UUID) -> None:
        try:
            ServiceKey.objects.filter(id=key_id).update(last_used_at=timezone.now())
        except (DatabaseError, InterfaceError, PoolTimeout):
            self._noted.pop(key_id, None)  # again at the next use
        finally:
            connection.close()


_keys = KeyCache(key_by_prefix)
_uses = KeyUses()


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
        _uses.note(key)
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
