"""Request bodies, encoded before the clock starts; a send only patches what must be fresh, in place."""

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

# A placeholder has the width of what is patched over it: whole seconds of the time, a session's suffix.
SECOND = b"0000-00-00T00:00:00"
CYCLE = b"-~~~~~~"
ID_HEAD, ID_TAIL = 8, 12


@dataclass(slots=True)
class Request:
    """One encoded HTTP request and where its records' fresh values stand."""

    buffer: bytearray
    records: int
    ids: list[int]
    seconds: list[int]
    cycles: list[int]
    second: bytes = b""

    def fresh(self, second: bytes, cycle: bytes) -> bytes:
        """The request with new client ids (80 random bits each), this second and this cycle's sessions."""
        buffer = self.buffer
        fresh = os.urandom(10 * self.records).hex().encode()
        at = 0
        for start in self.ids:
            buffer[start : start + ID_HEAD] = fresh[at : at + ID_HEAD]
            buffer[start + 36 - ID_TAIL : start + 36] = fresh[at + ID_HEAD : at + ID_HEAD + ID_TAIL]
            at += ID_HEAD + ID_TAIL
        for start in self.cycles:
            buffer[start : start + len(cycle)] = cycle
        if second != self.second:
            self.second = second
            for start in self.seconds:
                buffer[start : start + len(second)] = second
        return bytes(buffer)


def endless(requests: Sequence[Request], seed: str) -> Iterator[bytes]:
    """Fresh requests, for ever. Each cycle has sessions of its own, as each real hour has.

    seed: two characters that set apart the sessions of one run of the generator from another's.
    """
    cycle = 0
    while True:
        suffix = b"%s%04x" % (seed.encode(), cycle % 0x10000)
        for request in requests:
            second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()).encode()
            yield request.fresh(second, suffix)
        cycle += 1


def encoded_requests(records: Sequence[dict[str, Any]], *, size: int, path: str, host: str, key: str) -> list[Request]:
    """The records as requests of `size` each, wrapping round at the end so that each is full."""
    count = -(-len(records) // size)
    slices = ([prepared(records, n * size + i) for i in range(size)] for n in range(count))
    return [encoded(chosen, path=path, host=host, key=key) for chosen in slices]


def encoded(records: Sequence[dict[str, Any]], *, path: str, host: str, key: str) -> Request:
    """One POST of prepared records: a lone one goes as an object, several as an array."""
    shown = records[0] if len(records) == 1 else records
    body = json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    buffer = bytearray(head.encode() + body)
    request = Request(
        buffer=buffer,
        records=len(records),
        ids=[found.end() for found in re.finditer(rb'[{,]"id":"(?=bench-id-)', buffer)],
        seconds=[found.start() for found in re.finditer(SECOND, buffer)],
        cycles=[found.start() + 1 for found in re.finditer(CYCLE, buffer)],
    )
    if {len(request.ids), len(request.seconds), len(request.cycles)} != {len(records)}:
        raise ValueError("a record holds a placeholder of the bench")
    for start in request.ids:
        buffer[start : start + 36] = str(uuid4()).encode()
    return request


def prepared(records: Sequence[dict[str, Any]], n: int) -> dict[str, Any]:
    """The n-th record, counted round and round, with placeholders for its id, time and session's suffix."""
    record = records[n % len(records)]
    return record | {
        "id": f"bench-id-{'x' * 27}",
        "timestamp": f"{SECOND.decode()}.{n * 7919 % 1_000_000:06d}Z",
        "sessionId": record["sessionId"] + CYCLE.decode(),
    }
