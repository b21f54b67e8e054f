"""Muniment client for Python services: a `logging.Handler`, standard library only, Python 3.11 or newer.

    handler = MunimentHandler("https://muniment.example", os.environ["MUNIMENT_SERVICE_KEY"])
    logging.getLogger("audit").addHandler(handler)

    audit.warning("no inspector for site %s", 12)  # a plain line: a `custom.log` record
    audit.info("permit opened", extra={"session_log": {  # a full record, in the names of the ingest API
        "action": "record.view", "sessionId": "s-1", "userId": "ana", "metadata": {"permit": "P-7"}}})

A log call only puts a record into a bounded buffer: it never waits for the network and never raises. A
record has its id and timestamp before the first attempt, so the server knows a retry and stores it once. One
request is under way at a time, so records arrive in order. What had to be dropped is counted, and the count
is sent as a record (`custom.records_dropped`) once the server accepts again. The buffer is memory: at a good
exit `logging` flushes it, for at most `Limits.flush_s`. A forked process has a buffer and thread of its own.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import logging
import os
import random
import re
import ssl
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

MOST_RECORDS, MOST_BYTES = 1_000, 4 * 1024 * 1024  # the server's limits for one request
MOST_RETRY_AFTER_S = 600.0
TEXT_LENGTH = 3_000  # of a message and of a traceback: both fit into the 32 KiB of metadata
SPLIT_ON = frozenset({400, 413, 422})  # about the content: one record may spoil the request for its neighbours
chance = random.SystemRandom()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When to send, what to hold, how long to wait."""

    batch_records: int = 500  # send at so many records (at most 1,000) ...
    batch_bytes: int = 1024 * 1024  # ... or bytes of JSON (at most 4 MiB) ...
    interval_s: float = 1.0  # ... or so long after the first one
    capacity_records: int = 10_000  # bounds of the buffer, the request under way included: a full one drops
    capacity_bytes: int = 16 * 1024 * 1024  # what comes next, so that noise cannot push evidence out
    timeout_s: float = 10.0  # of one step of a request: to connect, to send, to wait for the answer
    retry_first_s: float = 0.5  # back-off: doubles from here ...
    retry_most_s: float = 30.0  # ... to here, half of it random
    flush_s: float = 5.0  # how long flush() and a regular exit wait for the server
    compress: bool = True


class Rejection(NamedTuple):
    """A record that the server refused, or that is no JSON (status 0). Holds none of the record's values."""

    id: str
    action: str
    status: int
    path: str | None
    reason: str


class Stats(NamedTuple):
    waiting: int
    accepted: int
    dropped: int  # for any reason: buffer full, refused, rejected, unreadable
    last_failure: str | None  # of the latest attempt: "HTTP 503", "TimeoutError"; None when it was accepted


class _Losses(NamedTuple):
    dropped: int
    since: str


class _Waiting(NamedTuple):
    """A record in the buffer: encoded at once, so that what the caller changes later does not change it."""

    id: str
    action: str
    json: bytes
    losses: _Losses | None = None  # a report of losses, which is no loss itself


class _Answer(NamedTuple):
    status: int
    failure: str
    retry_after_s: float | None = None
    body: Mapping[str, Any] = {}


class MunimentHandler(logging.Handler):
    """Sends log records to Muniment from a daemon thread.

    Raises ValueError on a URL that would send the key in the clear, and on a key that is none. SSL_CERT_FILE
    in the environment names a certificate authority of your own. `on_rejected` is called in the sending
    thread, in the caller's for a record that is no JSON; without it a refusal is a RuntimeWarning.
    """

    def __init__(
        self, url: str, service_key: str, *, limits: Limits | None = None,
        on_rejected: Callable[[Rejection], object] | None = None,
    ) -> None:
        address = urlsplit(url)
        self._host, self._port, self._path = address.hostname or "", address.port, address.path.rstrip("/")
        is_loopback = re.fullmatch(r"localhost|127(\.\d+){3}|::1", self._host)
        if address.scheme != "https" and not (address.scheme == "http" and is_loopback):
            raise ValueError("the URL must be https, or http to a loopback address")
        if not re.fullmatch(r"[\x21-\x7e]+", service_key):
            raise ValueError("this is not a service key")
        self._connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
        if address.scheme == "https":
            self._connect = partial(http.client.HTTPSConnection, context=ssl.create_default_context())
        self._service_key = service_key
        self._limits = limits or Limits()
        self._batch_records = max(1, min(self._limits.batch_records, MOST_RECORDS))
        self._batch_bytes = max(1, min(self._limits.batch_bytes, MOST_BYTES))
        self._on_rejected = on_rejected or _warn
        self._session_id = f"process-{uuid4()}"  # of plain lines and of the handler's own records
        self._start_afresh()
        if hasattr(os, "register_at_fork"):
            afresh = weakref.WeakMethod(self._start_afresh)
            os.register_at_fork(after_in_child=lambda: (start := afresh()) and start())
        super().__init__()  # here: `logging` closes at exit what has come so far
        # What is logged while sending is not sent: it would be the reason for the next send.
        self.addFilter(lambda _: threading.current_thread() is not self._thread)

    def _start_afresh(self) -> None:
        """An empty buffer, no thread: at first, and in a forked child, whose parent sends what it has."""
        self._changed = threading.Condition()  # guards all below; no request or callback runs under it
        self._queue: deque[_Waiting] = deque()
        self._waiting = self._waiting_bytes = 0  # in the queue and under way
        self._flushes = self._flushes_begun = 0  # under way, and ever
        self._losses: _Losses | None = None
        self._server_accepts = self._is_closed = False
        self._is_stuck = False  # a flush has waited in vain, and nothing was accepted since
        self._accepted = self._dropped = 0
        self._last_failure: str | None = None
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record for sending. Never waits, never raises, prints no value when it fails."""
        try:
            item = _encode(_entry(record, self._session_id))
        except Exception as error:  # whatever reading the caller's objects raises
            with self._changed:
                self._lose()
            self._tell(Rejection("", "", 0, None, type(error).__name__))
        else:
            self._put(item)

    def flush(self, limit_s: float | None = None) -> None:
        """Sends what waits, for at most `limit_s` (else `Limits.flush_s`); `stats().waiting` is the rest."""
        with self._changed:
            self._flushes += 1
            self._flushes_begun += 1
            self._changed.notify_all()
            is_done = self._changed.wait_for(
                lambda: self._thread is None or not (self._waiting or self._owes_report()),
                self._limits.flush_s if limit_s is None else limit_s,
            )
            self._flushes -= 1
            self._is_stuck = not is_done

    def close(self) -> None:
        """Flushes and ends the thread; waits no second time where a flush has just waited in vain."""
        if not (self._is_stuck or self._is_closed):
            self.flush()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        super().close()

    def stats(self) -> Stats:
        with self._changed:
            return Stats(self._waiting, self._accepted, self._dropped, self._last_failure)

    def _put(self, item: _Waiting) -> None:
        with self._changed:
            size = self._waiting_bytes + len(item.json)
            has_room = self._waiting < self._limits.capacity_records and size <= self._limits.capacity_bytes
            if not has_room or self._is_closed:
                return self._lose()
            self._queue.append(item)
            self._waiting += 1
            self._waiting_bytes = size
            self._start_thread()
            if len(self._queue) == 1 or self._has_full_batch():
                self._changed.notify_all()

    def _has_full_batch(self) -> bool:
        return len(self._queue) >= self._batch_records or self._waiting_bytes >= self._batch_bytes

    def _owes_report(self) -> bool:
        return self._server_accepts and self._losses is not None

    def _leave(self, batch: Sequence[_Waiting]) -> None:
        self._waiting -= len(batch)
        self._waiting_bytes -= sum(len(item.json) for item in batch)
        self._changed.notify_all()

    def _lose(self) -> None:
        self._dropped += 1
        self._owe(_Losses(1, _now()))

    def _owe(self, losses: _Losses) -> None:
        owed = self._losses or _Losses(0, losses.since)
        self._losses = _Losses(owed.dropped + losses.dropped, min(owed.since, losses.since))

    def _report(self, losses: _Losses) -> _Waiting:
        self._losses = None
        told = _own_fields(self._session_id) | {"action": "custom.records_dropped", "metadata": losses._asdict()}
        report = _encode(told)._replace(losses=losses)
        self._waiting += 1
        self._waiting_bytes += len(report.json)
        return report

    def _start_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="muniment", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending: nothing can be sent any more
                self._thread = None

    def _run(self) -> None:
        while batch := self._take_batch():
            self._deliver(batch)

    def _take_batch(self) -> list[_Waiting]:
        """Waits for a batch; an empty one says that the handler is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._queue or self._owes_report())
            self._changed.wait_for(
                lambda: self._is_closed or self._flushes or self._has_full_batch() or self._owes_report(),
                self._limits.interval_s,
            )
            if self._is_closed:
                return []
            batch = [self._report(self._losses)] if self._losses and self._server_accepts else []
            size = sum(len(item.json) for item in batch) + 2  # the brackets
            while self._queue and len(batch) < self._batch_records:
                size += len(self._queue[0].json) + 1  # and a comma
                if batch and size > self._batch_bytes:
                    break
                batch.append(self._queue.popleft())
            return batch

    def _deliver(self, batch: Sequence[_Waiting]) -> None:
        body = b"[" + b",".join(item.json for item in batch) + b"]"
        if self._limits.compress:
            body = gzip.compress(body, compresslevel=5)
        for attempt in itertools.count():
            flushes_begun = self._flushes_begun
            answer = self._post(body)
            self._last_failure = None if answer.status == 202 else answer.failure
            if answer.status == 202:
                return self._settle(batch, answer)
            if 400 <= answer.status < 500 and answer.status not in (408, 429):
                return self._refuse(batch, answer)
            self._pause(answer.retry_after_s, attempt, flushes_begun)
            if self._is_closed:
                return

    def _post(self, body: bytes) -> _Answer:
        encoding = {"Content-Encoding": "gzip"} if self._limits.compress else {}
        headers = {"Authorization": f"Bearer {self._service_key}", "Content-Type": "application/json"} | encoding
        connection = self._connect(self._host, self._port, timeout=self._limits.timeout_s)
        try:
            connection.connect()
            with suppress(ConnectionError):  # an answer may have come before all was sent
                connection.request("POST", f"{self._path}/api/v1/session-logs", body, headers)
            response = connection.getresponse()
            retry_after_s = _retry_after_s(response.getheader("Retry-After"))
            answered = _json_object(response.read(MOST_BYTES))
            return _Answer(response.status, f"HTTP {response.status}", retry_after_s, answered)
        except (OSError, http.client.HTTPException) as error:
            return _Answer(0, type(error).__name__)
        finally:
            connection.close()

    def _settle(self, batch: Sequence[_Waiting], answer: _Answer) -> None:
        receipts = answer.body.get("receipts")  # one per record, in their order
        pairs = zip(batch, receipts if isinstance(receipts, list) else [], strict=False)
        rejected = [(one, it) for one, it in pairs if isinstance(it, dict) and it.get("status") == "rejected"]
        with self._changed:
            self._server_accepts = True
            self._is_stuck = False
            self._leave(batch)
            self._accepted += sum(item.losses is None for item in batch)
            for item, _ in rejected:
                if item.losses is None:  # a report that is itself rejected is not repeated
                    self._accepted -= 1
                    self._lose()
        for item, receipt in rejected:
            reason = str(receipt.get("reason"))[:300]
            self._tell(Rejection(item.id, item.action, 202, receipt.get("path"), reason))

    def _refuse(self, batch: Sequence[_Waiting], answer: _Answer) -> None:
        """Halves the batch until what spoils it stands alone; a refusal of the sender loses all."""
        is_about_content = answer.status in SPLIT_ON
        if is_about_content and len(batch) > 1:
            self._deliver(batch[: len(batch) // 2])
            return self._deliver(batch[len(batch) // 2 :])
        with self._changed:
            self._server_accepts = self._server_accepts and is_about_content
            self._leave(batch)
            for item in batch:
                if item.losses is None:
                    self._lose()
                elif not is_about_content:  # a report that is itself faulty is not repeated
                    self._owe(item.losses)
        reason = str(answer.body.get("title", answer.failure))[:300]
        for item in batch:
            self._tell(Rejection(item.id, item.action, answer.status, None, reason))

    def _tell(self, rejection: Rejection) -> None:
        with suppress(Exception):  # the callback is the caller's: its failure must not stop the sending
            self._on_rejected(rejection)

    def _pause(self, retry_after_s: float | None, attempt: int, flushes_begun: int) -> None:
        """Keeps to the server's Retry-After, flush or not; a flush cuts only a back-off of our own short."""
        back_off_s = min(self._limits.retry_most_s, self._limits.retry_first_s * 2 ** min(attempt, 30))
        wait_s = back_off_s * chance.uniform(0.5, 1.0)
        if retry_after_s is not None:
            wait_s = retry_after_s + chance.uniform(0.0, self._limits.retry_first_s)
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or (retry_after_s is None and self._flushes_begun > flushes_begun), wait_s
            )


def _entry(log: logging.LogRecord, session_id: str) -> dict[str, Any]:
    full: Mapping[str, Any] | None = getattr(log, "session_log", None)
    own = _own_fields(session_id, log.created) | {"action": "custom.log"}
    return own | (dict(full) if full is not None else _plain_line(log))


def _own_fields(session_id: str, at_s: float | None = None) -> dict[str, Any]:
    return {"id": str(uuid4()), "timestamp": _now(at_s), "sessionId": session_id}


def _plain_line(log: logging.LogRecord) -> dict[str, Any]:
    place = {"logger": log.name, "function": log.funcName, "line": log.lineno, "process": log.process}
    texts = {"message": log.getMessage()[:TEXT_LENGTH]}
    if log.exc_info:
        texts["exception"] = logging.Formatter().formatException(log.exc_info)[-TEXT_LENGTH:]
    storable = {name: text.replace("\0", "\ufffd") for name, text in texts.items()}
    outcome = {"outcome": "failure"} if log.levelno >= logging.ERROR else {}
    return {"metadata": {"level": log.levelname} | place | storable} | outcome


def _encode(entry: Mapping[str, Any]) -> _Waiting:
    text = json.dumps(
        entry, ensure_ascii=False, allow_nan=False, separators=(",", ":"),
        default=lambda value: value.isoformat() if isinstance(value, datetime) else str(value),
    )
    body = text.encode("utf-8", "replace")  # lone surrogates, of file names for one, become "?"
    if len(body) > MOST_BYTES - 2:
        raise OverflowError
    return _Waiting(str(entry["id"]), str(entry["action"]), body)


def _retry_after_s(header: str | None) -> float | None:
    """Seconds from now, at most MOST_RETRY_AFTER_S; None when the header is missing or says nothing."""
    text = (header or "").strip()
    try:
        wait_s = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), MOST_RETRY_AFTER_S)


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        answered = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answered if isinstance(answered, dict) else {}


def _now(at_s: float | None = None) -> str:
    return datetime.fromtimestamp(time.time() if at_s is None else at_s, UTC).isoformat(timespec="milliseconds")


def _warn(rejection: Rejection) -> None:
    warnings.warn(f"Muniment refused a record: {rejection.status} {rejection.reason}", RuntimeWarning, stacklevel=2)
