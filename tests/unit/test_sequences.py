"""Senders' own counts: what is missing between the numbers that came, within bounds, and what of it is to be stated."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.sequences import (
    MOST_HOLES,
    Ranges,
    UnsettledSession,
    given_up,
    holes,
    ranges_of,
    settled,
)
from sessions_log.domain.statements import details_of, new_statement

NUMBERS = st.sets(st.integers(0, 200), min_size=1)
AT = datetime(2026, 11, 24, 13, tzinfo=UTC)
SESSION = UUID("01890000-0000-7000-8000-000000000007")


def _within(ranges: Ranges) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def _session(**fields: Any) -> UnsettledSession:
    usual: dict[str, Any] = {"missing": [], "waiting": [], "stated": [], "truncated": False}
    return UnsettledSession(id=SESSION, organization_id=1, organization_uid=UUID(int=1), **{**usual, **fields})


@given(NUMBERS)
def test_ranges_hold_the_numbers_and_none_touches_the_next(numbers: set[int]) -> None:
    ranges = ranges_of(numbers)
    assert _within(ranges) == numbers
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


@given(NUMBERS)
def test_holes_are_what_is_missing_between_the_lowest_and_the_highest(numbers: set[int]) -> None:
    assert _within(holes(ranges_of(numbers))) == set(range(min(numbers), max(numbers))) - numbers


def test_count_may_begin_anywhere_and_end_at_the_largest_number() -> None:
    assert holes(ranges_of({7})) == []
    assert holes(ranges_of({0, 2**53})) == [(1, 2**53 - 1)]


@given(st.sets(st.integers(0, 150), min_size=MOST_HOLES + 2).map(lambda chosen: {2 * number for number in chosen}))
def test_what_is_given_up_leaves_the_highest_holes_as_they_are(numbers: set[int]) -> None:
    first, last = given_up(ranges_of(numbers))
    left = holes(ranges_of(numbers | set(range(first, last + 1))))
    assert first == min(numbers)
    assert left == holes(ranges_of(numbers))[-MOST_HOLES // 2 :]


@given(NUMBERS, st.sets(st.integers(0, 220)))
def test_what_is_stated_was_missing_at_the_beginning_and_at_the_end(first: set[int], later: set[int]) -> None:
    waiting, missing = holes(ranges_of(first)), holes(ranges_of(first | later))
    end = settled(_session(waiting=waiting, missing=missing))
    assert _within(end.missing) == _within(waiting) & _within(missing)
    assert _within(end.begun) == _within(missing) - _within(waiting)


def test_what_was_stated_already_is_no_news() -> None:
    again = {"waiting": [(4, 6)], "missing": [(4, 6), (9, 9)]}
    assert not settled(_session(stated=[(4, 6)], **again)).is_news
    assert settled(_session(stated=[(3, 6)], **again)).is_news


def test_holes_that_were_given_up_are_news_even_when_nothing_is_missing() -> None:
    assert settled(_session(stated=None, truncated=True)).is_news


def test_statement_names_session_and_missing_numbers() -> None:
    end = settled(_session(waiting=[(4, 9)], missing=[(4, 6), (9, 9)]))
    statement = new_statement(UUID(int=1), "gap", end.details, at=AT)
    assert details_of(statement.body) == {
        "count": 4,
        "missing": [[4, 6], [9, 9]],
        "session": "01890000000070008000000000000007",
        "truncated": False,
    }


def test_largest_statement_fits_into_a_leaf() -> None:
    top = 2**53 - 4 * MOST_HOLES
    full: Ranges = [(top + at * 3, top + at * 3 + 1) for at in range(MOST_HOLES)]
    end = settled(_session(waiting=full, missing=full, truncated=True))
    assert len(new_statement(UUID(int=1), "gap", end.details, at=AT).body) < 3_000
