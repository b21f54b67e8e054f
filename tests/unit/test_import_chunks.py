"""A file becomes the same requests however often it is read."""

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from sessions_log.commands.importing import MOST_CHUNK_BYTES, Chunk, chunks, months_of, read_chunk
from sessions_log.domain.session_record import Rejection, SessionRecord, Window

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _record(at: datetime) -> SessionRecord:
    return SessionRecord(session_id="s", timestamp=at, action="record.view")


def test_a_thousand_lines_are_one_chunk_and_the_next_begins_another() -> None:
    assert [len(one.lines) for one in chunks([b"{}\n"] * 2001)] == [1000, 1000, 1]


def test_chunk_ends_before_it_grows_too_large() -> None:
    line = b"x" * (MOST_CHUNK_BYTES // 2)
    assert [len(one.lines) for one in chunks([line, line, line])] == [2, 1]


def test_line_larger_than_a_chunk_is_a_chunk() -> None:
    assert [len(one.lines) for one in chunks([b"{}", b"x" * (MOST_CHUNK_BYTES + 1), b"{}"])] == [1, 1, 1]


def test_empty_lines_are_passed_over_and_line_ends_cut_off() -> None:
    (chunk,) = chunks([b"\n", b'{"a":1}\n', b"  \r\n", b'{"b":2}'])
    assert chunk.lines == [b'{"a":1}', b'{"b":2}']


def test_byte_order_mark_is_no_part_of_a_record() -> None:
    (chunk,) = chunks([b'\xef\xbb\xbf{"a":1}\n'])
    assert chunk.lines == [b'{"a":1}']


def test_empty_file_has_no_chunks() -> None:
    assert list(chunks([])) == []


@given(st.lists(st.sampled_from([b"{}\n", b"\n", b'{"a":1}\n', b"x" * 700_000]), max_size=30))
def test_chunks_hold_every_line_once_in_order(lines: list[bytes]) -> None:
    made = list(chunks(lines))
    assert [line for one in made for line in one.lines] == [line.rstrip(b"\n") for line in lines if line.strip()]
    assert all(len(one.names) == len(one.lines) for one in made)
    names = [name for one in made for name in one.names]
    assert len(set(names)) == len(names)


@given(st.lists(st.sampled_from([b"{}\n", b'{"a":1}\n', b'{"b":2}\n']), max_size=12), st.integers(0, 12))
def test_line_keeps_its_name_where_the_file_is_cut_or_has_grown(lines: list[bytes], kept: int) -> None:
    whole = [name for one in chunks(lines) for name in one.names]
    part = [name for one in chunks(lines[:kept]) for name in one.names]
    assert part == whole[:kept]


def test_line_has_another_name_behind_other_lines() -> None:
    (one,), (other,) = chunks([b"{}", b'{"a":1}']), chunks([b"[]", b'{"a":1}'])
    assert one.names[1] != other.names[1]


def test_records_of_a_chunk_are_checked_as_those_over_http() -> None:
    good = b'{"sessionId":"s","timestamp":"2026-11-23T11:59:00Z","action":"record.view"}'
    read = read_chunk(Chunk([good, b"{}"], ["1", "2"]), Window.around(NOW, back=timedelta(days=7)))
    assert [type(one) for one in read] == [SessionRecord, Rejection]


def test_month_of_a_record_is_its_month_in_utc() -> None:
    new_york = timezone(timedelta(hours=-5))
    assert months_of([_record(datetime(2026, 11, 30, 23, 30, tzinfo=new_york)), Rejection("$", "")]) == {
        date(2026, 12, 1)
    }
