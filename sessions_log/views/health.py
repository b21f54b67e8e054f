"""`/healthz/live` and `/healthz/ready`: for whatever starts, stops and routes to the processes."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from psycopg_pool import PoolTimeout
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_log import wiring
from sessions_log.domain.deadline import deadline_in
from sessions_log.ports import KeyringUnavailable
from sessions_log.queries.health import Check, checks, takes_connections
from sessions_log.serializers.schema import read_live, read_ready

USUALLY_WITHIN_S = 0.3
LOOKED_FOR_S = 3.0
_AWAY = Check("PostgreSQL", False, "cannot be reached")
_looking = ThreadPoolExecutor(1, thread_name_prefix="readiness")


class _Open(APIView):
    """Answered without a key; says nothing of records."""

    authentication_classes = ()
    permission_classes = ()


class LiveView(_Open):
    """The process answers."""

    @read_live
    def get(self, request: Request) -> Response:
        """Always 200."""
        return Response({"status": "live"})


class ReadyView(_Open):
    """The process can do its work: 200, else 503 with what is not well."""

    @read_ready
    def get(self, request: Request) -> Response:
        """Each check by name."""
        looked_at = [*_database(), _valkey(), _keyring()]
        # Records are stored without Valkey, which guards limits only: its loss is told, and is no reason to stop.
        is_ready = all(check.is_well for check in looked_at if check.name != "Valkey")
        body: dict[str, Any] = {
            "status": "ready" if is_ready else "not ready",
            "checks": {check.name: {"well": check.is_well, "words": check.words} for check in looked_at},
        }
        return Response(body, status=200 if is_ready else 503)


def _database() -> list[Check]:
    """The checks of the database, made beside this thread: who asks for readiness is answered in bounded time.

    Where they take longer than usual, a connection of its own tells at once whether the server is gone: the pool
    would try again for seconds. A server that is only busy has until LOOKED_FOR_S.
    """
    looking = _looking.submit(_look)
    with suppress(TimeoutError):
        return looking.result(USUALLY_WITHIN_S)
    if not takes_connections():
        looking.cancel()
        return [_AWAY]
    with suppress(TimeoutError):
        return looking.result(LOOKED_FOR_S)
    looking.cancel()
    return [Check("PostgreSQL", False, "does not answer")]


def _look() -> list[Check]:
    try:
        with deadline_in(LOOKED_FOR_S):
            return checks(timezone.now())
    except (DatabaseError, InterfaceError, PoolTimeout):
        return [_AWAY]
    finally:
        connection.close()  # this thread's own, back to the pool


def _valkey() -> Check:
    if wiring.valkey_answers():
        return Check("Valkey", True, "answers; limits are guarded")
    return Check("Valkey", False, "cannot be reached; limits are off, intake goes on")


def _keyring() -> Check:
    try:
        wiring.keyring().check()
    except KeyringUnavailable:
        return Check("Keyring", False, "cannot be used")
    return Check("Keyring", True, "can be read and written")
