"""An exported ledger: the files that are served, and what the verifier that stands alone says of them."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from sessions_log import wiring
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.ports import HeadRefused, KeyDestroyed
from tests.integration.api import SESSION_LOGS, accepted, call
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
VERIFIER = Path(__file__).resolve().parents[2] / "compliance" / "static" / "portal" / "muniment_verify.py"


@pytest.fixture
def publish(record_all: Callable[[], None], checkpointer: Checkpointer) -> Callable[[], None]:
    """Record what is sent, and sign."""

    def run() -> None:
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            checkpointer.publish(datetime.now(UTC))

    return run


@pytest.fixture
def tenant(publish: Callable[[], None]) -> Tenant:
    """A ledger of one whole bundle and a part, a statement in it."""
    tenant = make_tenant()
    accepted(tenant, [session_record(ipAddress="192.0.2.1", target={"type": "order", "id": "7"}) for _ in range(270)])
    with transaction.atomic():
        make_statement(
            MakeStatement(
                organization_id=tenant.organization.id, type="policy", details={"days": 3}, at=datetime.now(UTC)
            ),
            wiring.ports(),
        )
    publish()
    return tenant


def export(tenant: Tenant, folder: Path, *options: str) -> dict[str, object]:
    out = io.StringIO()
    call_command("export_ledger", "--organization", tenant.organization.slug, *options, str(folder), stdout=out)
    told: dict[str, object] = json.loads(out.getvalue())
    return told


def verified(folder: Path, keys: Path, *options: object) -> tuple[int, str]:
    """Exit status, and what the verifier said."""
    arguments = [sys.executable, "-I", str(VERIFIER), "ledger", str(folder), "--key", str(keys), *map(str, options)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_those_that_are_served(tenant: Tenant, tmp_path: Path) -> None:
    told = export(tenant, tmp_path / "ledger")

    files = files_in(tmp_path / "ledger")
    size = int(files["checkpoint"].split(b"\n")[1])
    assert told["entries"] == size
    assert told["files"] == len(files)
    rest = size - 256
    assert set(files) == {
        "checkpoint", "keys", "tile/entries/000", f"tile/entries/001.p/{rest}", "tile/0/000", f"tile/0/001.p/{rest}",
        "tile/1/000.p/1",
    }  # fmt: skip
    for name, content in files.items():
        answer = call("GET", f"/api/v1/ledgers/{tenant.organization.slug}/{name}", tenant)
        assert (name, answer.body) == (name, content)


def test_verifier_takes_the_folder_and_a_zip_of_it(tenant: Tenant, tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    export(tenant, folder, "--with-rows")
    keys = folder / "keys"
    flat = shutil.make_archive(str(tmp_path / "flat"), "zip", folder)
    nested = shutil.make_archive(str(tmp_path / "nested"), "zip", tmp_path, "ledger")
    for path in (folder, Path(flat), Path(nested)):
        status, words = verified(path, keys)
        assert (status, words[:6]) == (0, "holds:"), words
        assert "rows in the bundle: " in words


def test_rows_are_of_every_entry_and_nothing_sealed_is_in_them(tenant: Tenant, tmp_path: Path) -> None:
    told = export(tenant, tmp_path / "ledger", "--with-rows")
    lines = [
        json.loads(line)
        for name, content in sorted(files_in(tmp_path / "ledger").items())
        if name.startswith("rows/")
        for line in content.splitlines()
    ]
    assert [line["seq"] for line in lines] == list(range(int(str(told["entries"]))))
    assert {line["kind"] for line in lines} == {1, 4}
    whole = json.dumps(lines)
    assert not any(value in whole for value in ("m.russo", "session-one", "192.0.2.1"))


def test_changed_row_is_named(tenant: Tenant, tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    export(tenant, folder, "--with-rows")
    path = folder / "rows" / "000.ndjson"
    lines = path.read_text().splitlines()
    row = json.loads(lines[17])
    row["columns"]["outcome"] = "denied"
    path.write_text("\n".join([*lines[:17], json.dumps(row), *lines[18:]]))
    status, words = verified(folder, folder / "keys")
    assert (status, words.strip()) == (1, "NOT PROVEN: entry 17: the columns are not those that the leaf stands for")


def test_later_export_is_held_against_a_checkpoint_that_was_kept(
    tenant: Tenant, tmp_path: Path, publish: Callable[[], None]
) -> None:
    export(tenant, tmp_path / "old")
    accepted(tenant, [session_record() for _ in range(3)])
    publish()
    export(tenant, tmp_path / "new")
    kept, keys = tmp_path / "old" / "checkpoint", tmp_path / "old" / "keys"
    status, words = verified(tmp_path / "new", keys, "--against", kept)
    assert (status, "it only grew since the checkpoint of " in words) == (0, True)
    assert verified(tmp_path / "old", keys, "--against", tmp_path / "new" / "checkpoint")[0] == 1


def test_export_is_a_record_of_the_operator(tenant: Tenant, tmp_path: Path, record_all: Callable[[], None]) -> None:
    told = export(tenant, tmp_path / "ledger")
    record_all()
    rows = call("GET", SESSION_LOGS, tenant).json["results"]
    commands = [row["metadata"] for row in rows if row["action"] == "admin.command"]
    assert commands == [{"entries": told["entries"], "rows": False}]


def test_folder_with_something_in_it_is_refused(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(CommandError, match="the folder is not empty"):
        export(tenant, tmp_path)
    with pytest.raises(CommandError, match="the folder cannot be written: File exists"):
        export(tenant, tmp_path / "notes")
    assert files_in(tmp_path) == {"notes": b"mine"}


def test_ledger_without_checkpoint_and_unknown_organization_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no checkpoint yet"):
        export(make_tenant(), tmp_path / "ledger")
    with pytest.raises(CommandError, match="there is no organization 'nobody'"):
        call_command("export_ledger", "--organization", "nobody", str(tmp_path / "ledger"))
    assert not (tmp_path / "ledger").exists()
