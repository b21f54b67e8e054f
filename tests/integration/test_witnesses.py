"""Ledgers and their witnesses, which are programs of their own: what they cosign, and what comes of their refusals."""

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from sessions_log import tasks, wiring
from sessions_log.adapters import witness_client
from sessions_log.adapters.cosignature_store import CosignatureStore
from sessions_log.adapters.witness_client import ROUND_S, ask_witnesses
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.witnessing import Witnessing
from sessions_log.domain import witness_answer
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.signed_note import VerifierKey, parse_note, verified
from sessions_log.domain.witness_policy import Witness, WitnessPolicy
from sessions_log.models import Checkpoint, Cosignature, WitnessStanding
from sessions_log.ports import HeadRefused, KeyDestroyed, Uncosigned
from sessions_log.queries import ledger
from sessions_log.queries.signatures import cosignature_faults
from sessions_log.queries.witnesses import WITNESSED_WITHIN, unwitnessed_ledgers, witness_findings
from tests.e2e.tls_servers import Authority
from tests.integration.api import Answer, accepted, call
from tests.integration.conftest import RunAs
from tests.organizations import Tenant, make_tenant, session_record
from tests.witnesses import RunningWitness, policy_of

pytestmark = pytest.mark.usefixtures("db")
LATER = timedelta(hours=1)


class _OnlyOf(CosignatureStore):
    """Of one ledger alone, whatever others the run of the tests has made."""

    def __init__(self, organization_id: int) -> None:
        super().__init__(most=1_000_000)
        self._organization_id = organization_id

    def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
        return [one for one in super().due(witnesses, now) if one.organization_id == self._organization_id]


class Ledger:
    """An organization's ledger that grows at a word."""

    def __init__(self, publish: Callable[[], None], run_as: RunAs) -> None:
        self._publish, self._run_as = publish, run_as
        self.tenant: Tenant = make_tenant()
        self.id = self.tenant.organization.id
        self.origin = f"{configured.LEDGER_ORIGIN}/{self.tenant.organization.slug}"
        self._publish()

    def grow(self, records: int = 1) -> str:
        """Record so many, and sign. Returns the last one's entry id."""
        answer = accepted(self.tenant, [session_record() for _ in range(records)])
        self._publish()
        return str(answer["receipts"][-1]["entryId"])

    @property
    def keys(self) -> list[str]:
        keys = wiring.ledger_signer().verifiers(self.tenant.organization.uid, self.origin)
        return [str(key) for key in keys]

    @property
    def latest(self) -> Checkpoint:
        checkpoint = ledger.latest_checkpoint(self.id)
        assert checkpoint is not None
        return checkpoint

    def seek(self, policy: WitnessPolicy, after: timedelta = timedelta()) -> int:
        """One round of the scheduled work, as the worker does it; `after`: what the clock of backing off shows."""

        class Later(_OnlyOf):
            def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
                return super().due(witnesses, now + after)

        with self._run_as("worker"):
            store = Later(self.id)
            return Witnessing(policy, store, ask_witnesses, ledger.subtrees, timezone.now).seek()

    def standing(self, witness: RunningWitness) -> tuple[int, str]:
        """(size that it cosigned last, why not more)."""
        own = WitnessStanding.objects.get(organization_id=self.id, witness=witness.key.name)
        return own.size, own.refusal

    def forget(self, witness: RunningWitness) -> None:
        """Lose what the witness has cosigned."""
        with self._run_as("worker"):
            WitnessStanding.objects.filter(organization_id=self.id, witness=witness.key.name).update(size=0)

    def findings(self, policy: WitnessPolicy, after: timedelta = timedelta()) -> dict[str, str]:
        """Kind to words, of this ledger's witnesses."""
        return {seen.kind: seen.words for seen in witness_findings(policy, timezone.now() + after)}

    def is_unwitnessed(self, policy: WitnessPolicy, after: timedelta) -> bool:
        """Whether it is among those that have waited too long for a quorum."""
        return self.tenant.organization.slug in unwitnessed_ledgers(policy, timezone.now() + after)

    def get(self, below: str) -> Answer:
        return call("GET", f"/api/v1/ledgers/{self.tenant.organization.slug}/{below}", self.tenant)

    def witnessed_size(self, policy: WitnessPolicy) -> int | None:
        found = ledger.latest_witnessed_checkpoint(self.id, policy)
        return found.checkpoint.size if found else None


@pytest.fixture
def own(record_all: Callable[[], None], checkpointer: Checkpointer, run_as: RunAs) -> Ledger:
    """A ledger with its first checkpoint."""

    def publish() -> None:
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            checkpointer.publish(datetime.now(UTC))

    return Ledger(publish, run_as)


@pytest.fixture
def start(own: Ledger, tmp_path: Path) -> Iterator[Callable[[str], RunningWitness]]:
    """Starts a witness that trusts the ledger's key."""
    running: list[RunningWitness] = []

    def started(name: str) -> RunningWitness:
        running.append(RunningWitness(tmp_path / name, name, own.keys))
        return running[-1]

    yield started
    for one in running:
        one.stop()


@pytest.fixture
def north(start: Callable[[str], RunningWitness]) -> RunningWitness:
    """A witness."""
    return start("north")


@pytest.fixture
def south(start: Callable[[str], RunningWitness]) -> RunningWitness:
    """Another."""
    return start("south")


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


def test_checkpoint_is_served_with_its_cosignatures(
    own: Ledger, north: RunningWitness, settings: pytest.FixtureRequest
) -> None:
    settings.WITNESS_POLICY = policy_of(north)  # type: ignore[attr-defined]  # pytest-django's
    before = own.get("checkpoint")
    own.seek(policy_of(north))
    after = own.get("checkpoint")
    assert (before.headers["muniment-witnessed"], after.headers["muniment-witnessed"]) == ("no", "yes")
    assert before.body.decode() == own.latest.note
    assert after.body.startswith(before.body)
    keys = [*map(VerifierKey.parsed, own.keys), north.key]
    assert verified(parse_note(after.body), keys) == keys


def test_proof_leads_to_the_newest_witnessed_checkpoint_that_covers_the_entry(
    own: Ledger, north: RunningWitness, settings: pytest.FixtureRequest
) -> None:
    settings.WITNESS_POLICY = policy_of(north)  # type: ignore[attr-defined]  # pytest-django's
    early = own.grow()
    own.seek(policy_of(north))
    witnessed = own.latest
    late = own.grow()

    of_early, of_late = own.get(f"proof/{early}"), own.get(f"proof/{late}")

    assert (of_early.headers["muniment-witnessed"], of_late.headers["muniment-witnessed"]) == ("yes", "no")
    assert f"\n\n{witnessed.note}" in of_early.body.decode()
    assert north.key.name in of_early.body.decode()
    assert of_late.body.decode().endswith(f"\n\n{own.latest.note}")


def test_without_a_policy_nothing_is_witnessed(own: Ledger, north: RunningWitness) -> None:
    own.seek(policy_of(north))
    answer = own.get("checkpoint")
    assert (answer.headers["muniment-witnessed"], answer.body.decode()) == ("no", own.latest.note)
    assert ledger.latest_witnessed_checkpoint(own.id, None) is None


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

    class Restored(_OnlyOf):
        """The ledger as an old backup has it."""

        def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
            due = super().due(witnesses, now)
            return [one._replace(size=smaller.size, note=smaller.note, checkpoint_id=smaller.id) for one in due]

    with own._run_as("worker"):
        Witnessing(policy, Restored(own.id), ask_witnesses, ledger.subtrees, timezone.now).seek()
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


def test_witness_follows_a_ledger_through_a_change_of_its_key(own: Ledger, north: RunningWitness) -> None:
    policy = policy_of(north)
    rotate = ("rotate_signing_key", "--organization", own.tenant.organization.slug)
    call_command(*rotate)
    own.grow()
    assert own.seek(policy) == 1  # it knows the old key alone, and that still signs
    call_command(*rotate, "--retire-old")
    own.grow()
    assert own.seek(policy) == 0
    assert own.standing(north)[1] == "unknown_key"
    north.tell(logs=own.keys)
    assert own.seek(policy, after=LATER) == 1
    assert own.witnessed_size(policy) == own.latest.size


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


def test_quorum_of_two_is_not_met_while_one_is_down(own: Ledger, north: RunningWitness, south: RunningWitness) -> None:
    both, either = policy_of(north, south), policy_of(north, south, needed="any")
    south.stop()
    assert own.seek(both) == 1
    assert (own.witnessed_size(both), own.witnessed_size(either)) == (None, own.latest.size)
    cosigned = own.latest.size
    own.grow()
    south.start()
    assert own.seek(policy_of(north, south), after=LATER) == 2
    # The one that was down is asked for what the other has cosigned: they meet on one checkpoint.
    assert (north.cosigned(own.origin), south.cosigned(own.origin)) == (own.latest.size, cosigned)
    assert own.witnessed_size(both) == cosigned
    assert own.seek(policy_of(north, south)) == 1
    assert own.witnessed_size(both) == own.latest.size


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


def test_ledger_without_a_quorum_is_a_finding_after_ten_minutes(
    own: Ledger, north: RunningWitness, south: RunningWitness
) -> None:
    policy = policy_of(north, south)
    south.stop()
    own.seek(policy)
    assert not own.is_unwitnessed(policy, after=WITNESSED_WITHIN - timedelta(minutes=1))
    late = WITNESSED_WITHIN + timedelta(minutes=1)
    assert own.is_unwitnessed(policy, after=late)
    assert "it does not answer" in own.findings(policy, after=late)["witness"]
    assert "without a quorum of cosignatures" in own.findings(policy, after=late)["unwitnessed"]
    south.start()
    own.seek(policy_of(north, south), after=LATER)
    assert not own.is_unwitnessed(policy, after=late)
    assert "witness" not in own.findings(policy, after=late)


def test_scheduled_work_asks_the_witnesses_that_the_settings_name(
    own: Ledger, north: RunningWitness, run_as: RunAs, settings: pytest.FixtureRequest
) -> None:
    settings.WITNESS_POLICY = policy_of(north)  # type: ignore[attr-defined]  # pytest-django's
    with run_as("worker"):
        tasks.seek_cosignatures()
    assert own.standing(north) == (own.latest.size, "")


def test_without_a_policy_there_are_no_findings() -> None:
    assert witness_findings(None, timezone.now() + LATER) == []


def test_round_leaves_no_transaction_open(own: Ledger, north: RunningWitness) -> None:
    """A transaction that writes and waits for a witness would hold back the inbox."""
    seen: list[bool] = []

    def ask(requests: Sequence[tuple[Witness, str]]) -> list[witness_answer.Answer | None]:
        seen.append(connection.in_atomic_block)
        return [None] * len(requests)

    with own._run_as("worker"):
        Witnessing(policy_of(north), _OnlyOf(own.id), ask, ledger.subtrees, timezone.now).seek()
    assert set(seen) == {False}
