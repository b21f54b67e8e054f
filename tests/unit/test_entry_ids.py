"""Entry ids are UUIDv7 as RFC 9562 (5.7) lays it out, and equal for equal records alone."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain import entry_id
from sessions_log.domain.entry_id import KIND_AI_INTERACTION, KIND_SESSION_LOG

KEY = bytes(range(32))
NOON = datetime(2026, 11, 23, 12, 0, 0, 123_999, tzinfo=UTC)
AFTER_1970 = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23), timezones=st.just(UTC))


def test_layout_is_that_of_the_rfc_s_own_example() -> None:
    # RFC 9562, A.6: 2022-02-22 19:22:22.000 UTC
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    own = UUID(bytes=entry_id.from_client_id(at, KIND_SESSION_LOG, "order-7", KEY))
    assert str(own)[:15] == "017f22e2-79b0-7"
    assert own.version == 7
    assert own.variant == "specified in RFC 4122"


def test_id_of_a_client_s_id_is_fixed_for_ever() -> None:
    own = entry_id.from_client_id(NOON, KIND_SESSION_LOG, "order-7", KEY)
    assert entry_id.text(own) == "01a20846-fe7b-73ee-a54b-42e86a23d10d"


def test_id_of_a_position_is_fixed_for_ever() -> None:
    own = entry_id.from_position(NOON, KIND_SESSION_LOG, "batch-1", 3, KEY)
    assert entry_id.text(own) == "01a20846-fe7b-701e-9d3e-3b0025677914"


@given(AFTER_1970, st.text(min_size=1, max_size=128))
def test_every_id_is_a_version_7_id_of_its_millisecond(at: datetime, client_id: str) -> None:
    own = UUID(bytes=entry_id.from_client_id(at, KIND_SESSION_LOG, client_id, KEY))
    assert (own.version, own.variant) == (7, "specified in RFC 4122")
    assert entry_id.timestamp_of(own) == at.replace(microsecond=at.microsecond // 1000 * 1000)


@given(AFTER_1970)
def test_milliseconds_are_rounded_down_and_exact(at: datetime) -> None:
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=entry_id.milliseconds(at)) == whole


@given(AFTER_1970)
def test_id_lies_between_its_millisecond_s_bound_and_the_next(at: datetime) -> None:
    own = UUID(bytes=entry_id.random(at))
    assert entry_id.lowest(at) <= own < entry_id.lowest(at + timedelta(milliseconds=1))


@given(AFTER_1970, AFTER_1970)
def test_ids_sort_as_their_milliseconds_do(one: datetime, other: datetime) -> None:
    if entry_id.milliseconds(one) < entry_id.milliseconds(other):
        assert entry_id.random(one) < entry_id.random(other)


@given(AFTER_1970)
def test_hour_of_a_time_is_the_hour_in_its_id(at: datetime) -> None:
    own = UUID(bytes=entry_id.random(at))
    assert entry_id.hour_in(own) == entry_id.hour_of(at)


def test_same_record_gives_the_same_id() -> None:
    assert entry_id.from_client_id(NOON, KIND_SESSION_LOG, "a", KEY) == entry_id.from_client_id(
        NOON, KIND_SESSION_LOG, "a", KEY
    )


def test_zone_in_which_a_time_is_written_does_not_change_the_id() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert entry_id.from_client_id(NOON, KIND_SESSION_LOG, "a", KEY) == entry_id.from_client_id(
        elsewhere, KIND_SESSION_LOG, "a", KEY
    )


@pytest.mark.parametrize(
    "other",
    [
        entry_id.from_client_id(NOON + timedelta(milliseconds=1), KIND_SESSION_LOG, "a", KEY),
        entry_id.from_client_id(NOON, KIND_AI_INTERACTION, "a", KEY),
        entry_id.from_client_id(NOON, KIND_SESSION_LOG, "b", KEY),
        entry_id.from_client_id(NOON, KIND_SESSION_LOG, "a", bytes(32)),
        entry_id.from_position(NOON, KIND_SESSION_LOG, "a", 0, KEY),
    ],
    ids=["time", "kind", "client id", "key", "position in place of id"],
)
def test_id_differs_where_anything_differs(other: bytes) -> None:
    assert entry_id.from_client_id(NOON, KIND_SESSION_LOG, "a", KEY) != other


def test_positions_of_one_request_have_ids_of_their_own() -> None:
    ids = {entry_id.from_position(NOON, KIND_SESSION_LOG, "batch-1", at, KEY) for at in range(1000)}
    assert len(ids) == 1000


def test_position_and_idempotency_key_cannot_be_taken_for_each_other() -> None:
    one = entry_id.from_position(NOON, KIND_SESSION_LOG, "1\x00x", 1, KEY)
    assert one != entry_id.from_position(NOON, KIND_SESSION_LOG, "x", 11, KEY)


def test_two_records_that_nothing_identifies_are_two() -> None:
    assert entry_id.random(NOON) != entry_id.random(NOON)


def test_time_before_1970_has_the_lowest_bound_there_is() -> None:
    assert entry_id.lowest(datetime(1, 1, 1, tzinfo=UTC)) == UUID("00000000-0000-7000-8000-000000000000")


def test_hour_in_the_highest_id_is_beyond_the_calendar() -> None:
    assert entry_id.hour_in(UUID(int=2**128 - 1)) == 78_187_493


@given(st.binary(min_size=16, max_size=16))
def test_text_is_the_usual_form(own: bytes) -> None:
    assert entry_id.text(own) == str(UUID(bytes=own))
