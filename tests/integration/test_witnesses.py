"""What witnesses are asked, and what becomes of each answer; they are programs of their own."""

import ssl
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from sessions_log import tasks
from sessions_log.adapters import witness_client
from sessions_log.adapters.witness_client import ROUND_S
from sessions_log.domain import witness_answer
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.signed_note import VerifierKey
from sessions_log.domain.witness_policy import Witness
from sessions_log.models import Cosignature
from sessions_log.ports import Uncosigned
from sessions_log.queries.signatures import cosignature_faults
from tests.conftest import RunAs
from tests.e2e.tls_servers import Authority
from tests.integration.witnessed_ledger import LATER, Ledger, OnlyOf
from tests.witnesses import RunningWitness, policy_of

pytestmark = pytest.mark.usefixtures("db")
pytest_plugins = ["tests.integration.witness_fixtures"]


def test_first_checkpoint_and_growth_are_cosigned(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    first = own.latest.size
    assert own.seek(policy) == 1
    own.grow(300)
    assert own.seek(policy) == 1
    assert own.seek(policy) == 0
    assert north.asked() == [f"old 0 {first}", f"old {first} {own.latest.size}"]
    rows = Cosignature.objects.filter(organization_id=own.id).order_by("id")
    assert [(row.size, row.witness, bytes(row.key_id)) for row in rows] == [
        (size, north.key.name, north.key.id) for size in (first, own.latest.size)
    ]
    assert abs(rows[0].cosigned_at - timezone.now()) < timedelta(minutes=1)
    assert list(cosignature_faults(own.id, policy)) == []


def test_witness_that_holds_another_size_is_asked_from_there(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    first = own.latest.size
    own.seek(policy)
    own.grow(5)
    own.forget(north)
    assert own.seek(policy) == 1
    assert north.asked()[1:] == [f"old 0 {own.latest.size}", f"old {first} {own.latest.size}"]
    assert own.standing(north) == (own.latest.size, "")


def test_answer_that_was_lost_is_asked_for_again(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    own.seek(policy)
    size = own.latest.size
    own.forget(north)
    assert own.seek(policy) == 1
    assert north.asked()[1:] == [f"old 0 {size}", f"old {size} {size}"]


def test_witness_that_is_ahead_is_a_finding(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    smaller = own.latest
    own.grow(3)
    own.seek(policy)
    own.forget(north)

    class Restored(OnlyOf):
        """The ledger as an old backup has it."""

        def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
            due = super().due(witnesses, now)
            return [one._replace(size=smaller.size, note=smaller.note, checkpoint_id=smaller.id) for one in due]

    assert own.seek(policy, store=Restored(own.id)) == 0
    assert own.standing(north) == (0, "ahead")
    assert "a larger ledger than there is here" in own.findings(policy)["fork"]


@pytest.mark.parametrize("records", [0, 4])
def test_ledger_that_forked_is_refused_and_never_witnessed(own: Ledger, north: RunningWitness, records: int) -> None:
    policy = policy_of(north)
    size, forged = own.latest.size, Frontier().grown([leaf_hash(b"another")] * own.latest.size)[0]
    north.remember(own.origin, size, forged.root())
    if records:
        own.grow(records)
    assert own.seek(policy) == 0
    assert own.standing(north) == (0, "forked")
    assert "another ledger under this name" in own.findings(policy)["fork"]
    assert own.witnessed_size(policy) is None
    assert not Cosignature.objects.filter(organization_id=own.id).exists()


@pytest.mark.parametrize(
    ("mode", "refusal"),
    [
        ("wrong_signature", "false"),
        ("other_key", "false"),
        ("old_time", "false"),
        ("early_time", "false"),
        ("no_lines", "false"),
        ("huge", "false"),
        ("nonsense_size", "false"),
        ("elsewhere", "away"),
        ("fault", "away"),
    ],
)
def test_answer_that_is_no_cosignature_is_not_kept(own: Ledger, north: RunningWitness, mode: str, refusal: str) -> None:
    policy = policy_of(north)
    north.tell(mode=mode)
    assert own.seek(policy) == 0
    assert own.standing(north) == (0, refusal)
    assert own.witnessed_size(policy) is None
    assert len(north.asked()) == 1
    north.tell(mode="honest")
    assert own.seek(policy, after=LATER) == 1
    assert own.standing(north) == (own.latest.size, "")


@pytest.mark.parametrize(("logs", "refusal"), [("none", "unknown_ledger"), ("other", "unknown_key")])
def test_witness_that_does_not_know_the_ledger_says_so(
    own: Ledger, north: RunningWitness, logs: str, refusal: str
) -> None:
    other = str(VerifierKey(own.origin, 1, bytes(32)))
    north.tell(logs={"none": [], "other": [other]}[logs])
    assert own.seek(policy_of(north)) == 0
    assert own.standing(north) == (0, refusal)


def test_slow_witness_holds_up_neither_the_round_nor_others(
    own: Ledger, north: RunningWitness, south: RunningWitness
) -> None:
    policy = policy_of(north, south, needed=1)
    north.tell(mode="slow")
    began = time.monotonic()
    assert own.seek(policy) == 1
    assert time.monotonic() - began < ROUND_S + 2
    assert own.standing(north) == (0, "away")
    assert own.witnessed_size(policy) == own.latest.size


def test_certificate_of_a_witness_is_verified(
    own: Ledger, north: RunningWitness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority.make(tmp_path / "authority")
    north.stop()
    north.speak_tls(authority.key.read_bytes() + authority.certificate.read_bytes())
    north.start()
    assert own.seek(policy_of(north)) == 0
    assert own.standing(north) == (0, "away")
    assert north.asked() == []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    monkeypatch.setattr(witness_client, "_verified", ssl.create_default_context)  # it is kept for the process
    assert own.seek(policy_of(north), after=LATER) == 1


def test_witness_that_fails_is_left_alone_for_longer_each_time(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    north.tell(mode="fault")
    waits = [timedelta(seconds=seconds) for seconds in (0, 9, 11, 19, 22)]
    asked = []
    for wait in waits:
        own.seek(policy, after=wait)
        asked.append(len(north.asked()))
    assert asked == [1, 1, 2, 2, 3]


def test_scheduled_work_asks_the_witnesses_that_the_settings_name(
    own: Ledger, north: RunningWitness, run_as: RunAs, settings: Settings
) -> None:
    settings.WITNESS_POLICY = policy_of(north)
    with run_as("worker"):
        tasks.seek_cosignatures()
    assert own.standing(north) == (own.latest.size, "")


def test_round_leaves_no_transaction_open(own: Ledger, north: RunningWitness) -> None:
    """A transaction that writes and waits for a witness would hold back the inbox."""
    seen: list[bool] = []

    def ask(requests: Sequence[tuple[Witness, str]]) -> list[witness_answer.Answer | None]:
        seen.append(connection.in_atomic_block)
        return [None] * len(requests)

    own.seek(policy_of(north), ask=ask)
    assert set(seen) == {False}


def test_damaged_tree_is_said_and_shown_to_nobody(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    own.seek(policy)
    own.grow(3)
    asked = north.asked()
    assert own.seek(policy, subtrees=lambda _: _damaged) == 0
    assert own.standing(north)[1] == "unproven"
    assert north.asked() == asked
    assert own.seek(policy, after=LATER) == 1


def _damaged(level: int, number: int) -> bytes:
    raise ValueError("not a power of two")
