"""Permits for records: taken in small lots, never more than the minute has."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as Away

from sessions_log.adapters.limits import RecordLimits

KEY, OTHER_KEY = UUID(int=1), UUID(int=2)


class Store:
    """The script's own doing, in memory: permits taken, by key and minute."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.asked = 0
        self.is_away = False
        self._lock = threading.Lock()

    def evaluate(self, script: str, key: str, lot: int, limit: int) -> int:
        """See `RecordLimits`."""
        with self._lock:
            self.asked += 1
            if self.is_away:
                raise Away
            taken = min(lot, max(0, limit - self.taken.get(key, 0)))
            self.taken[key] = self.taken.get(key, 0) + taken
            return taken


def _within_a_minute(attempt: Callable[[], None]) -> None:
    """Run it again where a minute ended meanwhile, with the permits of the new one."""
    minute = time.time() // 60
    try:
        attempt()
    except AssertionError:
        if time.time() // 60 == minute:
            raise
        attempt()


def test_records_up_to_the_limit_come_in_and_the_next_one_waits() -> None:
    def attempt() -> None:
        limits = RecordLimits(Store().evaluate)
        assert [limits.take(KEY, 4, 10), limits.take(KEY, 6, 10)] == [0, 0]
        assert 1 <= limits.take(KEY, 1, 10) <= 60

    _within_a_minute(attempt)


def test_request_that_does_not_fit_takes_nothing_from_a_smaller_one() -> None:
    def attempt() -> None:
        limits = RecordLimits(Store().evaluate)
        assert limits.take(KEY, 7, 10) == 0
        assert limits.take(KEY, 4, 10) > 0
        assert limits.take(KEY, 3, 10) == 0

    _within_a_minute(attempt)


def test_request_larger_than_a_whole_minute_waits() -> None:
    assert RecordLimits(Store().evaluate).take(KEY, 11, 10) > 0


def test_keys_have_permits_of_their_own() -> None:
    limits = RecordLimits(Store().evaluate)
    assert limits.take(KEY, 10, 10) == 0
    assert limits.take(OTHER_KEY, 10, 10) == 0


def test_processes_share_a_key_s_permits() -> None:
    def attempt() -> None:
        store = Store()
        one, other = RecordLimits(store.evaluate), RecordLimits(store.evaluate)
        let_in = sum([limits.take(KEY, 3, 100) == 0 for limits in (one, other) for _ in range(100)])
        assert let_in == 33

    _within_a_minute(attempt)


def test_one_question_serves_many_requests() -> None:
    def attempt() -> None:
        store = Store()
        limits = RecordLimits(store.evaluate)
        assert [limits.take(KEY, 1, 60_000) for _ in range(300)] == [0] * 300
        assert store.asked == 1

    _within_a_minute(attempt)


@pytest.mark.parametrize("limit", [1, 10, 1_000])
def test_threads_never_get_more_than_the_limit(limit: int) -> None:
    def attempt() -> None:
        limits = RecordLimits(Store().evaluate)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: limits.take(KEY, 1, limit), range(limit + 50)))
        assert answers.count(0) == limit

    _within_a_minute(attempt)


def test_without_valkey_everything_comes_in_and_that_is_told() -> None:
    store = Store()
    store.is_away = True
    limits = RecordLimits(store.evaluate)
    assert [limits.take(KEY, 1_000, 1) for _ in range(50)] == [0] * 50
    assert not limits.is_guarding


def test_valkey_that_is_away_is_not_asked_for_every_request() -> None:
    store = Store()
    store.is_away = True
    limits = RecordLimits(store.evaluate)
    for _ in range(50):
        limits.take(KEY, 1, 1)
    assert store.asked == 1
