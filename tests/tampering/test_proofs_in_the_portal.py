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
from sessions_log.domain.leaf import bundle
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.models import Checkpoint as StoredCheckpoint
from sessions_log.ports import HeadRefused, KeyDestroyed
from sessions_log.queries.ledger import leaf_at
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


@pytest.fixture
def tamper(connect: Connect) -> Callable[..., None]:
    """Do something to a table as superuser, past its trigger."""
    connection = connect("superuser")

    def run(table: str, statement: str, *values: object) -> None:
        is_guarded = table != "leaftail"
        with connection.transaction():
            if is_guarded:
                connection.execute(f"ALTER TABLE sessions_log_{table} DISABLE TRIGGER evidence".encode())
            assert connection.execute(statement.encode(), values or None).rowcount
            if is_guarded:
                connection.execute(f"ALTER TABLE sessions_log_{table} ENABLE ALWAYS TRIGGER evidence".encode())

    return run


def test_untouched_record_is_proven_here_and_elsewhere(
    client: Client, tenant: Tenant, entry: str, tmp_path: Path
) -> None:
    assert "checked just now" in client.get(f"{LOGS}{entry}/").content.decode()
    assert checked(tmp_path, client, tenant, entry) == 0


@pytest.mark.parametrize("change", _CHANGES)
def test_change_is_said_on_the_record_and_its_evidence_does_not_hold(
    tamper: Callable[..., None], client: Client, tenant: Tenant, entry: str, tmp_path: Path, change: str
) -> None:
    table, statement, words = _CHANGES[change]
    tamper(table, statement.format(org=tenant.organization.id, entry=entry))

    page = client.get(f"{LOGS}{entry}/").content.decode()

    assert "does not hold" in page
    assert words in page
    assert "checked just now" not in page
    assert checked(tmp_path, client, tenant, entry) == 1


def test_root_beside_the_note_is_not_believed(
    tamper: Callable[..., None], client: Client, tenant: Tenant, entry: str
) -> None:
    own = tenant.organization.id
    size = StoredCheckpoint.objects.filter(organization_id=own).latest("id").size
    leaves = [leaf_at(own, seq) for seq in range(size)]
    leaves[0] = leaves[0][:-1] + bytes((leaves[0][-1] ^ 1,))
    root = Frontier().grown(map(leaf_hash, leaves))[0].root()
    tamper("leaftail", "DELETE FROM sessions_log_leaftail WHERE organization_id = %s", own)
    kept = "INSERT INTO sessions_log_leaftail (organization_id, first_seq, leaves) VALUES (%s, 0, %s)"
    tamper("leaftail", kept, own, bundle(leaves))
    tamper("checkpoint", "UPDATE sessions_log_checkpoint SET root = %s WHERE organization_id = %s", root, own)

    assert "The leaf does not lead to the root" in client.get(f"{LOGS}{entry}/").content.decode()
