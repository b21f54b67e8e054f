"""The running portal signs what it recorded within seconds, and goes on where it stopped."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sessions_log.domain.checkpoint import Checkpoint, parse_checkpoint
from sessions_log.domain.merkle import is_consistent
from sessions_log.domain.signed_note import VerifierKey, parse_note, verified
from tests.faults.running_portal import RunningPortal, running_portal, wait_until

pytestmark = pytest.mark.slow
SIGNED_WITHIN_S = 10.0
SLUG = "ledger-served"


@pytest.fixture(scope="module")
def portal() -> Iterator[RunningPortal]:
    with running_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def key(portal: RunningPortal) -> str:
    portal.make_organization(SLUG)
    scopes = ("--scope=ingest", "--scope=ledger")
    return portal.manage("create_service_key", "--organization", SLUG, *scopes).stdout.strip()


def get(portal: RunningPortal, key: str, below: str) -> str:
    answer = portal.client(key).get(f"/api/v1/ledgers/{SLUG}/{below}")
    return answer.body.decode() if answer.status == 200 else ""


def latest(portal: RunningPortal, key: str) -> Checkpoint:
    note = parse_note(get(portal, key, "checkpoint").encode())
    assert verified(note, [VerifierKey.parsed(line) for line in get(portal, key, "keys").splitlines()])
    return parse_checkpoint(note.text)


def send(portal: RunningPortal, key: str) -> str:
    record = {"sessionId": "s", "timestamp": datetime.now(UTC).isoformat(), "action": "record.view"}
    answer = portal.client(key).send(record)
    return str(answer.json()["receipts"][0]["entryId"])


def prove(portal: RunningPortal, key: str, entry_id: str) -> float:
    """Wait for the entry's proof. Returns how long it took, in seconds."""
    began = time.monotonic()
    wait_until(lambda: bool(get(portal, key, f"proof/{entry_id}")), 30, "the entry is proven")
    return time.monotonic() - began


def test_record_is_under_a_checkpoint_within_ten_seconds(portal: RunningPortal, key: str) -> None:
    assert prove(portal, key, send(portal, key)) < SIGNED_WITHIN_S


def test_ledger_goes_on_after_its_recorder_was_killed(portal: RunningPortal, key: str) -> None:
    prove(portal, key, send(portal, key))
    old = latest(portal, key)
    killed = portal.pid("recorder")
    os.kill(killed, signal.SIGKILL)
    prove(portal, key, send(portal, key))
    new = latest(portal, key)
    head, _, _ = get(portal, key, f"consistency?old={old.size}").partition("\n\n")
    path = [parse_hash(line) for line in head.splitlines()[1:]]
    assert portal.pid("recorder") != killed
    assert new.size > old.size
    assert is_consistent(old.size, old.root, new.size, new.root, path)


def parse_hash(line: str) -> bytes:
    return parse_checkpoint(f"proof\n0\n{line}\n").root
