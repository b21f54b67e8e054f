"""Scheduled work: claimed once a period, and days of the inbox go only when they are finished."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from sessions_log import tasks, wiring
from sessions_log.commands.intake import put_records
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.session_record import SessionRecord
from sessions_log.models import InboxRow, RequestOutcome
from sessions_log.ports import KeyDestroyed
from tests.conftest import RunAs
from tests.organizations import Tenant, make_tenant

pytestmark = pytest.mark.usefixtures("db")
NOW = datetime.now(UTC)


def _job() -> str:
    return f"job-{datetime.now(UTC).timestamp()}"


def test_job_is_done_once_a_period_however_often_it_is_asked_for(run_as: RunAs) -> None:
    job, done = _job(), []
    with run_as("worker"):
        assert wiring.run_once(job, timedelta(days=3650), lambda: done.append(1))
        assert not wiring.run_once(job, timedelta(days=3650), lambda: done.append(2))
    assert done == [1]


def test_job_that_failed_is_tried_again_in_the_same_period(run_as: RunAs) -> None:
    job, done = _job(), []
    with run_as("worker"):
        with pytest.raises(ZeroDivisionError):
            wiring.run_once(job, timedelta(days=3650), lambda: done.append(1 // 0))
        assert wiring.run_once(job, timedelta(days=3650), lambda: done.append(2))
    assert done == [2]


def test_period_that_is_claimed_on_its_own_is_claimed_once(run_as: RunAs) -> None:
    job = _job()
    with run_as("worker"):
        assert [wiring.claim(job, timedelta(days=3650)) for _ in range(2)] == [True, False]


def test_job_is_done_by_one_of_two_who_begin_together(run_as: RunAs) -> None:
    job, done, begin = _job(), [], threading.Barrier(2)

    def tick() -> bool:
        begin.wait(10)
        try:
            return wiring.run_once(job, timedelta(days=3650), lambda: done.append(1))
        finally:
            connection.close()

    with run_as("worker"), ThreadPoolExecutor(2) as beats:
        ran = [tick.result() for tick in [beats.submit(tick) for _ in range(2)]]
    assert sorted(ran) == [False, True]
    assert done == [1]


def test_long_job_goes_on_until_it_says_that_all_is_done(run_as: RunAs) -> None:
    job, ticks = _job(), [False, False, True]
    with run_as("worker"):
        done = [wiring.run_long(job, timedelta(days=3650), lambda _: ticks.pop(0)) for _ in range(4)]
    assert done == [False, False, True, False]
    assert ticks == []


def test_long_job_that_failed_is_tried_again_in_the_same_period(run_as: RunAs) -> None:
    job = _job()
    with run_as("worker"):
        with pytest.raises(ZeroDivisionError):
            wiring.run_long(job, timedelta(days=3650), lambda _: bool(1 // 0))
        assert wiring.run_long(job, timedelta(days=3650), lambda _: True)


def test_long_job_is_left_to_whoever_is_at_it(run_as: RunAs) -> None:
    job = _job()

    def tick() -> bool:
        try:
            return wiring.run_long(job, timedelta(days=3650), lambda _: True)
        finally:
            connection.close()

    with run_as("worker"), ThreadPoolExecutor(1) as other:
        assert wiring.run_long(job, timedelta(days=3650), lambda _: other.submit(tick).result() is False)


def _put(tenant: Tenant, at: datetime) -> InboxRequest:
    """A request of that day, in the inbox."""
    kept: list[InboxRequest] = []

    class Kept:
        def put(self, request: InboxRequest) -> None:
            kept.append(request)
            wiring.inbox().put(request)

    sender = wiring.ports().organizations.sender(tenant.organization.id, "orders")
    put_records(
        [SessionRecord(session_id="s", timestamp=NOW, action="record.view")], sender, None, at, wiring.keyring(), Kept()
    )
    return kept[0]


def _make_day(day: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT muniment_make_day(%s)", [day])


def _has_day(kind: str, day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{kind}_{day:%Y_%m_%d}"])
        (there,) = cursor.fetchone()
    return bool(there)


def test_day_of_the_inbox_goes_with_its_key_once_every_request_has_its_outcome(
    run_as: RunAs, record_all: Callable[[], None]
) -> None:
    long_ago = NOW - timedelta(days=9)
    day = long_ago.date()
    _make_day(day)
    request = _put(make_tenant(), long_ago)

    with run_as("worker"):
        tasks.drop_finished_inbox_days()
    assert _has_day("inbox", day)
    assert len(wiring.keyring().inbox_key(day)) == 32

    record_all()
    with run_as("worker"):
        tasks.drop_finished_inbox_days()
    assert not _has_day("inbox", day)
    with pytest.raises(KeyDestroyed):
        wiring.keyring().inbox_key(day)
    assert not InboxRow.objects.filter(id=UUID(bytes=request.id)).exists()
    assert RequestOutcome.objects.get(id=UUID(bytes=request.id)).recorded == 1


def test_outcomes_stay_a_month_longer_than_their_inbox(run_as: RunAs) -> None:
    recent, old = (NOW - timedelta(days=29)).date(), (NOW - timedelta(days=32)).date()
    for day in (recent, old):
        _make_day(day)
    with run_as("worker"):
        tasks.drop_finished_inbox_days()
    assert [_has_day("inbox", day) for day in (recent, old)] == [False, False]
    assert [_has_day("outcome", day) for day in (recent, old)] == [True, False]


@pytest.mark.parametrize("back", [0, 1])
def test_today_and_yesterday_stay_even_when_they_are_asked_for(run_as: RunAs, back: int) -> None:
    day = (datetime.now(UTC) - timedelta(days=back)).date()
    with run_as("worker"):
        assert wiring.drop_inbox_day(day) is False
    assert _has_day("inbox", day)
    assert len(wiring.keyring().inbox_key(day)) == 32


def test_partitions_are_made_ahead_of_their_time(run_as: RunAs) -> None:
    with run_as("worker"):
        wiring.make_partitions_ahead()
    today = datetime.now(UTC).date()
    assert all(_has_day(kind, today + timedelta(days=step)) for kind in ("inbox", "outcome") for step in range(4))
