"""What is called witnessed, how it is served, and what is said where it is not."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from sessions_log.domain.signed_note import VerifierKey, parse_note, verified
from sessions_log.queries import ledger
from sessions_log.queries.witnesses import WITNESSED_WITHIN, witness_findings
from tests.integration.witnessed_ledger import LATER, Ledger
from tests.witnesses import RunningWitness, policy_of

pytestmark = pytest.mark.usefixtures("db")
pytest_plugins = ["tests.integration.witness_fixtures"]


def test_checkpoint_is_served_with_its_cosignatures(own: Ledger, north: RunningWitness, settings: Settings) -> None:
    settings.WITNESS_POLICY = policy_of(north)
    before = own.get("checkpoint")
    own.seek(policy_of(north))
    after = own.get("checkpoint")
    assert (before.headers["muniment-witnessed"], after.headers["muniment-witnessed"]) == ("no", "yes")
    assert before.body.decode() == own.latest.note
    assert after.body.startswith(before.body)
    keys = [*map(VerifierKey.parsed, own.keys), north.key]
    assert verified(parse_note(after.body), keys) == keys


def test_proof_leads_to_the_newest_witnessed_checkpoint_that_covers_the_entry(
    own: Ledger, north: RunningWitness, settings: Settings
) -> None:
    settings.WITNESS_POLICY = policy_of(north)
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


def test_without_a_policy_there_are_no_findings() -> None:
    assert witness_findings(None, timezone.now() + LATER) == []
