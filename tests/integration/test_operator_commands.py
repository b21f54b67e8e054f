"""The operator's commands: what they print, what they store, and the record each leaves."""

import getpass
import gzip
import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from django.core.management import CommandError, call_command

from sessions_log.commands.recording import Recorder
from sessions_log.models import SessionLog
from tests.conftest import Servers
from tests.integration.api import SESSION_LOGS, accepted, call, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
ROOT = Path(__file__).resolve().parent.parent.parent
LONG_AGO = "2019-03-31T23:30:00-05:00"


@pytest.fixture
def recording(recorder: Recorder) -> Iterator[None]:
    """A recorder at work beside the test."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            if not recorder.record_batch(datetime.now(UTC)):
                stop.wait(0.02)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def _import(tenant: Tenant, file: Path, *options: str) -> tuple[dict[str, int], str]:
    """Totals, and what was said of rejected records."""
    out, errors = io.StringIO(), io.StringIO()
    call_command(
        "import_records", "--organization", tenant.organization.slug, "--kind", "session-log", *options, str(file),
        stdout=out, stderr=errors
    )  # fmt: skip
    totals: dict[str, int] = json.loads(out.getvalue().splitlines()[-1])
    return totals, errors.getvalue()


def _written(folder: Path, records: list[Any], name: str = "records.ndjson") -> Path:
    text = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    compress: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}
    path = folder / name
    path.write_bytes(compress.get(path.suffix, bytes)(text))
    return path


def _portal_records(tenant: Tenant, action: str) -> list[dict[str, Any]]:
    """The portal's records of this action; a command's own record may be recorded a moment after what it did."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        rows = call("GET", SESSION_LOGS, tenant, query={"limit": "500"}).json["results"]
        if of_action := [one for one in rows if one["action"] == action]:
            return of_action
        threading.Event().wait(0.02)
    return []


def _manage(servers: Servers, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=servers.environment("web"), capture_output=True,
        text=True, check=False
    )  # fmt: skip


def test_key_is_printed_alone_and_works_and_its_making_is_a_record_of_the_operator(
    servers: Servers, record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    done = _manage(
        servers,
        "create_service_key",
        "--organization",
        tenant.organization.slug,
        "--scope",
        "ingest",
        "--service",
        "kitchen",
    )
    assert done.returncode == 0, done.stderr
    token = done.stdout.removesuffix("\n")
    answer = call(
        "POST", SESSION_LOGS, body=json.dumps(session_record()).encode(), headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status == 202

    record_all()
    change = _portal_records(tenant, "admin.change")[0]
    assert change["userId"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert change["userAgent"] == "manage.py create_service_key"
    assert change["target"] == {"type": "service_key", "id": token[4:16]}
    assert token[17:] not in json.dumps(_portal_records(tenant, "admin.change"))


def test_organizations_are_listed_by_slug_and_name(servers: Servers) -> None:
    tenants = [make_tenant(), make_tenant()]
    done = _manage(servers, "list_organizations")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {f"{tenant.organization.slug}\tTrattoria Uno" for tenant in tenants} <= set(lines)
    assert lines == sorted(lines, key=lambda line: line.split("\t")[0])


def test_command_on_an_organization_that_is_not_there_says_so() -> None:
    for command in (
        ("create_service_key", "--organization", "nowhere", "--scope", "read"),
        ("import_records", "--organization", "nowhere", "--kind", "session-log", "records.ndjson"),
    ):
        with pytest.raises(CommandError, match="there is no organization 'nowhere'; see list_organizations"):
            call_command(*command)


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize("name", ["records.ndjson", "records.ndjson.gz", "records.ndjson.zst"])
def test_file_is_imported_whole_whatever_its_form(tmp_path: Path, name: str) -> None:
    tenant = make_tenant()
    totals, said = _import(tenant, _written(tmp_path, [session_record() for _ in range(1_203)], name))
    assert totals == {
        "read": 1_203, "accepted": 1_203, "rejected": 0, "recorded": 1_203, "duplicates": 0, "conflicts": 0,
        "quarantined": 0,
    }  # fmt: skip
    assert said == ""
    assert SessionLog.objects.filter(organization_id=tenant.organization.id, action="record.view").count() == 1_203


@pytest.mark.usefixtures("recording")
def test_second_import_of_a_file_finds_duplicates_alone_ids_or_not(tmp_path: Path) -> None:
    tenant = make_tenant()
    without_id = {name: value for name, value in session_record().items() if name != "id"}
    file = _written(tmp_path, [session_record(), without_id, without_id])
    assert _import(tenant, file)[0]["recorded"] == 3
    again, _ = _import(tenant, file)
    assert (again["recorded"], again["duplicates"], again["conflicts"]) == (0, 3, 0)


@pytest.mark.usefixtures("recording")
def test_altered_and_repeated_records_of_a_shuffled_file_are_told_apart(tmp_path: Path) -> None:
    tenant = make_tenant()
    records = [session_record() for _ in range(30)]
    _import(tenant, _written(tmp_path, records))
    altered = [one | {"outcome": "denied"} for one in records[:4]]
    totals, _ = _import(tenant, _written(tmp_path, (altered + records[4:])[::-1], "again.ndjson"))
    assert (totals["recorded"], totals["duplicates"], totals["conflicts"]) == (0, 26, 4)


@pytest.mark.usefixtures("recording")
def test_import_and_http_know_each_other_s_records(tmp_path: Path) -> None:
    tenant, records = make_tenant(), [session_record(), session_record()]
    accepted(tenant, records[0])
    totals, _ = _import(tenant, _written(tmp_path, records))
    assert (totals["recorded"], totals["duplicates"]) == (1, 1)


@pytest.mark.usefixtures("recording")
def test_history_is_taken_only_when_it_is_asked_for(tmp_path: Path) -> None:
    tenant = make_tenant()
    file = _written(tmp_path, [session_record(timestamp=LONG_AGO)])
    with pytest.raises(CommandError, match="not one line of the file is a record"):
        _import(tenant, file)
    taken, _ = _import(tenant, file, "--history")
    assert (taken["rejected"], taken["recorded"]) == (0, 1)
    assert [one["timestamp"] for one in found(tenant)] == ["2019-04-01T04:30:00Z"]


@pytest.mark.usefixtures("recording")
def test_bad_lines_are_named_by_number_and_the_others_imported(tmp_path: Path) -> None:
    tenant = make_tenant()
    file = tmp_path / "records.ndjson"
    good = json.dumps(session_record()).encode()
    file.write_bytes(good + b"\n\nnot json\n" + b'{"sessionId": "m.russo"}\n' + json.dumps(session_record()).encode())
    totals, said = _import(tenant, file)
    assert (totals["read"], totals["accepted"], totals["rejected"], totals["recorded"]) == (4, 2, 2, 2)
    assert [line.split()[:3] for line in said.splitlines()] == [["record", "2:", "$"], ["record", "3:", "$"]]
    assert "m.russo" not in said


@pytest.mark.usefixtures("recording")
def test_empty_file_imports_nothing(tmp_path: Path) -> None:
    totals, _ = _import(make_tenant(), _written(tmp_path, []))
    assert (totals["read"], totals["recorded"]) == (0, 0)


def test_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="the file cannot be read: No such file or directory"):
        _import(make_tenant(), tmp_path / "missing.ndjson")


@pytest.mark.usefixtures("recording")
@pytest.mark.parametrize("name", ["records.ndjson.gz", "records.ndjson.zst"])
def test_compressed_file_that_is_cut_short_ends_in_a_sentence(tmp_path: Path, name: str) -> None:
    file = _written(tmp_path, [session_record() for _ in range(50)], name)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(CommandError, match="is cut short or damaged"):
        _import(make_tenant(), file)


@pytest.mark.usefixtures("recording")
def test_import_leaves_a_record_of_who_ran_it(tmp_path: Path) -> None:
    tenant = make_tenant()
    _import(tenant, _written(tmp_path, [session_record()]), "--history")
    (command,) = _portal_records(tenant, "admin.command")
    assert command["userId"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert command["metadata"] == {"kind": "session-log", "history": True}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--days=0", "--days must be 1 to 3650"),
        ("--days=99999999", "--days must be 1 to 3650"),
        ("--records-per-minute=0", "--records-per-minute must be 1 to"),
        ("--records-per-minute=99999999999999", "--records-per-minute must be 1 to"),
        ("--service=a b", "--service must be letters"),
    ],
)
def test_key_that_would_be_of_no_use_is_not_made(option: str, words: str) -> None:
    tenant = make_tenant()
    with pytest.raises(CommandError, match=words):
        call_command("create_service_key", "--organization", tenant.organization.slug, "--scope", "ingest", option)


def test_organization_is_made_once_and_its_services_may_send() -> None:
    slug, out = f"made-{datetime.now(UTC):%H%M%S%f}", io.StringIO()
    call_command("create_organization", slug, "--name", "Trattoria Tre", stdout=out)
    assert out.getvalue() == f"{slug}\n"
    key = io.StringIO()
    call_command("create_service_key", "--organization", slug, "--scope", "ingest", stdout=key)
    sent = json.dumps(session_record()).encode()
    answer = call("POST", SESSION_LOGS, body=sent, headers={"authorization": f"Bearer {key.getvalue().strip()}"})
    assert answer.status == 202
    with pytest.raises(CommandError, match=slug):
        call_command("create_organization", slug, "--name", "Trattoria Tre")


@pytest.mark.parametrize(
    ("slug", "name"), [("a b", "x"), ("", "x"), ("x" * 64, "x"), ("no-name", ""), ("n", "x" * 201)]
)
def test_organization_that_cannot_be_is_refused(slug: str, name: str) -> None:
    with pytest.raises(CommandError, match=r"slug|name"):
        call_command("create_organization", slug, "--name", name)


@pytest.mark.usefixtures("recording")
def test_file_that_was_cut_short_is_known_again_when_it_comes_whole(tmp_path: Path) -> None:
    tenant = make_tenant()
    records = [{key: value for key, value in session_record().items() if key != "id"} for _ in range(40)]
    records = [one | {"timestamp": records[0]["timestamp"]} for one in records]
    whole = _written(tmp_path, records)
    cut = tmp_path / "cut.ndjson"
    cut.write_bytes(b"".join(whole.read_bytes().splitlines(keepends=True)[:25]))
    first, _ = _import(tenant, cut)
    second, _ = _import(tenant, whole)
    assert (first["recorded"], second["recorded"], second["duplicates"]) == (25, 15, 25)
