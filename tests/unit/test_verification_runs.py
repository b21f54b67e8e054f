"""A run in steps: where it goes on, and what it comes to."""

from datetime import UTC, datetime

from sessions_log.domain.verification.results import Fault, Verified
from sessions_log.domain.verification.runs import STEP_ENTRIES, Kind, Position

BEGAN, ENDED = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 13, tzinfo=UTC)
BEGINNING = Position(organization_id=7, kind=Kind.OPENED, started_at=BEGAN)


def test_steps_follow_each_other_and_begin_again_at_the_end() -> None:
    size = STEP_ENTRIES + 10
    first = BEGINNING.step(size)
    second = BEGINNING.moved(first, Verified()).step(size)
    third = BEGINNING.moved(second, Verified()).step(size)
    assert [first, second, third] == [range(STEP_ENTRIES), range(STEP_ENTRIES, size), range(STEP_ENTRIES)]


def test_ledger_without_entries_has_one_step() -> None:
    assert BEGINNING.step(0) == range(0)


def test_run_has_what_all_its_steps_saw_and_the_first_fault() -> None:
    faults = [Fault("entry 3", "its row is missing"), Fault("entry 4", "its row is missing")]
    seen = BEGINNING.moved(range(10), Verified(entries=10, opened=9, checkpoints=1))
    seen = seen.moved(range(10, 20), Verified(entries=10, opened=10, checkpoints=2, faults=faults))
    seen = seen.moved(range(20, 25), Verified(entries=5, faults=[Fault("bundle 0", "it is missing")]))
    run = seen.finished(ENDED)
    assert (run.first_seq, run.end_seq, run.started_at, run.finished_at) == (0, 25, BEGAN, ENDED)
    assert (run.entries, run.opened, run.checkpoints, run.faults, run.fault) == (25, 19, 3, 3, faults[0])
