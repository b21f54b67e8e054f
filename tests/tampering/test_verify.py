"""What a superuser does to the stored evidence is named by `manage.py verify`."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.management import CommandError, call_command

from sessions_log import wiring
from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.leaf import bundle, unbundle
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.signed_note import SignerKey, signed
from sessions_log.models import Checkpoint as StoredCheckpoint
from sessions_log.models import LedgerHead
from tests.conftest import Servers
from tests.organizations import Tenant
from tests.tampering.conftest import Connect, Tamper, Verify

pytestmark = pytest.mark.usefixtures("db")


def test_untouched_ledger_is_well(verify: Verify, tmp_path: Path, tenant: Tenant) -> None:
    assert verify() == []
    assert verify("--from", "300") == []
    first = StoredCheckpoint.objects.filter(organization_id=tenant.organization.id).earliest("id")
    kept = tmp_path / "kept"
    kept.write_text(first.note)
    assert verify("--against", str(kept)) == []


_ROW = "WHERE organization_id = {org} AND seq = 300"
_OTHER_VALUES = {
    "action": "'record.delete'", "outcome": "3", "sensitive": "true", "duration": "7", "detectors": "9", "policy": "9",
    "target_type": "'order'", "ai_model": "'gpt'", "timestamp": "timestamp + interval '1 microsecond'",
    "recorded_at": "recorded_at - interval '1 hour'", "subject_id": "gen_random_uuid()",
    "session_id": "gen_random_uuid()", "target_id": "gen_random_uuid()", "address_id": "NULL", "hour": "hour + 1",
    "findings": "'{{\"email\": 1}}'", "nonce": "decode(repeat('00', 16), 'hex')",
    "identity": "set_byte(identity, 40, (get_byte(identity, 40) + 1) % 256)",
    "service_id": "(SELECT min(id) FROM sessions_log_service WHERE organization_id = {org} AND id <> service_id)",
}  # fmt: skip


@pytest.mark.parametrize("column", _OTHER_VALUES)
def test_edited_column_is_named(verify: Verify, tamper: Tamper, column: str) -> None:
    tamper("sessionlog", f'UPDATE sessions_log_sessionlog SET "{column}" = {_OTHER_VALUES[column]} {_ROW}')
    (fault,) = verify()
    assert re.match(r"entry 300 \([0-9a-f-]{36}\): its row ", fault)


def test_deleted_row_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper("sessionlog", f"DELETE FROM sessions_log_sessionlog {_ROW}")
    assert verify() == ["entry 300: its row is missing"]


def test_swapped_rows_are_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "sessionlog",
        "UPDATE sessions_log_sessionlog SET seq = 301 - seq + 300 WHERE organization_id = {org} AND seq IN (300, 301)",
    )
    assert [fault.partition(" (")[0] for fault in verify()] == ["entry 300", "entry 301"]


def test_row_that_was_slipped_in_is_named(verify: Verify, tamper: Tamper) -> None:
    columns = (
        'organization_id, service_id, seq, "timestamp", recorded_at, hour, outcome, detectors, policy, sensitive,'
        " subject_id, session_id, action, nonce, identity"
    )
    tamper(
        "sessionlog",
        f"INSERT INTO sessions_log_sessionlog (id, {columns})"
        f" SELECT overlay(id::text placing 'abcdef' from 31)::uuid, {columns} FROM sessions_log_sessionlog {_ROW}",
    )
    faults = verify()
    assert len(faults) in (1, 2)
    assert "its row has no place in the ledger" in " ".join(faults)


def test_rows_of_the_past_may_be_passed_over(verify: Verify, tamper: Tamper) -> None:
    tamper("sessionlog", f"DELETE FROM sessions_log_sessionlog {_ROW}")
    assert verify("--from", "301") == []


def test_edited_bundle_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "leafbundle",
        "UPDATE sessions_log_leafbundle SET leaves = set_byte(leaves, 100, (get_byte(leaves, 100) + 1) % 256)"
        " WHERE organization_id = {org} AND number = 1",
    )
    faults = verify()
    assert "tree node 8/1: it is not the hash of the leaves below" in faults
    assert any(fault.startswith("entry 257 (") for fault in faults)


@pytest.mark.parametrize(
    "change", ["DELETE FROM sessions_log_leafbundle", "UPDATE sessions_log_leafbundle SET leaves = '\\x0043'"]
)
def test_lost_bundle_is_named(verify: Verify, tamper: Tamper, change: str) -> None:
    tamper("leafbundle", change + " WHERE organization_id = {org} AND number = 0")
    assert any(fault.startswith("bundle 0: ") for fault in verify())


def test_lost_tail_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper("leaftail", "DELETE FROM sessions_log_leaftail WHERE organization_id = {org}")
    assert any(fault.startswith("the ledger's head: it counts") for fault in verify())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE sessions_log_treenode SET hash = sha256('forged')", "it is not the hash of the leaves below"),
        ("DELETE FROM sessions_log_treenode", "it is "),
    ],
)
def test_edited_tree_is_named(verify: Verify, tamper: Tamper, change: str, words: str) -> None:
    tamper("treenode", change + " WHERE organization_id = {org} AND number = 0")
    assert any(fault.startswith(f"tree node 8/0: {words}") for fault in verify())


def test_edited_head_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "ledgerhead",
        "UPDATE sessions_log_ledgerhead SET frontier = set_byte(frontier, 0, (get_byte(frontier, 0) + 1) % 256)"
        " WHERE organization_id = {org}",
    )
    assert verify() == ["the ledger's head: its hashes are not those of the leaves"]


@pytest.mark.parametrize(
    "change",
    ["root = sha256('forged')", "size = size - 1", "note = replace(note, '\n\n', '\nmore\n\n')", "note = 'nothing'"],
)
def test_edited_checkpoint_is_named(verify: Verify, tamper: Tamper, change: str) -> None:
    tamper("checkpoint", f"UPDATE sessions_log_checkpoint SET {change} WHERE organization_id = {{org}}")
    assert all(fault.startswith("checkpoint of ") for fault in verify())


def test_ledger_set_back_does_not_fit_what_stands_beside_the_keys(verify: Verify, tamper: Tamper) -> None:
    tamper("checkpoint", "DELETE FROM sessions_log_checkpoint WHERE organization_id = {org}")
    tamper("sessionlog", "DELETE FROM sessions_log_sessionlog WHERE organization_id = {org} AND seq >= 512")
    tamper("leaftail", "DELETE FROM sessions_log_leaftail WHERE organization_id = {org}")
    tamper(
        "ledgerhead",
        "UPDATE sessions_log_ledgerhead SET size = 512, frontier = (SELECT sha256('\\x01'::bytea || a.hash || b.hash)"
        " FROM sessions_log_treenode a, sessions_log_treenode b WHERE a.organization_id = {org}"
        " AND b.organization_id = {org} AND (a.number, b.number) = (0, 1)) WHERE organization_id = {org}",
    )
    faults = verify()
    assert len(faults) == 1
    assert re.fullmatch(
        r"checkpoint beside the keys, line \d: it counts \d+ entries, and there are 512 leaves", faults[0]
    )


def test_checkpoint_of_another_ledger_or_key_is_refused(verify: Verify, tmp_path: Path, tenant: Tenant) -> None:
    forger = SignerKey.of_seed("localhost/elsewhere", bytes(32))
    head = LedgerHead.objects.get(organization_id=tenant.organization.id)
    kept = tmp_path / "kept"
    kept.write_text(str(signed(Checkpoint(forger.name, head.size, bytes(32)).text(), [forger])))
    assert verify("--against", str(kept)) == ["checkpoint in kept: not signed by a known key"]


def test_all_rewritten_and_signed_anew_is_caught_by_an_older_checkpoint_alone(
    verify: Verify, tamper: Tamper, tenant: Tenant, servers: Servers, tmp_path: Path, connect: Connect
) -> None:
    """Whoever has the database and the keys can make both fit; only what was kept elsewhere tells."""
    own = tenant.organization
    kept = tmp_path / "kept"
    kept.write_text(StoredCheckpoint.objects.filter(organization_id=own.id).latest("id").note)

    _rewrite(connect("superuser"), tamper, own.id)
    _sign_anew(servers.keyring, own.uid, own.id, tamper)

    assert verify() == []
    (fault,) = verify("--against", str(kept))
    assert re.fullmatch(r"checkpoint in kept: it counts \d+ entries, and there are \d+ leaves", fault)


def _rewrite(connection: psycopg.Connection[Any], tamper: Tamper, organization_id: int) -> None:
    """Drop the last entry's row and leaf and make head and tree fit."""
    (packed,) = connection.execute(
        "SELECT leaves FROM sessions_log_leaftail WHERE organization_id = %s ORDER BY first_seq DESC LIMIT 1",
        (organization_id,),
    ).fetchone() or (b"",)
    leaves = unbundle(packed)[:-1]
    tamper(
        "leaftail",
        "UPDATE sessions_log_leaftail SET leaves = %s WHERE organization_id = {org} AND leaves = %s",
        bundle(leaves),
        packed,
    )
    size = connection.execute(
        "SELECT size FROM sessions_log_ledgerhead WHERE organization_id = %s", (organization_id,)
    ).fetchone()
    assert size is not None
    tamper("sessionlog", "DELETE FROM sessions_log_sessionlog WHERE organization_id = {org} AND seq = %s", size[0] - 1)
    pieces = connection.execute(
        "SELECT leaves FROM (SELECT number * 256 AS at, leaves FROM sessions_log_leafbundle WHERE organization_id = %s"
        " UNION ALL SELECT first_seq, leaves FROM sessions_log_leaftail WHERE organization_id = %s) a ORDER BY at",
        (organization_id, organization_id),
    ).fetchall()
    tree, _ = Frontier().grown(leaf_hash(leaf) for (piece,) in pieces for leaf in unbundle(piece))
    tamper(
        "ledgerhead",
        "UPDATE sessions_log_ledgerhead SET size = %s, frontier = %s WHERE organization_id = {org}",
        tree.size,
        tree.packed(),
    )


def _sign_anew(keyring: Path, uid: UUID, organization_id: int, tamper: Tamper) -> None:
    """Forget what was signed, and sign the head that stands there now."""
    (keyring / "checkpoints" / f"{uid}.ndjson").unlink()
    head = LedgerHead.objects.get(organization_id=organization_id)
    frontier = Frontier.unpacked(head.size, bytes(head.frontier))
    note = wiring.ledger_signer().sign(uid, "", frontier, datetime.now(UTC))
    tamper("checkpoint", "DELETE FROM sessions_log_checkpoint WHERE organization_id = {org}")
    tamper(
        "checkpoint",
        "INSERT INTO sessions_log_checkpoint (organization_id, size, root, note, batch) VALUES ({org}, %s, %s, %s, 0)",
        head.size,
        frontier.root(),
        str(note),
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--organization", "no-such-organization"], "there is no organization 'no-such-organization'"),
        (["--against", "kept"], "--against needs --organization"),
        (["--from", "-1"], "--from must be 0 or more"),
        (["--organization", "portal", "--against", "/nowhere/kept"], "the checkpoint cannot be read"),
    ],
)
def test_what_cannot_be_verified_is_said(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("verify", *arguments)
