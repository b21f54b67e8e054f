"""Ledgers verified on their schedule, with keys and in several processes; what is wrong becomes a finding."""

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from sessions_log import tasks, wiring
from sessions_log.adapters.keyring_folder import FolderKeyring
from sessions_log.adapters.signer_folder import FolderSigner
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.verifying import ScheduledVerification
from sessions_log.domain.verification import leaves, runs
from sessions_log.domain.verification.results import Fault, Verified
from sessions_log.domain.verification.runs import Kind, Run
from sessions_log.domain.verification.scope import Scope, VerifiedLedger
from sessions_log.models import JobRun, LedgerHead, MinuteCounter, Verification, VerificationPosition
from sessions_log.ports import HeadRefused, KeyDestroyed
from sessions_log.queries.health import findings_now
from sessions_log.queries.verification import failed_ledgers, latest_verification
from tests.conftest import RunAs, Servers
from tests.integration.api import accepted
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
ENTRIES = 600
WEEK = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def tenant(record_all: Callable[[], None], checkpointer: Checkpointer, follow_all: Callable[[], None]) -> Tenant:
    """An organization with two whole bundles, a tail and a checkpoint, its read models up to date."""
    tenant = make_tenant()
    for count in (500, ENTRIES - 500):
        accepted(tenant, [_record(at) for at in range(count)])
    record_all()
    with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
        checkpointer.publish(datetime.now(UTC))
    follow_all()
    return tenant


@pytest.fixture
def ledger(tenant: Tenant) -> VerifiedLedger:
    own = tenant.organization
    return VerifiedLedger(own.id, own.uid, own.slug)


@pytest.fixture
def worker(tenant: Tenant, run_as: RunAs, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScheduledVerification]:
    """What the worker process verifies with, in its role, a bundle at a time."""
    monkeypatch.setattr(runs, "STEP_ENTRIES", 256)
    with run_as("worker"):
        yield wiring.scheduled_verification()


def _record(at: int) -> dict[str, Any]:
    """By three people, at times by nobody, with everything that refers to something; some with what is redacted."""
    people = ("m.russo", "a.conti", "l.bruno", None)
    return session_record(
        userId=people[at % 4],
        sessionId=f"s-{at % 9}",
        ipAddress="" if at % 5 == 0 else f"192.0.2.{at % 7}",
        target={"type": "order" if at % 6 else "of a.conti@example.com", "id": f"o-{at % 11}"},
        aiModelUsed="a model" if at % 8 == 0 else "gpt-4",
        metadata={"note": "write to a.conti@example.com"} if at % 3 == 0 else None,
    )


def _said(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("verify", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_everything_opens_and_is_what_its_entries_refer_to(tenant: Tenant) -> None:
    said = _said("--organization", tenant.organization.slug, "--open")
    size = LedgerHead.objects.get(organization_id=tenant.organization.id).size
    assert (said["opened"], said["erased"], said["faults"]) == (size, 0, 0)
    latest = latest_verification(tenant.organization.id)
    assert latest is not None
    assert (latest.kind, latest.first_seq, latest.end_seq, latest.faults) == (Kind.OPENED, 0, size, 0)
    assert (latest.opened, latest.place, latest.words) == (size, "", "")


def test_several_processes_come_to_the_same(ledger: VerifiedLedger) -> None:
    verifier = dataclasses.replace(wiring.ledger_verifier(2), worth_spreading=0)
    scope = Scope(opens=True, references=True)
    *_, (beside, size) = verifier.run(ledger, scope)
    *_, (here, _) = wiring.ledger_verifier().run(ledger, scope)
    assert beside == here
    assert (beside.size, beside.opened, beside.faults) == (size, size, [])


def test_what_is_recorded_and_signed_meanwhile_belongs_to_the_next_run(
    ledger: VerifiedLedger,
    tenant: Tenant,
    record_all: Callable[[], None],
    checkpointer: Checkpointer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leaves, "PART_BUNDLES", 1)
    steps = wiring.ledger_verifier().run(ledger, Scope(opens=True, references=True))
    first, size = next(steps)
    accepted(tenant, [session_record() for _ in range(300)])
    record_all()
    with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
        checkpointer.publish(datetime.now(UTC))
    assert first.size < size
    *_, (result, _) = steps
    assert (result.size, result.faults) == (size, [])


def test_counter_that_was_changed_is_named_by_its_minute(tenant: Tenant, run_as: RunAs) -> None:
    counters = MinuteCounter.objects.filter(organization_id=tenant.organization.id).order_by("-entries")
    minute, entries = counters.values_list("minute", "entries")[0]
    with run_as("follower"):
        counters.filter(minute=minute).update(entries=F("entries") + 1)
    with pytest.raises(CommandError):
        _said("--organization", tenant.organization.slug, "--open")
    latest = latest_verification(tenant.organization.id)
    assert latest is not None
    assert latest.place == f"minute {minute:%Y-%m-%dT%H:%MZ}"
    assert latest.words == f"it counts {entries + 1:,} entries, and there are {entries:,}"


def test_counters_are_compared_as_far_as_their_follower_has_read(
    tenant: Tenant, record_all: Callable[[], None]
) -> None:
    accepted(tenant, [session_record() for _ in range(20)])
    record_all()
    assert _said("--organization", tenant.organization.slug, "--open")["faults"] == 0


def test_parts_are_verified_one_after_the_other_and_from_the_first_again(
    worker: ScheduledVerification, ledger: VerifiedLedger
) -> None:
    size = LedgerHead.objects.get(organization_id=ledger.organization_id).size
    seen = [worker.next_part(ledger) for _ in range(4)]
    assert [(run.first_seq, run.end_seq) for run in seen] == [(0, 256), (256, 512), (512, size), (0, 256)]
    assert [run.faults for run in seen] == [0, 0, 0, 0]
    assert [run.entries for run in seen] == [256, 256, size - 512, 256]
    kept = Verification.objects.filter(organization_id=ledger.organization_id).order_by("id")
    assert [(one.kind, one.first_seq) for one in kept] == [(Kind.PART, run.first_seq) for run in seen]


def test_everything_is_verified_in_steps_and_once_a_week(worker: ScheduledVerification, ledger: VerifiedLedger) -> None:
    size = LedgerHead.objects.get(organization_id=ledger.organization_id).size
    assert [worker.next_step(ledger, WEEK) for _ in range(4)] == [False, False, True, True]
    (run,) = Verification.objects.filter(organization_id=ledger.organization_id)
    assert (run.kind, run.first_seq, run.end_seq, run.faults) == (Kind.OPENED, 0, size, 0)
    assert (run.entries, run.opened) == (size, size)
    assert not VerificationPosition.objects.filter(organization_id=ledger.organization_id).exists()
    assert worker.next_step(ledger, datetime.now(UTC)) is False


def test_fault_is_noted_with_its_step_and_with_the_whole_run(ledger: VerifiedLedger, run_as: RunAs) -> None:
    class Failing:
        def run(self, ledger: VerifiedLedger, scope: Scope) -> Iterator[tuple[Verified, int]]:
            assert scope.seqs is not None
            result = Verified(entries=len(scope.seqs))
            if scope.seqs.start == 0:
                result.fault("entry 3", "its row is missing")
            yield result, 0

    with run_as("worker"):
        verification = ScheduledVerification(wiring.verification_runs(), Failing(), lambda: datetime.now(UTC))
        while not verification.next_step(ledger, WEEK):
            pass
    noted = Verification.objects.filter(organization_id=ledger.organization_id)
    assert {(one.faults, one.place, one.words) for one in noted} == {(1, "entry 3", "its row is missing")}


def test_job_verifies_the_ledger_that_has_waited_longest_and_once_an_hour(
    run_as: RunAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "VERIFYING_AT_ONCE_S", 0.0)
    with run_as("worker"):
        next_one = wiring.verification_runs().ledgers(Kind.PART)[0]
        before = Verification.objects.filter(organization_id=next_one.organization_id).count()
        tasks.verify_next_parts()
        tasks.verify_next_parts()
    assert Verification.objects.filter(organization_id=next_one.organization_id).count() == before + 1
    assert JobRun.objects.filter(job="verify-parts").exists()


def test_weekly_job_goes_on_where_it_stopped(run_as: RunAs, monkeypatch: pytest.MonkeyPatch, tenant: Tenant) -> None:
    monkeypatch.setattr(tasks, "VERIFYING_AT_ONCE_S", 0.0)
    with run_as("worker"):
        before = Verification.objects.filter(kind=Kind.OPENED).count()
        tasks.verify_everything()
        tasks.verify_everything()
    assert Verification.objects.filter(kind=Kind.OPENED).count() > before


def test_run_that_failed_is_a_finding_until_one_as_deep_over_the_same_is_well(tenant: Tenant, run_as: RunAs) -> None:
    own = tenant.organization
    fault = Fault("entry 300 (0193)", "its row does not give the leaf that the ledger holds")

    def noted(kind: Kind, first: int, end: int, *faults: Fault) -> list[str]:
        at = datetime.now(UTC)
        run = Run(
            organization_id=own.id, kind=kind, first_seq=first, end_seq=end, started_at=at, finished_at=at,
            faults=len(faults), fault=next(iter(faults), None),
        )  # fmt: skip
        with run_as("worker"):
            wiring.verification_runs().add([run])
            return [one.words for one in findings_now(at) if (one.kind, one.about) == ("verification", own.slug)]

    words = f"{fault.place}: {fault.words}"
    assert noted(Kind.OPENED, 256, 512, fault) == [f"{words} (1 runs failed)"]
    assert noted(Kind.OPENED, 0, 256) == [f"{words} (1 runs failed)"]
    assert noted(Kind.WHOLE, 0, 600) == [f"{words} (1 runs failed)"]
    assert noted(Kind.OPENED, 0, 600) == []
    assert noted(Kind.AGAINST, 0, 600, fault) == [f"{words} (1 runs failed)"]
    assert noted(Kind.OPENED, 0, 600) == [f"{words} (1 runs failed)"]
    assert noted(Kind.AGAINST, 0, 700) == []
    assert own.slug not in {one.slug for one in failed_ledgers()}


def test_no_transaction_is_open_while_a_long_job_works(run_as: RunAs) -> None:
    def work(_: datetime) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND pid = pg_backend_pid()")
            seen.append((connection.in_atomic_block, cursor.fetchone()[0]))
        return True

    seen: list[tuple[bool, int]] = []
    with run_as("worker"):
        assert wiring.run_long(f"job-{datetime.now(UTC).timestamp()}", timedelta(days=3650), work)
    assert seen == [(False, 0)]


def test_organization_whose_keys_are_gone_is_told_of_and_keeps_nothing_else_waiting(
    ledger: VerifiedLedger, servers: Servers
) -> None:
    (servers.keyring / "organizations" / str(ledger.uid)).rename(servers.keyring / f"away-{ledger.uid}")
    lost = dataclasses.replace(wiring.ledger_verifier(), keyring=FolderKeyring(servers.keyring))
    lost = dataclasses.replace(lost, signer=FolderSigner(FolderKeyring(servers.keyring), servers.keyring))
    *_, (result, _) = lost.run(ledger, Scope(opens=True))
    (servers.keyring / f"away-{ledger.uid}").rename(servers.keyring / "organizations" / str(ledger.uid))
    assert [fault.words for fault in result.faults[:2]] == [
        "they are gone: nothing of it can be opened",
        "they are gone: no checkpoint can be verified",
    ]
