"""A small real HTTP server that speaks the wire form of `POST /api/v1/session-logs`, for the example clients.

It is down (connection refused) until `start()`, answers as it is told, and remembers all that it saw.
"""

import gzip
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

Record = dict[str, Any]

MOST_RECORDS = 1_000
MOST_BYTES = 4 * 1024 * 1024
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Status:
    """An answer that stores nothing."""

    code: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Record = field(default_factory=dict)


class Hang:
    """No answer until the server stops."""


class StoreThenCut:
    """The records are stored, but the connection ends before the answer: the sender cannot know."""


Turn = Status | Hang | StoreThenCut


@dataclass(frozen=True)
class Seen:
    """One request: when it came (monotonic seconds), what it held, decompressed, and what it was told."""

    at: float
    headers: dict[str, str]
    size_bytes: int
    records: list[Record]
    status: int


class WireServer:
    """`turns` are used up first, one a request; then `refuse` and `reject` decide; else all is accepted."""

    def __init__(self) -> None:
        self.turns: deque[Turn] = deque()
        self.refuse: Callable[[list[Record]], Status | None] = lambda _: None
        self.reject: Callable[[Record], tuple[str, str] | None] = lambda _: None
        self.seen: list[Seen] = []
        self.faults: list[str] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._http = _Server(self)
        self._thread: threading.Thread | None = None
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        self._stopping.clear()
        self._http.server_activate()
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection; the port stays taken, so that it refuses until the next `start()`."""
        self._stopping.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.end_connections()
        self._http.server_close()

    def restart(self) -> None:
        self._http = _Server(self, self._http.server_port)
        self.start()

    def wait_for(self, condition: Callable[["WireServer"], object], timeout_s: float = 20.0) -> None:
        with self._changed:
            is_true = self._changed.wait_for(lambda: condition(self), timeout_s)
        assert is_true, f"not so within {timeout_s} s; seen: {[(s.status, len(s.records)) for s in self.seen]}"

    def stored(self) -> list[Record]:
        """What a server has that keeps each id once, in the order of arrival, without reports of losses."""
        by_id = {record["id"]: record for record in self.deliveries() if not _is_report(record)}
        return list(by_id.values())

    def deliveries(self) -> list[Record]:
        return [record for seen in self.seen if seen.status in (0, 202) for record in seen.records]

    def reports(self) -> list[Record]:
        return [record for record in self.deliveries() if _is_report(record)]

    def sent(self) -> Iterator[Record]:
        """Every record of every request, whatever was answered."""
        return (record for seen in self.seen for record in seen.records)

    def answer(self, headers: dict[str, str], body: bytes) -> Status | Hang | StoreThenCut:
        """Decides on a request and remembers it."""
        records, problem = self._checked(headers, body)
        turn = problem or self._decided(records)
        status = turn.code if isinstance(turn, Status) else (0 if isinstance(turn, StoreThenCut) else -1)
        with self._changed:
            self.seen.append(Seen(time.monotonic(), headers, len(_plain(headers, body)), records, status))
            self._changed.notify_all()
        return turn

    def hang(self) -> None:
        self._stopping.wait()

    def _decided(self, records: list[Record]) -> Turn:
        if self.turns:
            return self.turns.popleft()
        return self.refuse(records) or Status(202, body=self._receipts(records))

    def _receipts(self, records: list[Record]) -> Record:
        receipts: list[Record] = []
        for record in records:
            rejection = self.reject(record)
            if rejection is None:
                receipts.append({"id": record["id"], "entryId": str(uuid4()), "status": "accepted"})
            else:
                path, reason = rejection
                receipts.append({"id": record["id"], "status": "rejected", "path": path, "reason": reason})
        rejected = sum(receipt["status"] == "rejected" for receipt in receipts)
        request_id = str(uuid4())
        counts = {"accepted": len(receipts) - rejected, "rejected": rejected, "receipts": receipts}
        return {"requestId": request_id, "receipt": f"/api/v1/receipts/requests/{request_id}"} | counts

    def _checked(self, headers: dict[str, str], body: bytes) -> tuple[list[Record], Status | None]:
        """The records, and the refusal of a request that breaks the wire form: a fault of the client."""
        plain = _plain(headers, body)
        records = json.loads(plain)
        faults = [fault for record in records for fault in _faults(record)]
        if not 1 <= len(records) <= MOST_RECORDS:
            faults.append(f"{len(records)} records")
        if len(plain) > MOST_BYTES:
            faults.append(f"{len(plain)} bytes")
        if headers.get("content-type") != "application/json" or "Bearer " not in headers.get("authorization", ""):
            faults.append("headers")
        self.faults.extend(faults)
        return records, Status(422, body={"title": "broken wire form"}) if faults else None


def _plain(headers: dict[str, str], body: bytes) -> bytes:
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


def _is_report(record: Record) -> bool:
    return bool(record["action"] == "custom.records_dropped")


def _faults(record: Record) -> Iterator[str]:
    try:
        UUID(record["id"])
    except (KeyError, ValueError):
        yield "id"
    if not TIMESTAMP.fullmatch(record.get("timestamp", "")):
        yield "timestamp"
    for name in ("sessionId", "action"):
        if not isinstance(record.get(name), str) or not record[name]:
            yield name
    if not isinstance(record.get("metadata", {}), dict):
        yield "metadata"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, wire: WireServer, port: int = 0) -> None:
        self.wire = wire
        self._connections: set[Any] = set()
        super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=False)
        self.server_bind()  # bound but not listening: connections are refused and nobody else gets the port

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        for request in list(self._connections):
            self.shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/api/v1/session-logs":
            self.server.wire.faults.append(self.path)
        turn = self.server.wire.answer({name.lower(): value for name, value in self.headers.items()}, body)
        if isinstance(turn, Status):
            self._send(turn)
            return
        if isinstance(turn, Hang):
            self.server.wire.hang()
        self.close_connection = True

    def _send(self, status: Status) -> None:
        content = json.dumps(status.body).encode()
        self.send_response(status.code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        for name, value in status.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing: the tests read `seen`."""
