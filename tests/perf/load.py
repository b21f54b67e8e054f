"""The load generator: one process, keep-alive HTTP/1.1 over raw sockets and epoll, the same for both sides.

`python -m tests.perf.load` reads a `Load` as JSON from its standard input and prints an `Outcome` as JSON. It
uses the standard library alone and parses no JSON while the clock runs, to leave the cores to the servers.
"""

import json
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.perf.bodies import encoded_requests, endless

ACCEPTED = re.compile(rb'"accepted": ?(\d+)')
LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
PATIENCE_S = 60.0
PATH = "/api/v1/session-logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    port: int
    key: str
    records_file: str
    records_per_request: int
    clients: int
    seconds: float
    seed: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one run saw. Times are of CLOCK_MONOTONIC, which all processes of a machine share."""

    started: float = 0.0
    ended: float = 0.0
    requests: int = 0
    acknowledged: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    latencies_us: list[int] = field(default_factory=list)
    cpu_s: float = 0.0

    def failed(self, kind: str) -> None:
        self.errors[kind] = self.errors.get(kind, 0) + 1


class Client:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.unsent = memoryview(b"")
        self.answer = b""
        self.sent_at = 0.0

    def begin(self, request: bytes) -> None:
        self.unsent, self.answer, self.sent_at = memoryview(request), b"", time.monotonic()
        self.send()

    def send(self) -> None:
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return

    def receive(self) -> bool:
        """Read what is there; true when the answer is whole. Raises ConnectionError when hung up on."""
        received = self.socket.recv(262_144)
        if not received:
            raise ConnectionResetError
        self.answer += received
        head = self.answer.find(b"\r\n\r\n")
        if head < 0:
            return False
        length = LENGTH.search(self.answer, 0, head + 2)
        if length is None:
            return self.answer.endswith(b"\r\n0\r\n\r\n")
        return len(self.answer) - head - 4 >= int(length[1])


def run(load: Load) -> Outcome:
    records = [json.loads(line) for line in Path(load.records_file).read_text().splitlines()]
    requests = encoded_requests(
        records, size=load.records_per_request, path=PATH, host=f"localhost:{load.port}", key=load.key
    )
    outcome = Outcome()
    driver = Driver(load, endless(requests, load.seed), outcome)
    outcome.cpu_s = -time.process_time()
    outcome.started = time.monotonic()
    driver.run(until=outcome.started + load.seconds)
    outcome.ended = time.monotonic()
    outcome.cpu_s += time.process_time()
    return outcome


class Driver:
    """Keeps each client at one request after another until the time is up."""

    def __init__(self, load: Load, bodies: Iterator[bytes], outcome: Outcome) -> None:
        self.bodies, self.outcome = bodies, outcome
        self.poll = select.epoll()
        self.by_fd: dict[int, Client] = {}
        for _ in range(load.clients):
            self.watch(Client(load.port))

    def watch(self, client: Client) -> None:
        self.by_fd[client.socket.fileno()] = client
        self.poll.register(client.socket, select.EPOLLIN)

    def run(self, until: float) -> None:
        """Until the time, then wait for the last answers."""
        for client in self.by_fd.values():
            self.begin(client)
        busy = len(self.by_fd)
        while busy and time.monotonic() < until + PATIENCE_S:
            for fd, events in self.poll.poll(1.0):
                client = self.by_fd[fd]
                if not self.is_answered(client, events):
                    continue
                if time.monotonic() < until:
                    self.begin(client)
                else:
                    busy -= 1
        for _ in range(busy):
            self.outcome.failed("unanswered")

    def begin(self, client: Client) -> None:
        client.begin(next(self.bodies))
        if client.unsent:
            self.poll.modify(client.socket, select.EPOLLIN | select.EPOLLOUT)

    def is_answered(self, client: Client, events: int) -> bool:
        """Send and receive what can be; true when the request under way is done with, well or badly."""
        try:
            if events & select.EPOLLOUT:
                client.send()
                if not client.unsent:
                    self.poll.modify(client.socket, select.EPOLLIN)
            if not events & ~select.EPOLLOUT or not client.receive():
                return False
            self.count(client)
        except ConnectionError:
            self.outcome.failed("connection")
            del self.by_fd[client.socket.fileno()]
            client.socket.close()
            client.connect()
            self.watch(client)
        return True

    def count(self, client: Client) -> None:
        self.outcome.requests += 1
        status = client.answer[9:12]
        accepted = ACCEPTED.search(client.answer) if status in (b"201", b"202") else None
        if accepted is None:
            self.outcome.failed(status.decode("latin-1"))
            return
        self.outcome.acknowledged += int(accepted[1])
        self.outcome.latencies_us.append(round((time.monotonic() - client.sent_at) * 1e6))


if __name__ == "__main__":
    print(json.dumps(asdict(run(Load(**json.load(sys.stdin))))))
