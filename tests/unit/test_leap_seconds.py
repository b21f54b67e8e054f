"""Leap seconds: taken where RFC 3339 allows them, as the last microsecond before."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sessions_log.domain.leap_second import folded
from sessions_log.domain.session_record import Rejection, SessionRecord, Window, decode_lines, decode_records

AFTER = datetime(2017, 1, 1, tzinfo=UTC)
WINDOW = Window.around(AFTER, back=timedelta(days=7))


def _record(timestamp: str) -> bytes:
    return json.dumps({"sessionId": "s", "timestamp": timestamp, "action": "record.view", "id": "7"}).encode()


@pytest.mark.parametrize(
    "timestamp",
    ["2016-12-31T23:59:60Z", "2016-12-31t23:59:60.999z", "2016-12-31T15:59:60-08:00", "2017-01-01T05:29:60.5+05:30"],
)
def test_record_of_a_leap_second_is_taken_as_the_last_microsecond_before(timestamp: str) -> None:
    before = AFTER - timedelta(microseconds=1)
    decoded = [
        *decode_records(_record(timestamp), WINDOW),
        *decode_records(b"[" + _record(timestamp) + b"]", WINDOW),
        *decode_lines(_record(timestamp), WINDOW),
    ]
    assert [one.timestamp for one in decoded if isinstance(one, SessionRecord)] == [before] * 3


@pytest.mark.parametrize(
    "timestamp",
    [
        "2016-12-31T23:58:60Z", "2016-12-31T22:59:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+01:00",
        "2016-12-31T23:59:61Z", "2016-12-31T23:59:60", "2016-13-31T23:59:60Z", "9999-12-31T23:59:60Z",
        "0001-01-01T00:59:60+02:00", "2016-12-31T23:59:60Z ", "٢٠١٦-12-31T23:59:60Z", "",
    ],
)  # fmt: skip
def test_second_60_elsewhere_is_none(timestamp: str) -> None:
    assert folded(timestamp) is None
    (decoded,) = decode_records(_record(timestamp), WINDOW)
    assert isinstance(decoded, Rejection)
    assert (decoded.path, decoded.id) == ("$.timestamp", "7")


def test_leap_second_does_not_excuse_another_fault() -> None:
    (decoded,) = decode_records(_record("2016-12-31T23:59:60Z").replace(b"record.view", b"nonsense"), WINDOW)
    assert isinstance(decoded, Rejection)
    assert decoded.path == "$.action"
