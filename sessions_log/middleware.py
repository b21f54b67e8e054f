"""Around every request: an id for its log lines, and an answer in bounded time when the database is away."""

import logging
import secrets
from collections.abc import Callable
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.template.loader import render_to_string
from psycopg_pool import PoolTimeout

from sessions_log.domain.deadline import deadline_in
from sessions_log.domain.request_id import current_request_id
from sessions_log.ports import KeyringUnavailable
from sessions_log.serializers.problems import Problem, problem_response

_Chain = Callable[[HttpRequest], HttpResponse]
_log = logging.getLogger("muniment.web")
RETRY_AFTER_S = 2
DATABASE_WITHIN_S = 10.0
FOR_PROGRAMS = ("/api/", "/healthz/")
KEY_IN_THE_CLEAR = "Keys are taken over https only. This one has travelled in the clear: have it replaced."


def request_id(get_response: _Chain) -> _Chain:
    """Give the request an id of our own; a caller's would be his text in our log."""

    def middleware(request: HttpRequest) -> HttpResponse:
        own = secrets.token_hex(8)
        token = current_request_id.set(own)
        try:
            response = get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-Id"] = own
        return response

    return middleware


def api_headers(get_response: _Chain) -> _Chain:
    """What an answer to a program needs of the browser's protections."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response

    return middleware


def known_host(get_response: _Chain) -> _Chain:
    """Answer for our own hosts alone, as Django does wherever an address is built."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            return problem_response(Problem(400, "This is not a host that is served here."))
        return get_response(request)

    return middleware


class options:  # noqa: N801 -- named like the functions beside it; Django looks for process_view
    """OPTIONS is answered without a key: the methods of the address, and nothing that lets other sites in (no CORS)."""

    def __init__(self, get_response: _Chain) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: object) -> HttpResponse | None:
        """204 with Allow, or None for any other method."""
        if request.method != "OPTIONS":
            return None
        allowed = [name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)]
        if "GET" in allowed:
            allowed.append("HEAD")
        return HttpResponse(status=204, headers={"Allow": ", ".join(allowed)})


class KeysOverHttpsOnly(SecurityMiddleware):
    """For programs, where the public address is https: Django's security headers, and no redirect.

    A redirect would let a client go on sending its key in the clear first (ASVS 4.1.2). Probes bring no key.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:  # type: ignore[override]  # as Django calls it
        """403 for a key that came in the clear."""
        if "HTTP_AUTHORIZATION" in request.META and not request.is_secure():
            return problem_response(Problem(403, KEY_IN_THE_CLEAR))
        return None


class database_errors:  # noqa: N801 -- named like the functions beside it; Django looks for process_exception
    """503 with Retry-After in place of 500 when the database is down, full, slow or out of connections.

    So it is when the keyring cannot be reached, without which nothing can be found or opened.
    """

    def __init__(self, get_response: _Chain) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; what waits longer for the database is answered as if it were down."""
        with deadline_in(DATABASE_WITHIN_S):
            return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The 503, or None for any other error."""
        if isinstance(error, KeyringUnavailable):
            missing = "keyring"
        elif isinstance(error, (DatabaseError, InterfaceError, PoolTimeout)):
            missing = "database"
        else:
            return None
        _log.warning("%s unavailable (%s)", missing, type(error).__name__)
        if request.path.startswith(FOR_PROGRAMS):
            return problem_response(Problem(503, f"The {missing} is not available now.", retry_after_s=RETRY_AFTER_S))
        page = render_to_string("503.html", {"missing": missing})
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
