"""A record's page says so when what is stored is not what was signed, and its evidence holds nowhere else either."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from sessions_log import wiring
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.ports import HeadRefused, KeyDestroyed
from tests.integration.api import accepted
from tests.integration.test_portal_records import person, signed_in
from tests.organizations import Tenant, make_tenant, session_record
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")
LOGS = "/admin/sessions_log/sessionlog/"
VERIFIER = Path(__file__).resolve().parents[2] / "compliance" / "static" / "portal" / "muniment_verify.py"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def entry(tenant: Tenant, store: PostgresRecorderStore, record_all: Callable[[], None]) -> str:
    """A record under a checkpoint."""
    own_id = str(accepted(tenant, session_record())["receipts"][0]["entryId"])
    record_all()
    with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
        wiring.checkpointer(store, 0).publish(datetime.now(UTC))
    return own_id


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """An officer's browser."""
    return signed_in(person(tenant))


def checked(tmp_path: Path, client: Client, tenant: Tenant, entry: str) -> int:
    """What the verifier that stands alone ends with, given the record's evidence."""
    evidence, keys = tmp_path / "evidence.json", tmp_path / "keys"
    evidence.write_bytes(client.get(f"{LOGS}{entry}/evidence/").content)
    keys.write_text("\n".join(map(str, wiring.ledger_keys(tenant.organization.uid, tenant.organization.slug))))
    command = [sys.executable, "-I", str(VERIFIER), "entry", str(evidence), "--key", str(keys)]
    return subprocess.run(command, capture_output=True, check=False).returncode


_CHANGES = {
    "a column": (
        "sessionlog", "UPDATE sessions_log_sessionlog SET outcome = 3 WHERE id = '{entry}'",
        "What is stored of the entry does not give the leaf",
    ),
    "a sealed part": (
        "sessionlog",
        "UPDATE sessions_log_sessionlog SET identity = set_byte(identity, 40, (get_byte(identity, 40) + 1) % 256)"
        " WHERE id = '{entry}'",
        "What is stored of the entry does not give the leaf",
    ),
    "another leaf": (
        "leaftail",
        "UPDATE sessions_log_leaftail SET leaves = set_byte(leaves, 20, (get_byte(leaves, 20) + 1) % 256)"
        " WHERE organization_id = {org} AND first_seq = 0",
        "The leaf does not lead to the root",
    ),
    "all leaves": (
        "leaftail", "DELETE FROM sessions_log_leaftail WHERE organization_id = {org}",
        "The ledger holds no leaf at this place",
    ),
    "the checkpoint": (
        "checkpoint",
        "UPDATE sessions_log_checkpoint SET note = replace(note, chr(8212), '-') WHERE organization_id = {org}",
        "The checkpoint is not signed by the key of the ledger",
    ),
}  # fmt: skip


def test_untouched_record_is_proven_here_and_elsewhere(
    client: Client, tenant: Tenant, entry: str, tmp_path: Path
) -> None:
    assert "checked just now" in client.get(f"{LOGS}{entry}/").content.decode()
    assert checked(tmp_path, client, tenant, entry) == 0


@pytest.mark.parametrize("change", _CHANGES)
def test_change_is_said_on_the_record_and_its_evidence_does_not_hold(
    connect: Connect, client: Client, tenant: Tenant, entry: str, tmp_path: Path, change: str
) -> None:
    table, statement, words = _CHANGES[change]
    connection, is_guarded = connect("superuser"), table != "leaftail"
    with connection.transaction():
        if is_guarded:
            connection.execute(f"ALTER TABLE sessions_log_{table} DISABLE TRIGGER evidence".encode())
        assert connection.execute(statement.format(org=tenant.organization.id, entry=entry).encode()).rowcount
        if is_guarded:
            connection.execute(f"ALTER TABLE sessions_log_{table} ENABLE ALWAYS TRIGGER evidence".encode())

    page = client.get(f"{LOGS}{entry}/").content.decode()

    assert "does not hold" in page
    assert words in page
    assert "checked just now" not in page
    assert checked(tmp_path, client, tenant, entry) == 1
