"""A session log in its wire form: what is taken, what is refused, and in which words."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.json_body import MalformedJson
from sessions_log.domain.session_record import (
    NO_METADATA,
    Rejection,
    SessionRecord,
    Target,
    TooManyRecords,
    Window,
    decode_lines,
    decode_records,
    encode_records,
    metadata_text,
    metadata_value,
    stored_records,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WINDOW = Window.around(NOW, back=timedelta(days=7))
LEAST = {"sessionId": "s", "timestamp": "2026-11-23T11:59:00Z", "action": "record.view"}


def _decode(**fields: Any) -> SessionRecord | Rejection:
    (decoded,) = decode_records(json.dumps({**LEAST, **fields}).encode(), WINDOW)
    return decoded


def test_record_with_every_field_is_read() -> None:
    assert _decode(
        id="7", userId="m.russo", metadata={"order": [7, None]}, ipAddress="192.0.2.7", userAgent="Safari",
        duration=12, aiModelUsed="gpt-x", sensitive=True, outcome="denied", target={"type": "order", "id": "7"},
        traceId="t", sequence=3,
    ) == SessionRecord(
        session_id="s", timestamp=datetime(2026, 11, 23, 11, 59, tzinfo=UTC), action="record.view", id="7",
        user_id="m.russo", metadata=metadata_text({"order": [7, None]}), ip_address="192.0.2.7", user_agent="Safari", duration=12,
        ai_model_used="gpt-x", sensitive=True, outcome="denied", target=Target("order", "7"), trace_id="t", sequence=3,
    )  # fmt: skip


def test_record_without_what_is_optional_is_a_success_and_not_sensitive() -> None:
    record = _decode()
    assert isinstance(record, SessionRecord)
    assert (record.outcome, record.sensitive, record.user_id, record.metadata) == (
        "success", False, None, NO_METADATA,
    )  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "a" * 128},
        {"userId": "ü" * 256},
        {"sessionId": "s" * 256},
        {"ipAddress": "a" * 255},
        {"ipAddress": "cloudtrail.amazonaws.com"},
        {"userAgent": "a" * 1024},
        {"duration": 0},
        {"duration": 2_147_483_647},
        {"aiModelUsed": "m" * 256},
        {"target": {"type": "t" * 128, "id": "i" * 1024}},
        {"traceId": "t" * 128},
        {"sequence": 2**53},
        {"metadata": {"a": "x" * (32 * 1024 - 8)}},
        {"metadata": {}},
        {"action": "custom.oven.preheated_2"},
        {"timestamp": "2026-11-23T12:05:00Z"},
        {"timestamp": "2026-11-16T12:00:00Z"},
        {"timestamp": "2026-11-23T04:59:00.123456-07:00"},
        {"timestamp": "2026-11-23t11:59:00z"},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_value_at_its_limit_is_taken(fields: dict[str, Any]) -> None:
    assert isinstance(_decode(**fields), SessionRecord)


@pytest.mark.parametrize("fields", [{"ipAddress": ""}, {"userAgent": ""}, {"ipAddress": "", "userAgent": ""}], ids=str)
def test_empty_address_or_agent_is_none(fields: dict[str, str]) -> None:
    assert _decode(**fields) == _decode()
    assert decode_records(json.dumps([{**LEAST, **fields}]).encode(), WINDOW) == [_decode()]


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"id": ""}, "$.id", "expected string of length >= 1"),
        ({"id": "a" * 129}, "$.id", "expected string of length <= 128"),
        ({"id": 7}, "$.id", "expected string or null, got integer"),
        ({"userId": ""}, "$.userId", "expected string of length >= 1"),
        ({"userId": "a" * 257}, "$.userId", "expected string of length <= 256"),
        ({"sessionId": ""}, "$.sessionId", "expected string of length >= 1"),
        ({"sessionId": "a" * 257}, "$.sessionId", "expected string of length <= 256"),
        ({"sessionId": None}, "$.sessionId", "expected string, got null"),
        ({"ipAddress": "a" * 256}, "$.ipAddress", "longer than 255 bytes"),
        ({"ipAddress": "ü" * 128}, "$.ipAddress", "longer than 255 bytes"),
        ({"ipAddress": ["192.0.2.7"]}, "$.ipAddress", "expected string or null, got array"),
        ({"userAgent": "a" * 1025}, "$.userAgent", "expected string of length <= 1024"),
        ({"duration": -1}, "$.duration", "expected integer >= 0"),
        ({"duration": 2_147_483_648}, "$.duration", "expected integer <= 2147483647"),
        ({"duration": 1.5}, "$.duration", "expected integer or null, got number"),
        ({"duration": "12"}, "$.duration", "expected integer or null, got string"),
        ({"duration": True}, "$.duration", "expected integer or null, got true or false"),
        ({"aiModelUsed": ""}, "$.aiModelUsed", "expected string of length >= 1"),
        ({"aiModelUsed": "m" * 257}, "$.aiModelUsed", "expected string of length <= 256"),
        ({"sensitive": 1}, "$.sensitive", "expected true or false, got integer"),
        ({"sensitive": None}, "$.sensitive", "expected true or false, got null"),
        ({"outcome": "ok"}, "$.outcome", "expected one of success, failure, denied"),
        ({"outcome": None}, "$.outcome", "expected string, got null"),
        ({"target": "order:7"}, "$.target", "expected object or null, got string"),
        ({"target": {"type": "order"}}, "$.target", "object missing required field id"),
        ({"target": {"type": "", "id": "7"}}, "$.target.type", "expected string of length >= 1"),
        ({"target": {"type": "t" * 129, "id": "7"}}, "$.target.type", "expected string of length <= 128"),
        ({"target": {"type": "t", "id": "i" * 1025}}, "$.target.id", "expected string of length <= 1024"),
        (
            {"target": {"type": "t", "id": "7", "name": "x"}},
            "$.target.name",
            "not a field that this version knows; put it into metadata",
        ),
        ({"traceId": ""}, "$.traceId", "expected string of length >= 1"),
        ({"traceId": "t" * 129}, "$.traceId", "expected string of length <= 128"),
        ({"sequence": -1}, "$.sequence", "expected integer >= 0"),
        ({"sequence": 2**53 + 1}, "$.sequence", "expected integer <= 9007199254740992"),
        ({"metadata": []}, "$.metadata", "expected object or null, got array"),
        ({"metadata": {"a": "x" * (32 * 1024 - 7)}}, "$.metadata", "larger than 32768 bytes as JSON"),
        ({"metadata": {"a": "ü" * (16 * 1024 - 3)}}, "$.metadata", "larger than 32768 bytes as JSON"),
        (
            {"metadata": {"a": [2**53 + 1]}},
            "$.metadata",
            "an integer is beyond 2^53, where programs differ; send it as a string",
        ),
        ({"colour": "red"}, "$.colour", "not a field that this version knows; put it into metadata"),
        ({"userid": "m.russo"}, "$.userid", "not a field that this version knows; put it into metadata"),
        ({"m russo": 1}, "$", "has a field that this version does not know; put it into metadata"),
        ({"action": "login"}, "$.action", "not in the vocabulary; use one of its actions or custom.<name>, at most 64 characters"),
        ({"action": 7}, "$.action", "expected string, got integer"),
        ({"timestamp": "2026-11-23T12:05:00.000001Z"}, "$.timestamp",
        "more than 5 minutes ahead of the server's clock"),
        (
            {"timestamp": "2026-11-16T11:59:59.999999Z"},
            "$.timestamp",
            "before 2026-11-16T12:00Z, as far back as this organization takes; import history instead",
        ),
        ({"timestamp": "2026-11-23T11:59:00"}, "$.timestamp", "expected date and time (RFC 3339) with a timezone component"),
        ({"timestamp": "yesterday"}, "$.timestamp", "invalid RFC 3339 date and time, as 2026-11-23T15:09:31Z"),
        ({"timestamp": "2026-02-30T00:00:00Z"}, "$.timestamp", "invalid RFC 3339 date and time, as 2026-11-23T15:09:31Z"),
        ({"timestamp": 1_763_899_140}, "$.timestamp", "expected date and time (RFC 3339), got integer"),
    ],
)  # fmt: skip
def test_value_that_is_not_allowed_is_refused_with_its_path_and_reason(
    fields: dict[str, Any], path: str, reason: str
) -> None:
    decoded = _decode(**fields)
    assert isinstance(decoded, Rejection)
    assert (decoded.path, decoded.reason) == (path, reason)


@pytest.mark.parametrize("missing", ["sessionId", "timestamp", "action"])
def test_field_that_must_be_there_is_named(missing: str) -> None:
    body = json.dumps({name: value for name, value in LEAST.items() if name != missing}).encode()
    assert decode_records(body, WINDOW) == [Rejection("$", f"object missing required field {missing}")]


def test_metadata_may_have_32_levels_and_no_more() -> None:
    deep: Any = {}
    for _ in range(31):
        deep = {"a": deep}
    assert isinstance(_decode(metadata=deep), SessionRecord)
    refused = _decode(metadata={"a": deep})
    assert isinstance(refused, Rejection)
    assert (refused.path, refused.reason) == ("$.metadata", "nested deeper than 32 levels")


@pytest.mark.parametrize("depth", [33, 197])
def test_record_nested_too_deep_does_not_spoil_the_others(depth: int) -> None:
    good = json.dumps(LEAST).encode()
    deep = good[:-1] + b', "metadata": {"a": %s}}' % (b"[" * depth + b"]" * depth)
    decoded = decode_records(b"[" + good + b"," + deep + b"]", WINDOW)
    assert [one.reason if isinstance(one, Rejection) else "taken" for one in decoded] == [
        "taken",
        "nested deeper than 32 levels",
    ]


@pytest.mark.parametrize("depth", [200, 1_000, 9_000, 100_000])
def test_body_nested_beyond_what_parsers_bear_is_refused_unread(depth: int) -> None:
    deep = json.dumps(LEAST).encode()[:-1] + b', "metadata": {"a": %s}}' % (b"[" * depth + b"]" * depth)
    assert [type(one) for one in decode_records(deep, WINDOW)] == [Rejection]
    assert [type(one) for one in decode_lines(deep, WINDOW)] == [Rejection]
    with pytest.raises(MalformedJson):
        decode_records(b"[" + deep + b"]", WINDOW)


@given(
    st.sampled_from([
        "id", "userId", "sessionId", "timestamp", "action", "metadata", "ipAddress", "userAgent", "duration",
        "aiModelUsed", "sensitive", "outcome", "target", "traceId", "sequence", "CANARY",
    ]),
    st.recursive(
        st.sampled_from(["CANARY", "CANARY" * 300, 4_711_471_147_114_711_471, None, True, 1.5]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["CANARY", "type", "id"]), inner,
        max_size=2),
    ),
)  # fmt: skip
def test_no_reason_or_path_ever_quotes_a_value(field: str, value: Any) -> None:
    decoded = _decode(**{field: value})
    if isinstance(decoded, Rejection):
        assert "CANARY" not in decoded.path.removesuffix(".CANARY") + decoded.reason
        assert "4711" not in decoded.path + decoded.reason


def test_rejection_carries_the_record_s_own_id_where_it_can_be_read() -> None:
    assert _decode(id="order-7", outcome="ok") == Rejection(
        "$.outcome", "expected one of success, failure, denied", "order-7"
    )
    assert _decode(id=["order-7"]) == Rejection("$.id", "expected string or null, got array")


def test_bad_record_does_not_spoil_the_others() -> None:
    good = json.dumps(LEAST).encode()
    decoded = decode_records(b"[" + good + b', {"sessionId": "s"}, 7, ' + good + b"]", WINDOW)
    assert [type(one).__name__ for one in decoded] == ["SessionRecord", "Rejection", "Rejection", "SessionRecord"]


def test_record_that_two_parsers_would_read_differently_does_not_spoil_the_others() -> None:
    good = json.dumps(LEAST).encode()
    twice = good.replace(b'"s"', b'"s", "sessionId": "t"')
    nul = good.replace(b'"s"', rb'"s\u0000"')
    decoded = decode_records(b"[" + b",".join([good, twice, nul, good]) + b"]", WINDOW)
    assert [one.reason if isinstance(one, Rejection) else "taken" for one in decoded] == [
        "taken",
        "an object has the same key twice",
        "the character U+0000 is not allowed in strings",
        "taken",
    ]


def test_array_that_does_not_end_is_malformed_as_a_whole() -> None:
    with pytest.raises(MalformedJson):
        decode_records(b"[" + json.dumps(LEAST).encode(), WINDOW)


def test_lines_are_read_each_by_itself_and_empty_ones_passed_over() -> None:
    good = json.dumps(LEAST).encode()
    decoded = decode_lines(b"\n" + good + b"\r\n\n  \n{\n" + good, WINDOW)
    assert [type(one).__name__ for one in decoded] == ["SessionRecord", "Rejection", "SessionRecord"]


def test_single_object_may_be_surrounded_by_white_space() -> None:
    (decoded,) = decode_records(b" \r\n\t" + json.dumps(LEAST).encode() + b"\n ", WINDOW)
    assert isinstance(decoded, SessionRecord)


def test_a_thousand_records_are_taken_and_one_more_is_too_many() -> None:
    good = json.dumps(LEAST).encode()
    assert len(decode_records(b"[" + b",".join([good] * 1000) + b"]", WINDOW)) == 1000
    assert len(decode_lines(b"\n".join([good] * 1000), WINDOW)) == 1000
    with pytest.raises(TooManyRecords, match="1001 records; at most 1000 are taken in one request"):
        decode_records(b"[" + b",".join([good] * 1001) + b"]", WINDOW)
    with pytest.raises(TooManyRecords):
        decode_lines(b"\n".join([good] * 1001), WINDOW)


@pytest.mark.parametrize(
    ("decode", "body"), [(decode_records, b"[" + b"0," * 2_000_000 + b"0]"), (decode_lines, b"0\n" * 2_000_000)]
)
def test_millions_of_faults_are_not_looked_at_one_by_one(decode: Any, body: bytes) -> None:
    with pytest.raises(TooManyRecords):
        decode(body, WINDOW)


def test_history_is_taken_from_1970_on() -> None:
    history = Window.around(NOW, back=None)
    body = json.dumps([{**LEAST, "timestamp": "1970-01-01T00:00:00Z"}, {**LEAST, "timestamp": "1969-12-31T23:59:59Z"}])
    first, second = decode_records(body.encode(), history)
    assert isinstance(first, SessionRecord)
    assert isinstance(second, Rejection)


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_time_at_the_calendar_s_end_is_refused_like_any_other(timestamp: str) -> None:
    decoded = _decode(timestamp=timestamp)
    assert isinstance(decoded, Rejection)
    assert decoded.path == "$.timestamp"


def test_stored_records_are_the_ones_that_were_encoded() -> None:
    records = [_decode(id="7", metadata={"ü": [1, 1.5, None, "x"]}, target={"type": "t", "id": "i"}), _decode()]
    assert stored_records(encode_records([one for one in records if isinstance(one, SessionRecord)])) == records


def test_metadata_is_one_text_however_it_was_written() -> None:
    spellings = [
        rb'{"a":{"b":1,"c":"/"},"d":["\u00fc",1000.0]}',
        rb'{"d":["\u00FC", 1e3], "a":{"c":"\/" ,"b": 1}}',
        '{"a":{"b":1,"c":"/"},"d":["ü",1000.0]}'.encode(),
    ]
    texts = set()
    for spelt in spellings:
        (record,) = decode_records(json.dumps(LEAST).encode()[:-1] + b', "metadata": %s}' % spelt, WINDOW)
        assert isinstance(record, SessionRecord)
        assert metadata_value(record.metadata) == {"a": {"b": 1, "c": "/"}, "d": ["ü", 1000.0]}
        texts.add(bytes(record.metadata))
    assert len(texts) == 1


def test_metadata_that_is_null_is_none() -> None:
    record = _decode(metadata=None)
    assert isinstance(record, SessionRecord)
    assert metadata_value(record.metadata) is None
