"""Completeness, as the recorder states it: an hourly digest of each ledger, and the numbers that sessions lack."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.management import call_command

from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.recording import Recorder
from sessions_log.domain.sequences import MOST_HOLES
from sessions_log.domain.statements import details_of
from sessions_log.models import LedgerHead, SessionLog, SessionSequence, Statement
from tests.integration.api import accepted
from tests.integration.conftest import GRACE, State
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
Send = Callable[..., None]


@pytest.fixture
def tenant(record_all: Callable[[], None]) -> Tenant:
    """An organization whose making is recorded already."""
    tenant = make_tenant()
    record_all()
    return tenant


@pytest.fixture
def send(recorder: Recorder) -> Send:
    """Record one record for each number of a session, at a time."""

    def run(tenant: Tenant, *numbers: int | None, at: datetime = HOUR, session: str = "session-one") -> None:
        records = [session_record(sessionId=session, sequence=number) for number in numbers]
        for begin in range(0, len(records), 500):
            accepted(tenant, records[begin : begin + 500])
        while recorder.record_batch(at):
            pass

    return run


def _stated(tenant: Tenant, of_type: str) -> list[dict[str, Any]]:
    rows = Statement.objects.filter(organization_id=tenant.organization.id, type=of_type).order_by("seq")
    return [{"seq": row.seq, "at": row.stated_at, **details_of(bytes(row.body))} for row in rows]


def _digests(tenant: Tenant) -> list[tuple[int | None, ...]]:
    """(seq, count, first, last, records, statements) of each digest."""
    names = ("seq", "count", "firstSeq", "lastSeq", "records", "statements")
    return [tuple(one[name] for name in names) for one in _stated(tenant, "digest")]


def _missing(tenant: Tenant) -> list[tuple[list[list[int]], int]]:
    return [(one["missing"], one["count"]) for one in _stated(tenant, "gap")]


def _size(tenant: Tenant) -> int:
    return LedgerHead.objects.get(organization_id=tenant.organization.id).size


# --- digests ------------------------------------------------------------------------------------------------------


def test_digests_of_some_hours_cover_every_entry_once(tenant: Tenant, send: Send, state: State) -> None:
    made = _size(tenant)  # what was done to make the organization
    state(HOUR)
    send(tenant, None, None, None)
    state(HOUR + timedelta(hours=1, minutes=5))
    send(tenant, None)
    state(HOUR + timedelta(hours=2))
    assert _digests(tenant) == [
        (made, made, 0, made - 1, made, 0),
        (made + 4, 4, made, made + 3, 3, 1),
        (made + 6, 2, made + 4, made + 5, 1, 1),
    ]
    first, second, third = _stated(tenant, "digest")
    assert (first["since"], second["since"], third["since"]) == (
        None, f"{HOUR:%Y-%m-%dT%H}:00:00Z", f"{HOUR + timedelta(hours=1):%Y-%m-%dT%H}:05:00Z",
    )  # fmt: skip


def test_silence_is_signed_too(tenant: Tenant, state: State) -> None:
    made = _size(tenant)
    for hour in range(3):
        state(HOUR + timedelta(hours=hour))
    assert _digests(tenant)[1:] == [(made + 1, 1, made, made, 0, 1), (made + 2, 1, made + 1, made + 1, 0, 1)]


def test_ledger_without_an_entry_says_so(state: State) -> None:
    tenant = make_tenant()  # nothing of it is recorded yet
    state(HOUR)
    assert _digests(tenant) == [(0, 0, None, None, 0, 0)]


@pytest.mark.parametrize("minute", [0, 1, 59])
def test_hour_has_one_digest_however_often_it_is_asked(tenant: Tenant, state: State, minute: int) -> None:
    state(HOUR + timedelta(minutes=minute))
    state(HOUR + timedelta(minutes=59, seconds=59))
    assert [one["at"] for one in _stated(tenant, "digest")] == [HOUR + timedelta(minutes=minute)]


def test_recorder_that_took_over_states_no_digest_twice(tenant: Tenant, recorder: Recorder, state: State) -> None:
    state(HOUR)
    assert isinstance(recorder.store, PostgresRecorderStore)
    recorder.store.close()  # the next takes the shard on a connection of its own
    state(HOUR + timedelta(minutes=30))
    assert len(_digests(tenant)) == 1


def test_recorder_that_was_away_for_hours_makes_one_digest_of_them(tenant: Tenant, send: Send, state: State) -> None:
    made = _size(tenant)
    state(HOUR)
    send(tenant, None, None)
    state(HOUR + timedelta(hours=5, minutes=20))
    assert _digests(tenant)[1:] == [(made + 3, 3, made, made + 2, 2, 1)]


def test_half_hour_zones_have_the_hours_of_utc(tenant: Tenant, state: State) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    state(HOUR.astimezone(india))
    state((HOUR + timedelta(minutes=45)).astimezone(india))  # another hour there, the same here
    assert len(_digests(tenant)) == 1


def test_digest_of_one_organization_counts_nothing_of_another(tenant: Tenant, send: Send, state: State) -> None:
    other = make_tenant()
    state(HOUR)
    send(other, None, None, None, None)
    state(HOUR + timedelta(hours=1))
    assert [one["records"] for one in _stated(tenant, "digest")][1:] == [0]
    assert [one["count"] for one in _stated(other, "digest")][1:] == [8]  # its making, four records, its first digest


# --- gaps ---------------------------------------------------------------------------------------------------------


def test_gap_is_stated_once_when_its_grace_is_over(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, 1, 2, 3, 7, 8, 10)
    state(HOUR + GRACE - timedelta(seconds=1))
    assert _missing(tenant) == []
    state(HOUR + GRACE)
    state(HOUR + 9 * GRACE)
    (gap,) = _stated(tenant, "gap")
    session_id = SessionLog.objects.filter(service_id=tenant.service_id).values_list("session_id", flat=True)[0]
    assert {name: gap[name] for name in ("session", "missing", "count", "truncated")} == {
        "session": session_id.hex, "missing": [[4, 6], [9, 9]], "count": 4, "truncated": False,
    }  # fmt: skip


def test_late_records_are_stated_as_far_as_they_fill_the_gap(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, 1, 5)
    state(HOUR + GRACE)
    send(tenant, 3, at=HOUR + 2 * GRACE)
    state(HOUR + 3 * GRACE)
    send(tenant, 2, 4, at=HOUR + 4 * GRACE)
    state(HOUR + 5 * GRACE)
    state(HOUR + 9 * GRACE)
    assert _missing(tenant) == [([[2, 4]], 3), ([[2, 2], [4, 4]], 2), ([], 0)]


def test_records_that_come_in_another_order_within_the_grace_are_no_gap(
    tenant: Tenant, send: Send, state: State
) -> None:
    send(tenant, 9, 3)
    send(tenant, 5, 4, 7, at=HOUR + timedelta(minutes=5))
    send(tenant, 8, 6, at=HOUR + timedelta(minutes=14))
    state(HOUR + 9 * GRACE)
    assert _missing(tenant) == []


def test_number_on_its_way_is_not_stated_with_one_that_is_missing(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, 1, 3)
    send(tenant, 5, at=HOUR + GRACE - timedelta(seconds=1))
    state(HOUR + GRACE)
    send(tenant, 4, at=HOUR + GRACE + timedelta(seconds=1))
    state(HOUR + 9 * GRACE)
    assert _missing(tenant) == [([[2, 2]], 1)]


def test_number_that_stays_away_after_another_is_stated_in_its_turn(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, 1, 3)
    send(tenant, 5, at=HOUR + timedelta(minutes=1))
    state(HOUR + GRACE)
    state(HOUR + 2 * GRACE)
    assert _missing(tenant) == [([[2, 2]], 1), ([[2, 2], [4, 4]], 2)]


def test_same_number_twice_is_no_gap(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, 1, 1, 2, 2)
    send(tenant, 2, 3)
    state(HOUR + 9 * GRACE)
    assert _missing(tenant) == []


def test_records_without_numbers_leave_no_trace(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, None, None, None)
    state(HOUR + 9 * GRACE)
    assert not SessionSequence.objects.filter(organization_id=tenant.organization.id).exists()


def test_numbers_of_records_that_came_before_count_once(tenant: Tenant, recorder: Recorder, state: State) -> None:
    records = [session_record(sequence=number) for number in (1, 2, 4)]
    for _ in range(2):
        accepted(tenant, records)
        while recorder.record_batch(HOUR):
            pass
    state(HOUR + GRACE)
    assert _missing(tenant) == [([[3, 3]], 1)]


def test_sessions_and_organizations_count_for_themselves(tenant: Tenant, send: Send, state: State) -> None:
    other = make_tenant()
    send(tenant, 1, 3, session="a")
    send(tenant, 2, 3, session="b")
    send(other, 2, 4, session="a")
    state(HOUR + GRACE)
    assert (_missing(tenant), _missing(other)) == ([([[2, 2]], 1)], [([[3, 3]], 1)])


def test_largest_numbers_are_counted(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, 0, 2**53)
    state(HOUR + GRACE)
    assert _missing(tenant) == [([[1, 2**53 - 1]], 2**53 - 1)]


def test_every_second_number_for_ever_does_not_grow_what_is_kept(tenant: Tenant, send: Send, state: State) -> None:
    top = 2 * MOST_HOLES + 21
    send(tenant, *range(1, top, 2))
    send(tenant, *range(top, 2 * top, 2), at=HOUR + timedelta(minutes=1))
    row = SessionSequence.objects.get(organization_id=tenant.organization.id)
    assert [len(row.seen), len(row.waiting)] == [MOST_HOLES // 2 + 1, 0]  # all holes of the beginning are given up
    state(HOUR + GRACE)
    state(HOUR + 2 * GRACE)
    given_up, gap = _stated(tenant, "gap")
    assert (given_up["truncated"], given_up["missing"]) == (True, [])
    assert (gap["truncated"], gap["count"], gap["missing"][-1]) == (True, MOST_HOLES // 2, [2 * top - 2] * 2)


def test_as_many_holes_as_are_kept_are_all_stated(tenant: Tenant, send: Send, state: State) -> None:
    send(tenant, *range(0, 2 * MOST_HOLES + 1, 2))
    state(HOUR + GRACE)
    (gap,) = _stated(tenant, "gap")
    assert (gap["truncated"], gap["missing"]) == (False, [[at, at] for at in range(1, 2 * MOST_HOLES, 2)])


def test_giving_up_holes_is_said_though_all_others_are_filled(tenant: Tenant, send: Send, state: State) -> None:
    top = 2 * MOST_HOLES + 21
    send(tenant, *range(1, top, 2))
    send(tenant, *range(20, top))
    state(HOUR + GRACE)
    state(HOUR + 9 * GRACE)
    assert [(one["missing"], one["truncated"]) for one in _stated(tenant, "gap")] == [([], True)]


def test_ledger_with_digests_and_gaps_is_verified(
    tenant: Tenant, send: Send, state: State, checkpointer: Checkpointer
) -> None:
    send(tenant, 1, 3, 300)
    for hour in range(3):
        state(HOUR + timedelta(hours=hour))
    checkpointer.publish(HOUR + timedelta(hours=3))
    call_command("verify", "--organization", tenant.organization.slug)
