"""What only one of the example clients has: Python's log lines and processes, TypeScript's Auth.js events."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.e2e.examples_clients import HOUR_MS, StartClient, program
from tests.e2e.examples_server import Hang, WireServer

pytest_plugins = ["tests.e2e.examples_fixtures"]

in_python = pytest.mark.parametrize("language", ["python"])
in_typescript = pytest.mark.parametrize("language", ["typescript"])


@in_python
def test_plain_log_lines_become_custom_log_records(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.start()
    client = start_client()

    client.ask("plain_lines")

    wire_server.wait_for(lambda it: len(it.stored()) == 2)
    line, failure = wire_server.stored()
    assert (line["action"], line["metadata"]["message"]) == ("custom.log", "permit P-7 opened")
    assert (line["metadata"]["level"], line["metadata"]["logger"]) == ("INFO", "service")
    assert line["sessionId"] == failure["sessionId"]
    assert failure["outcome"] == "failure"
    assert failure["metadata"]["message"] == "site \ufffd unknown"
    assert "LookupError: no such site" in failure["metadata"]["exception"]


@in_python
def test_regular_exit_sends_what_waits(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.start()
    client = start_client(intervalMs=HOUR_MS)
    client.record(10)

    assert client.end() == 0

    assert len(wire_server.stored()) == 10


@in_python
def test_exit_waits_no_longer_than_its_limit(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.turns.append(Hang())
    wire_server.start()
    client = start_client(flushMs=2_500, timeoutMs=60_000)
    client.record(10)
    wire_server.wait_for(lambda it: len(it.seen) == 1)

    assert client.end(timeout_s=4.8) == 0  # flushed once, though `logging` flushes and then closes


@in_python
def test_closed_handler_has_sent_all_and_ended_its_thread(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.start()
    client = start_client(intervalMs=HOUR_MS)
    client.record(10)

    assert client.ask("remove_handler") == {"threads": ["MainThread"]}

    assert len(wire_server.stored()) == 10


@in_python
def test_forked_child_sends_its_own_records_and_the_parent_its_own(
    start_client: StartClient, wire_server: WireServer
) -> None:
    wire_server.start()
    client = start_client(intervalMs=HOUR_MS)
    client.record(5)

    client.ask("fork", first=5, count=3)
    client.ask("flush", limit_ms=10_000)

    assert sorted(record["metadata"]["n"] for record in wire_server.deliveries()) == list(range(8))


@in_python
def test_log_lines_of_the_callback_cause_no_further_sends(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.reject = lambda record: ("$.action", "unknown")
    wire_server.start()
    client = start_client()
    client.ask("log_rejections")

    client.record(1)

    client.wait_for(lambda stats: stats["dropped"] == 1)
    assert client.ask("flush", limit_ms=10_000)["dropped"] == 1
    assert [record["action"] for record in wire_server.deliveries()] == [
        "record.view",
        "custom.records_dropped",
    ]


@in_typescript
def test_auth_js_events_become_session_logs(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.start()
    client = start_client()

    sid = client.ask("auth_events")["sid"]

    wire_server.wait_for(lambda it: len(it.stored()) == 6)
    by_action = {(record["action"], record["sessionId"]): record for record in wire_server.stored()}
    bearer = f"sha256:{hashlib.sha256(b'the-bearer-token').hexdigest()}"
    assert sorted(by_action) == [
        ("auth.login", sid),
        ("auth.logout", sid),
        ("auth.logout", bearer),
        ("session.heartbeat", sid),
        ("user.create", sid),
        ("user.update", sid),
    ]
    login = by_action["auth.login", sid]
    assert login["metadata"] == {"provider": "github", "type": "oauth", "newUser": True}
    assert (login["userId"], login["outcome"]) == ("ana@example.com", "success")
    assert (login["ipAddress"], login["userAgent"]) == ("198.51.100.7", "Browser/1")
    assert by_action["auth.logout", bearer]["userId"] == "u-2"
    assert "ipAddress" not in by_action["user.update", sid]


@in_typescript
def test_record_helper_uses_the_environment(
    start_client: StartClient, wire_server: WireServer, base_url: str, service_key: str
) -> None:
    wire_server.start()
    client = start_client({"MUNIMENT_URL": base_url, "MUNIMENT_SERVICE_KEY": service_key})

    answer = client.ask("by_environment")

    (record,) = wire_server.stored()
    assert answer == {"id": record["id"], "waiting": 0}
    assert record["metadata"] == {"text": "half \ufffd", "big": "1152921504606846976"}


@in_typescript
def test_record_helper_without_a_key_says_so_and_goes_on(start_client: StartClient) -> None:
    client = start_client({"MUNIMENT_URL": "https://muniment.example", "MUNIMENT_SERVICE_KEY": ""})

    assert client.ask("by_environment") == {"id": None, "waiting": 0}
    assert "no session log will be sent" in client.errors.read_text()


def test_typescript_refuses_to_load_in_a_browser(typescript_folder: Path) -> None:
    script = "globalThis.window = globalThis; await import('./muniment.js')"
    command = [program("node"), "--input-type=module", "--eval", script]

    loaded = subprocess.run(command, cwd=typescript_folder, capture_output=True, text=True, timeout=30)

    assert loaded.returncode != 0
    assert "load it on the server only" in loaded.stderr
