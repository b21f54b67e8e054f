"""No personal value lies in the clear anywhere in the data folder: database, WAL, Valkey, logs, keyring, state.

What is looked for: every user, address, user agent, session token and own id, and the longer texts within metadata and
targets. Shorter texts than SHORTEST would be found by chance in so many random bytes; texts that may stand in plain
columns (actions, types, services) and those that a folder without any record has already (words of PostgreSQL's
own catalogue, such as "us-ascii") say nothing and are left out, and the tests see to it that these are few.
"""

import http.client
import json
import os
import signal
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from tests.faults.clear_text import ClearText, forms
from tests.faults.history import as_lines, history
from tests.faults.running_portal import ORGANIZATION, RunningPortal, running_portal, wait_until

pytestmark = pytest.mark.slow
SHORTEST = 7
SHORTEST_METADATA = 12
SENT = 300
OWN_IDS_SEARCHED = 300
ORGANIZATION_NAME = "Restaurant Build Command Center"
PLANTED = f"planted in the clear {uuid.uuid4()}"


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked for, what of it a fresh folder had, and what was found at the end."""

    values: set[str]
    found_before: set[str]
    found: dict[tuple[str, str], Path]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    """Years-old records imported, new ones sent, bad ones refused, some processes killed; then everything searched."""
    records, sent = history(), [_record(number) for number in range(SENT)]
    refused = [_record(number) for number in range(SENT, SENT + 20)]
    values = _values(records) | _values(sent) | _values(refused)
    file = tmp_path_factory.mktemp("import") / "history.ndjson"
    file.write_bytes(as_lines(records))
    with running_portal() as portal:
        before = ClearText(values).found_in(portal.home.folder.parent)
        _keep_wal_readable(portal)
        portal.manage("import_records", "--organization", ORGANIZATION, "--kind", "session-log", "--history", str(file))
        _send(portal, sent)
        _misuse(portal, refused)
        portal.wait_until_recorded()
        _plant(portal)
        found = ClearText({*values, PLANTED, ORGANIZATION_NAME}).found_in(portal.home.folder.parent)
        yield Search(values, {value for value, _ in before}, found)


def test_control_is_found_in_each_of_its_forms(search: Search) -> None:
    assert {form for value, form in search.found if value == PLANTED} >= _distinct_forms(PLANTED)
    assert (ORGANIZATION_NAME, "plain") in search.found


def test_nothing_that_was_sent_is_found(search: Search) -> None:
    telling = search.values - search.found_before
    assert {key: str(path) for key, path in search.found.items() if key[0] in telling} == {}


def test_hardly_anything_was_left_out_of_the_search(search: Search) -> None:
    assert len(search.values) > 1500
    assert len(search.found_before) < 0.02 * len(search.values)


def _values(records: Iterable[dict[str, Any]]) -> set[str]:
    """What to look for, long enough to be told from chance."""
    values: set[str] = set()
    plain = {"command-center", "first-service", ORGANIZATION_NAME}
    for number, record in enumerate(records):
        target = record.get("target") or {}
        plain |= {record["action"], target.get("type", ""), record.get("aiModelUsed", "")}
        values |= {record.get(name) or "" for name in ("userId", "ipAddress", "userAgent", "sessionId", "traceId")}
        values |= {
            text for text in _texts([record.get("metadata"), target.get("id")]) if len(text) >= SHORTEST_METADATA
        }
        if number < OWN_IDS_SEARCHED:
            values.add(record["id"])
    return {value for value in values if len(value) >= SHORTEST and not any(value in text for text in plain)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def _distinct_forms(value: str) -> set[str]:
    """One name for each form that looks different from all others."""
    return set({pattern: form for form, pattern in reversed(forms(value).items())}.values())


def _record(number: int) -> dict[str, Any]:
    """A record whose every text is its own; some are not ASCII, some no address."""
    return {
        "id": f"own id {uuid.uuid4()}",
        "userId": f"Zoë Müller-{number}-{uuid.uuid4().hex[:8]}",
        "sessionId": f"token {uuid.uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(),
        "action": "record.update",
        "ipAddress": f"2001:db8::{uuid.uuid4().hex[:4]}:{number + 4096:x}"
        if number % 3
        else f"tablet no. {uuid.uuid4()}",
        "userAgent": f"TillClient/{number} ({uuid.uuid4()})",
        "metadata": {
            "note": f"table {uuid.uuid4()}",
            "guests": [f"名前 {uuid.uuid4()}", f"card 4111111111111111 {number}"],
        },
        "target": {"type": "order", "id": f"order {uuid.uuid4()}"},
        "traceId": f"trace {uuid.uuid4()}",
    }


def _keep_wal_readable(portal: RunningPortal) -> None:
    """Compressed pages would hide what the search could not find in them."""
    with portal.as_superuser() as connection:
        connection.execute("ALTER SYSTEM SET wal_compression = off")
        connection.execute("SELECT pg_reload_conf()")


def _send(portal: RunningPortal, records: list[dict[str, Any]]) -> None:
    """Send records one by one while recorder, web and PostgreSQL are killed once: a dying process may talk."""
    client = portal.client()
    for number, record in enumerate(records):
        if victim := {50: "recorder", 100: "web", 150: "postgres"}.get(number):
            os.kill(portal.pid(victim), signal.SIGKILL)
        wait_until(lambda record=record: client.send(record).status == 202, 60, "the record is taken")  # type: ignore[misc]  # bound in the loop
    portal.wait_until_ready()


def _misuse(portal: RunningPortal, records: list[dict[str, Any]]) -> None:
    """Send what is refused, in each of several ways, and ask for people who are not known."""
    client = portal.client()
    ways = (
        lambda record: json.dumps(record | {"action": f"no.{record['userId']}"}),
        lambda record: json.dumps(record | {record["userId"]: 1}),
        lambda record: json.dumps(record | {"timestamp": record["userId"]}),
        lambda record: json.dumps(record)[:-1],
        lambda record: json.dumps(record | {"metadata": record["sessionId"]}),
    )
    for number, record in enumerate(records):
        assert client.post(ways[number % len(ways)](record).encode()).status in (400, 422)
        for name in ("userId", "ipAddress"):
            assert client.get(f"/api/v1/session-logs?{urlencode({name: record[name]})}").status == 200
        assert client.get(f"/api/v1/session-logs?{urlencode({'from': record['userId']})}").status == 400
        assert client.get(f"/api/v1/receipts/{record['traceId'].split()[1]}").status == 200
    stranger = portal.client(token=f"mun_{records[0]['userId'].encode().hex()}")
    assert stranger.send(records[0]).status == 401
    broken = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=10)
    broken.request(
        "POST", "/api/v1/session-logs", json.dumps(records[1]), {"Host": records[1]["sessionId"].replace(" ", "-")}
    )
    assert broken.getresponse().status in (400, 401)
    broken.close()


def _plant(portal: RunningPortal) -> None:
    """Write the control in each of its forms, and everything that is in memory to the disk."""
    with portal.as_superuser() as connection:
        connection.execute("CREATE TABLE planted (text bytea)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO planted VALUES (%s)", [(pattern,) for pattern in forms(PLANTED).values()])
        connection.execute("CHECKPOINT")
    assert _is_readable(portal)


def _is_readable(portal: RunningPortal) -> bool:
    """Whether WAL holds pages as they are."""
    try:
        with portal.connect() as connection:
            row = connection.execute("SHOW wal_compression").fetchone()
    except psycopg.Error:
        return False
    return row == ("off",)
