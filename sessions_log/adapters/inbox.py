"""The inbox in PostgreSQL: one commit stores all the requests that wait for it."""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection, sql

from sessions_log.domain.inbox import InboxRequest
from sessions_log.ports import InboxUnavailable

# Rows as arrays: one prepared statement for any number of requests.
_INSERT = """
INSERT INTO sessions_log_inbox
    (id, organization_id, service_id, shard, lane, kind, records, entry_ids, sealed)
SELECT * FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::smallint[], %s::smallint[], %s::smallint[],
                     %s::int[], %b::bytea[], %b::bytea[])
"""
MOST_AT_ONCE = 256
MOST_WAITING = 4096
ACKNOWLEDGED_WITHIN_S = 5.0
_STATEMENT_TIMEOUT_MS = 3000
_RECONNECT_PAUSE_S = 0.2


def insert(connection: Connection[Any], requests: list[InboxRequest]) -> None:
    """Insert requests within the connection's transaction, or in one of their own under autocommit."""
    connection.execute(
        _INSERT,
        (
            "{" + ",".join(request.id.hex() for request in requests) + "}",
            [request.organization_id for request in requests],
            [request.service_id for request in requests],
            [request.shard for request in requests],
            [request.lane for request in requests],
            [request.kind for request in requests],
            [request.records for request in requests],
            [request.entry_ids for request in requests],
            [request.sealed for request in requests],
        ),
    )


class _Waiting:
    """A request and the caller that waits for its commit."""

    __slots__ = ("committed", "error", "request")

    def __init__(self, request: InboxRequest) -> None:
        self.request: InboxRequest | None = request
        self.committed = threading.Lock()
        self.committed.acquire()
        self.error: str | None = None


class GroupCommitInbox:
    """See `sessions_log.ports.Inbox`. One thread of each web process commits for all who wait.

    While a commit is on its way to the disk, the next requests gather; they share the next one.
    """

    def __init__(self, conninfo: Callable[[], str], role: str | None) -> None:
        self._conninfo = conninfo
        self._role = role
        self._waiting: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._connection: Connection[Any] | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._failed_at = 0.0

    def put(self, request: InboxRequest) -> None:
        """See the port."""
        if self._waiting.qsize() >= MOST_WAITING:
            raise InboxUnavailable("too many requests wait to be stored")
        self._ensure_thread()
        waiting = _Waiting(request)
        self._waiting.put(waiting)
        if not waiting.committed.acquire(timeout=ACKNOWLEDGED_WITHIN_S):
            waiting.request = None  # its sender comes again; kept, such requests would fill the memory
            raise InboxUnavailable("storing takes too long")
        if waiting.error is not None:
            raise InboxUnavailable(waiting.error)

    def _ensure_thread(self) -> None:
        # Made on first use, not at import: web processes fork after loading the application.
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                self._store_group()
        finally:
            self._thread = None  # whatever ended it, the next request starts another

    def _store_group(self) -> None:
        group = [self._waiting.get()]
        while len(group) < MOST_AT_ONCE and not self._waiting.empty():
            group.append(self._waiting.get())
        error: str | None = "storing was broken off"
        try:
            error = self._store([request for one in group if (request := one.request) is not None])
        finally:
            for one in group:
                one.error = error
                one.committed.release()

    def _store(self, requests: list[InboxRequest]) -> str | None:
        """Commit the requests; None, or why they are not stored, in words without values."""
        if self._connection is None and time.monotonic() - self._failed_at < _RECONNECT_PAUSE_S:
            return "the database cannot be reached"
        try:
            if self._connection is None:
                self._connection = self._connect()
            if requests:
                insert(self._connection, requests)
        except psycopg.Error as error:
            self._drop_connection()
            return f"the database does not take it ({type(error).__name__})"
        return None

    def _connect(self) -> Connection[Any]:
        connection = psycopg.connect(
            self._conninfo(),
            autocommit=True,
            connect_timeout=2,
            tcp_user_timeout=3000,
            application_name="intake",
        )
        if self._role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self._role)))
        # Said for this connection, so that no default of a role or database can weaken an acknowledgement.
        connection.execute("SET synchronous_commit = on")
        connection.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(_STATEMENT_TIMEOUT_MS)))
        return connection

    def _drop_connection(self) -> None:
        self._failed_at = time.monotonic()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
