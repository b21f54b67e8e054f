"""Spans of a batch: narrow bounds by which its entries are found again."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain import entry_id
from sessions_log.domain.spans import spans_of


def _placed(*times: datetime) -> list[tuple[bytes, int]]:
    return [(entry_id.lowest(at).bytes, entry_id.hour_of(at)) for at in times]


def test_no_entries_have_no_span() -> None:
    assert spans_of(5, 1, [], 0) == []


def test_entries_of_one_hour_are_one_span() -> None:
    first, last = datetime(2026, 11, 23, 12, 0, tzinfo=UTC), datetime(2026, 11, 23, 12, 59, 59, tzinfo=UTC)
    assert spans_of(5, 1, _placed(last, first), 100) == [
        (5, 1, 2, 100, 101, entry_id.lowest(first), entry_id.lowest(last))
    ]


def test_late_record_has_a_span_of_its_own() -> None:
    now, late = datetime(2026, 11, 23, 12, 0, tzinfo=UTC), datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert spans_of(5, 1, _placed(now, late, now), 7) == [
        (5, 1, 1, 8, 8, entry_id.lowest(late), entry_id.lowest(late)),
        (5, 1, 2, 7, 9, entry_id.lowest(now), entry_id.lowest(now)),
    ]


@given(st.lists(st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 3), timezones=st.just(UTC)), max_size=50))
def test_each_entry_is_found_by_exactly_one_span(times: list[datetime]) -> None:
    placed = [(entry_id.random(at), entry_id.hour_of(at)) for at in times]
    spans = spans_of(5, 1, placed, 1000)
    for seq, (own_id, _) in enumerate(placed, 1000):
        assert [
            1 for _, _, _, first, last, low, high in spans if low <= UUID(bytes=own_id) <= high and first <= seq <= last
        ]
    assert sum(span[2] for span in spans) == len(times)
