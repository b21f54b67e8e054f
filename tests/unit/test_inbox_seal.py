"""What lies in the inbox is sealed under the key of its day, bound to its request and organization."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.inbox import InboxRequest, day_of, new_request_id, open_body, seal_body
from sessions_log.domain.sealing import CannotOpen

KEY = bytes(range(32))
REQUEST, OTHER_REQUEST = bytes(16), bytes(15) + b"\x01"
TRATTORIA, OSTERIA = UUID(int=1), UUID(int=2)


@given(st.binary(max_size=10_000))
def test_body_opens_to_what_was_sealed(body: bytes) -> None:
    sealed = seal_body(body, KEY, request_id=REQUEST, organization=TRATTORIA)
    assert open_body(sealed, KEY, request_id=REQUEST, organization=TRATTORIA) == body


def test_largest_body_opens() -> None:
    body = b"[" + b"1e15," * 3_000_000 + b"1]"
    sealed = seal_body(body, KEY, request_id=REQUEST, organization=TRATTORIA)
    assert open_body(sealed, KEY, request_id=REQUEST, organization=TRATTORIA) == body


def test_sealed_body_holds_nothing_of_the_plain_one() -> None:
    assert b"m.russo" not in seal_body(b"m.russo", KEY, request_id=REQUEST, organization=TRATTORIA)


@pytest.mark.parametrize(
    ("key", "request_id", "organization"),
    [(bytes(32), REQUEST, TRATTORIA), (KEY, OTHER_REQUEST, TRATTORIA), (KEY, REQUEST, OSTERIA)],
    ids=["another day's key", "another request", "another organization"],
)
def test_body_does_not_open_elsewhere(key: bytes, request_id: bytes, organization: UUID) -> None:
    sealed = seal_body(b"[]", KEY, request_id=REQUEST, organization=TRATTORIA)
    with pytest.raises(CannotOpen):
        open_body(sealed, key, request_id=request_id, organization=organization)


@pytest.mark.parametrize("size", [2, 5000])
def test_body_with_a_byte_changed_or_cut_short_does_not_open(size: int) -> None:
    sealed = seal_body(b"x" * size, KEY, request_id=REQUEST, organization=TRATTORIA)
    for tampered in (
        bytes((sealed[0] ^ 1,)) + sealed[1:],
        sealed[:-1] + bytes((sealed[-1] ^ 1,)),
        sealed[:-1],
        sealed[:20],
        b"",
    ):
        with pytest.raises(CannotOpen):
            open_body(tampered, KEY, request_id=REQUEST, organization=TRATTORIA)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 23, 59, 59, 999_999, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), date(2026, 11, 24)),
    ],
)
def test_day_of_a_request_is_its_day_in_utc(now: datetime, day: date) -> None:
    assert day_of(new_request_id(now)) == day


def test_request_counts_its_records_by_their_ids() -> None:
    request = InboxRequest(
        id=REQUEST, organization_id=1, service_id=1, shard=0, lane=0, kind=1, entry_ids=bytes(48), sealed=b""
    )
    assert request.records == 3
