"""Runs docs/examples/muniment_logging.py as a service would: reads commands, a line each, and answers."""

import importlib
import json
import logging
import os
import sys
import threading
import time
from typing import Any

sys.path.insert(0, sys.argv[1])
muniment_logging = importlib.import_module("muniment_logging")
log = logging.getLogger("service")
log.setLevel(logging.INFO)
rejections: list[dict[str, Any]] = []
logs_rejections = False


def on_rejected(rejection: Any) -> None:
    rejections.append(rejection._asdict())
    if logs_rejections:
        log.warning("refused %s", rejection.id)


def open_client(url: str, key: str, options: dict[str, Any]) -> None:
    names = {
        "batchRecords": "batch_records",
        "batchBytes": "batch_bytes",
        "capacityRecords": "capacity_records",
    }
    names |= {"capacityBytes": "capacity_bytes", "gzip": "compress"}
    times = {"intervalMs": "interval_s", "timeoutMs": "timeout_s", "retryFirstMs": "retry_first_s"}
    times |= {"retryMostMs": "retry_most_s", "flushMs": "flush_s"}
    limits = {names[name]: value for name, value in options.items() if name in names}
    limits |= {times[name]: value / 1000 for name, value in options.items() if name in times}
    limits = muniment_logging.Limits(**limits)
    log.addHandler(muniment_logging.MunimentHandler(url, key, limits=limits, on_rejected=on_rejected))


def client() -> Any:
    """The handler under test, of a module that is loaded by name."""
    return log.handlers[0]


def record(first: int, count: int, metadata: dict[str, Any], padding: int = 0) -> dict[str, float]:
    """Logs `count` records numbered from `first`; gives how long the calls took, in ms."""
    took_ms = []
    for n in range(first, first + count):
        more = metadata | {"n": n} | ({"padding": "x" * padding} if padding else {})
        entry = {"action": "record.view", "sessionId": "s-1", "userId": "ana", "metadata": more}
        start = time.perf_counter()
        log.info("seen", extra={"session_log": entry})
        took_ms.append((time.perf_counter() - start) * 1000)
    took_ms.sort()
    return {"median": took_ms[count // 2], "p99": took_ms[count * 99 // 100], "most": took_ms[-1]}


def unreadable() -> None:
    circle: dict[str, Any] = {"note": "value-of-the-record"}
    circle["self"] = circle
    log.info("seen", extra={"session_log": {"action": "record.view", "sessionId": "s-1", "metadata": circle}})


def changed_later() -> None:
    metadata = {"n": 1}
    log.info("seen", extra={"session_log": {"action": "record.view", "sessionId": "s-1", "metadata": metadata}})
    metadata["n"] = 2


def flush(limit_ms: int) -> dict[str, float]:
    start = time.perf_counter()
    client().flush(limit_ms / 1000)
    return stats() | {"tookMs": (time.perf_counter() - start) * 1000}


def stats() -> dict[str, Any]:
    now = client().stats()
    return {
        "waiting": now.waiting,
        "accepted": now.accepted,
        "dropped": now.dropped,
        "lastFailure": now.last_failure,
    }


def rejected() -> dict[str, Any]:
    return {"rejections": rejections}


def plain_lines() -> None:
    log.info("permit %s opened", "P-7")
    try:
        raise LookupError("no such site")
    except LookupError:
        log.exception("site \0 unknown")


def fork(first: int, count: int) -> None:
    """The child logs and sends records of its own, while the parent holds some."""
    child = os.fork()
    if child == 0:
        record(first, count, {})
        client().flush()
        os._exit(0)
    os.waitpid(child, 0)


def remove_handler() -> dict[str, list[str]]:
    """Gives the threads that are left once the handler's own has had time to end."""
    sender = [thread for thread in threading.enumerate() if thread.name == "muniment"]
    client().close()
    log.removeHandler(client())
    for thread in sender:
        thread.join(timeout=5)
    return {"threads": [thread.name for thread in threading.enumerate()]}


def log_rejections() -> None:
    """From now on the callback logs, to the very logger that the handler serves."""
    global logs_rejections
    logs_rejections = True


COMMANDS = (
    open_client,
    record,
    unreadable,
    changed_later,
    flush,
    stats,
    rejected,
    plain_lines,
    fork,
    remove_handler,
    log_rejections,
)


def main() -> None:
    commands = {command.__name__: command for command in COMMANDS}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = commands[asked.pop("do")](**asked)
        except ValueError as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer or {}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
