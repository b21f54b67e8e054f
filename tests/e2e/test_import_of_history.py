"""`manage.py import_records`, as an operator runs it on files of years ago, beside the API and the running recorder."""

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
import zstandard

from tests.faults.history import as_lines, history
from tests.faults.running_portal import ROOT, Client, RunningPortal, running_portal, wait_until

pytestmark = pytest.mark.slow
IMPORTED = "service=import"
MOST_RECORDS = 1_000
ALTERED = 10


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization of one test's own."""

    portal: RunningPortal
    slug: str
    client: Client

    def run(self, file: Path, *options: str) -> tuple[dict[str, int], str]:
        """Import a file. Returns the totals and what was said beside them."""
        done = self.portal.manage(*self.command(file, *options))
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    def command(self, file: Path, *options: str) -> list[str]:
        return ["import_records", "--organization", self.slug, "--kind", "session-log", *options, str(file)]

    def send(self, records: list[dict[str, Any]]) -> Counter[str]:
        """Send records over HTTP. Returns the sums of the requests' receipts."""
        requests = []
        for start in range(0, len(records), MOST_RECORDS):
            answer = self.client.send(records[start : start + MOST_RECORDS])
            assert (answer.status, answer.json()["rejected"]) == (202, 0), answer.body
            requests.append(answer.json()["receipt"])
        totals: Counter[str] = Counter()
        for receipt in requests:
            wait_until(lambda path=receipt: self.client.get(path).json()["state"] == "done", 30, "recorded")  # type: ignore[misc]  # bound in the loop
            found = self.client.get(receipt).json()
            totals.update({name: found[name] for name in ("recorded", "duplicates", "conflicts", "quarantined")})
        return totals

    def ledger_size(self) -> int:
        query = (
            "SELECT coalesce(sum(size), 0)::bigint FROM sessions_log_ledgerhead h JOIN sessions_log_organization o"
            " ON o.id = h.organization_id WHERE o.slug = %s"
        )
        return int(self.portal.scalar(query, self.slug))


@pytest.fixture(scope="module")
def portal() -> Iterator[RunningPortal]:
    with running_portal() as portal:
        yield portal


@pytest.fixture
def tenant(portal: RunningPortal) -> Tenant:
    slug = f"history-{uuid.uuid4().hex[:12]}"
    return Tenant(portal, slug, portal.client(portal.make_organization(slug)))


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return history()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes records as a file of this name."""

    def write(records: list[dict[str, Any]], name: str = "records.ndjson") -> Path:
        file = tmp_path / name
        lines = as_lines(records)
        if name.endswith(".gz"):
            lines = gzip.compress(lines)
        if name.endswith(".zst"):
            lines = zstandard.compress(lines)
        file.write_bytes(lines)
        return file

    return write


def test_history_is_listed_found_by_its_users_and_known_again(
    tenant: Tenant, records: list[dict[str, Any]], write: Callable[..., Path]
) -> None:
    count = len(records)
    totals, _ = tenant.run(write(records), "--history")
    assert totals == _totals(read=count, recorded=count)
    listed = tenant.client.results(IMPORTED)
    assert _as_sent(listed) == _as_sent(records)
    users = Counter(record.get("userId") for record in records)
    found = {user: len(_by_user(tenant, user)) for user in users if user}
    assert found == {user: number for user, number in users.items() if user}

    again = random.Random(5).sample(records, count)
    again = [_altered(record) if number < ALTERED else record for number, record in enumerate(again)]
    by_command, by_http = again[::2], again[1::2]
    tenant.portal.accept_back(tenant.slug, 3650)
    totals, _ = tenant.run(write(by_command), "--history")
    wait_until(lambda: tenant.client.send(by_http[:1]).status == 202, 10, "the API takes records of years ago")
    seen = tenant.send(by_http) + Counter({name: totals[name] for name in ("recorded", "duplicates", "conflicts")})
    assert seen == {"duplicates": count - ALTERED, "conflicts": ALTERED}
    assert _as_sent(tenant.client.results(f"to={_day_after(records)}")) == _as_sent(records)


def test_the_same_file_without_ids_gives_an_entry_for_each_line_once(
    tenant: Tenant, records: list[dict[str, Any]], write: Callable[..., Path]
) -> None:
    nameless = write([{name: value for name, value in record.items() if name != "id"} for record in records])
    before = tenant.ledger_size()
    assert tenant.run(nameless, "--history")[0] == _totals(read=len(records), recorded=len(records))
    assert len(tenant.client.results(IMPORTED)) == len(records)
    assert tenant.run(nameless, "--history")[0] == _totals(read=len(records), duplicates=len(records))
    assert len(tenant.client.results(IMPORTED)) == len(records)
    assert tenant.ledger_size() > before + len(records)  # the commands' own records beside them


def test_compressed_files_hold_the_same_records(
    tenant: Tenant, records: list[dict[str, Any]], write: Callable[..., Path]
) -> None:
    some = records[:1200]
    assert tenant.run(write(some, "records.ndjson.gz"), "--history")[0] == _totals(read=1200, recorded=1200)
    assert tenant.run(write(some, "records.ndjson.zst"), "--history")[0] == _totals(read=1200, duplicates=1200)


def test_compressed_files_put_together_are_read_to_the_end_and_cut_ones_are_not_taken_for_whole(
    tenant: Tenant, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    first, second = as_lines(records[:30]), as_lines(records[30:70])
    for name, pack in (("two.gz", gzip.compress), ("two.zst", zstandard.compress)):
        file = tmp_path / name
        file.write_bytes(pack(first) + pack(second))
        assert tenant.run(file, "--history")[0]["read"] == 70
        file.write_bytes(pack(first) + pack(second)[:-20])
        cut = tenant.portal.manage(*tenant.command(file, "--history"), check=False)
        assert (cut.returncode, cut.stdout) == (1, "")
        assert "Traceback" not in cut.stderr


def test_import_killed_in_the_middle_is_taken_up_by_the_next_run(
    tenant: Tenant, records: list[dict[str, Any]], write: Callable[..., Path]
) -> None:
    """Without ids, which is the harder case: only file and place tell the lines apart."""
    many = [{**record, "id": None, "traceId": f"round-{turn}"} for turn in range(8) for record in records]
    file = write(many)
    importing = subprocess.Popen(
        [sys.executable, "manage.py", *tenant.command(file, "--history")],
        cwd=ROOT,
        env=tenant.portal.operator(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with tenant.portal.connect() as connection:
        while _requests_stored(connection, tenant) < 3:
            assert importing.poll() is None
        os.kill(importing.pid, signal.SIGKILL)
        importing.wait()
        assert 3 <= _requests_stored(connection, tenant) < len(many) // MOST_RECORDS
    totals, _ = tenant.run(file, "--history")
    assert totals["duplicates"] >= 3 * MOST_RECORDS
    assert totals == _totals(read=len(many), recorded=len(many) - totals["duplicates"], duplicates=totals["duplicates"])
    assert Counter(one["traceId"] for one in tenant.client.results(IMPORTED)) == {
        f"round-{turn}": len(records) for turn in range(8)
    }


def test_bad_lines_are_told_with_their_place_and_reason_and_the_rest_is_taken(
    tenant: Tenant, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    good = [json.dumps(record) for record in records[:5]]
    bad = {
        2: ('{"sessionId": "s", "timestamp"', "$ "),
        4: (json.dumps(records[5] | {"action": "coffee.make"}), "$.action not in the vocabulary"),
        5: (json.dumps(records[6] | {"timestamp": "yesterday"}), "$.timestamp "),
        7: (
            json.dumps({"timestamp": "2023-07-10T11:42:18Z", "action": "record.view"}),
            "$ object missing required field",
        ),
        8: (json.dumps(records[7] | {"ipAddress": "x" * 300}), "$.ipAddress longer than 255 bytes"),
    }
    lines = [bad[number][0] if number in bad else good.pop() for number in range(1, 11)]
    file = tmp_path / "mixed.ndjson"
    file.write_text("\n".join(lines))
    totals, told = tenant.run(file, "--history")
    assert totals == _totals(read=10, recorded=5, rejected=5)
    for line, (number, (_, reason)) in zip(told.splitlines(), bad.items(), strict=True):
        assert line.startswith(f"record {number}: {reason}")
    assert len(tenant.client.results(IMPORTED)) == 5


def test_without_history_old_lines_are_refused_and_new_ones_taken(
    tenant: Tenant, records: list[dict[str, Any]], write: Callable[..., Path]
) -> None:
    new = [
        record | {"id": f"new-{number}", "timestamp": _minutes_ago(number)} for number, record in enumerate(records[:3])
    ]
    totals, told = tenant.run(write(records[:20] + new))
    assert totals == _totals(read=23, recorded=3, rejected=20)
    assert re.fullmatch(
        r"record 1: \$\.timestamp before [0-9T:-]{16}Z, as far back as this organization takes; import history instead",
        told.splitlines()[0],
    )
    assert _as_sent(tenant.client.results(IMPORTED)) == _as_sent(new)


def _requests_stored(connection: psycopg.Connection, tenant: Tenant) -> int:
    """How many requests of imports there are."""
    query = (
        "SELECT count(*) FROM sessions_log_inbox i JOIN sessions_log_organization o ON o.id = i.organization_id"
        " WHERE i.lane = 1 AND o.slug = %s"
    )
    row = connection.execute(query, (tenant.slug,)).fetchone()
    return int(row[0]) if row else 0


def _totals(*, read: int, recorded: int = 0, duplicates: int = 0, rejected: int = 0) -> dict[str, int]:
    """The last line of output, where nothing is in conflict or quarantined."""
    return {
        "read": read,
        "accepted": read - rejected,
        "rejected": rejected,
        "recorded": recorded,
        "duplicates": duplicates,
        "conflicts": 0,
        "quarantined": 0,
    }


def _as_sent(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What identifies records, sorted: equal for what was sent and what is listed."""
    names = ("id", "userId", "sessionId", "action", "ipAddress", "userAgent", "outcome")
    return sorted(
        (datetime.fromisoformat(record["timestamp"]), *(str(record.get(name)) for name in names)) for record in records
    )


def _by_user(tenant: Tenant, user: str) -> list[dict[str, Any]]:
    return tenant.client.results(f"{IMPORTED}&{urlencode({'userId': user})}")


def _altered(record: dict[str, Any]) -> dict[str, Any]:
    """Another record under the same id and timestamp."""
    return record | {"metadata": {**(record.get("metadata") or {}), "altered": True}}


def _day_after(records: list[dict[str, Any]]) -> str:
    latest = max(datetime.fromisoformat(record["timestamp"]) for record in records)
    return (latest + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes_ago(minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(timespec="seconds")
