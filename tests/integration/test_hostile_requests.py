"""Whatever comes over HTTP is answered with a 4xx problem, never a 500, and stores nothing."""

import gzip
import io
import json
import struct
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zstandard

from sessions_log.models import InboxRow
from tests.integration.api import SESSION_LOGS, Answer, call, post
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
MEBIBYTE = 1024 * 1024
GOOD = json.dumps(session_record(id="good one")).encode()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def _assert_refused(answer: Answer, tenant: Tenant, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.body[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["title"]
    assert answer.json["detail"].endswith(".")
    assert not InboxRow.objects.filter(organization_id=tenant.organization.id, service_id=tenant.service_id).exists()


def _with(**fields: Any) -> bytes:
    return json.dumps(session_record(**fields)).encode()


def _raw(name: str, value: bytes) -> bytes:
    """A record with a field written as it stands."""
    return GOOD[:-1] + b', "%s": %s}' % (name.encode(), value)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"\x00", b"\xff\xfe", b"null", b"true", b"7", b'"x"', b"nope", b"{", b"[", b"[}", b"{]", b"[[]]",
        b"[null]",
        b"[1, 2]", b"[[{}]]", b"{}", b"[]", b"[{}]", b"{} {}", GOOD + GOOD, GOOD + b",", b"[" + GOOD, GOOD[:-1],
        GOOD[1:],
        b"\xef\xbb\xbf" + GOOD, GOOD.decode().encode("utf-16"), b"'" + GOOD, b"callback(" + GOOD + b")", b"<record/>",
        b"a=b&c=d", b"\x1f\x8b" + GOOD,
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_body_that_is_no_record(tenant: Tenant, body: bytes) -> None:
    _assert_refused(post(tenant, body), tenant, 400, 422)


@pytest.mark.parametrize(
    ("body", "content_type", "detail", "reasons"),
    [
        (b"", "application/json", "No record was accepted.", ["empty"]),
        (b" \n", "application/json", "No record was accepted.", ["empty"]),
        (b"[]", "application/json", "There is no record in the body.", []),
        (b"\n\n", "application/x-ndjson", "There is no record in the body.", []),
    ],
)
def test_body_without_a_record_is_told_apart_from_a_broken_one(
    tenant: Tenant, body: bytes, content_type: str, detail: str, reasons: list[str]
) -> None:
    answer = call("POST", SESSION_LOGS, tenant, body=body, environ={"CONTENT_TYPE": content_type})
    _assert_refused(answer, tenant, 422)
    assert answer.json["detail"] == detail
    assert [error["reason"] for error in answer.json.get("errors", [])] == reasons


def test_key_that_is_missing_is_asked_for() -> None:
    assert "Authorization: Bearer mun_" in call("GET", SESSION_LOGS).json["detail"]


@pytest.mark.parametrize(
    "value",
    [
        b"null", b"7", b"1.5", b"true", b"[]", b"{}", b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"',
        b'"a\\\\\\u0000"',
        b'"\xff"', b'"\xed\xa0\x80"', b'"a\x00b"', b'"a\nb"', b"NaN", b"Infinity", b"1e400", b"-1e400", b"9" * 5_000,
        b'"' + b"x" * MEBIBYTE + b'"', b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"'x'", b"",
    ],
    ids=lambda value: repr(value[:12]),
)  # fmt: skip
@pytest.mark.parametrize("name", ["sessionId", "timestamp", "action"])
def test_value_that_a_needed_field_cannot_have(tenant: Tenant, name: str, value: bytes) -> None:
    others = json.dumps({key: one for key, one in session_record().items() if key != name}).encode()
    _assert_refused(post(tenant, others[:-1] + b', "%s": %s}' % (name.encode(), value)), tenant, 400, 422)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metadata", b"[]"), ("metadata", b'"x"'), ("metadata", b'{"a": 1e400}'), ("metadata", b'{"a": NaN}'),
        ("metadata", b'{"a": 1, "a": 2}'), ("metadata", b'{"a": {"b": 1, "\\u0062": 2}}'), ("metadata",
        b'{"\\u0000": 1}'),
        ("metadata", b'{"\\ud800": 1}'), ("metadata", b'{"a": "\\ud800"}'), ("metadata", b'{"a": 9007199254740993}'),
        ("metadata", b'{"a": -9007199254740993}'), ("metadata", b'{"a": ' + b"9" * 400 + b"}"),
        ("metadata", b'{"a": ' + b"9" * 5_000 + b"}"), ("metadata", b'{"a":' * 33 + b"1" + b"}" * 33),
        ("metadata", b'{"a":' * 994 + b"1" + b"}" * 994), ("metadata", b'{"a":' * 100_000), ("metadata",
        b'{"a": "' + b"x" * MEBIBYTE + b'"}'),
        ("metadata", b'{"' + b"x" * MEBIBYTE + b'": 1}'), ("metadata", b'{"a": [' + b"0," * 20_000 + b"0]}"),
        ("userId", b'""'), ("userId", b'"' + b"x" * MEBIBYTE + b'"'), ("userId", b"7"), ("userId", b'"\\u0000"'),
        ("ipAddress", b'"' + b"x" * 256 + b'"'), ("ipAddress", b"2130706433"), ("userAgent",
        b'"' + b"x" * MEBIBYTE + b'"'),
        ("duration", b"-1"), ("duration", b"1e400"), ("duration", b"1e10"), ("duration", b"99999999999999999999"),
        ("duration", b'"1"'),
        ("sequence", b"-1"), ("sequence", b"18446744073709551616"), ("sensitive", b'"true"'), ("sensitive", b"1"),
        ("outcome", b'"SUCCESS"'), ("outcome", b"1"), ("target", b'"order:7"'), ("target", b'{"type": "order"}'),
        ("target", b'{"type": "order", "id": ["7"]}'), ("target", b'{"type": "order", "id": "7", "x": 1}'),
        ("traceId", b"[]"),
        ("aiModelUsed", b"{}"), ("__proto__", b"{}"), ("constructor", b"1"), ("organization", b'"other"'),
        ("service", b'"x"'),
        ("entryId", b'"x"'), ("seq", b"1"), ("userid", b'"x"'), ("", b"1"), ("sessionId", b'"twice"'),
    ],
    ids=lambda value: repr(value[:16]),
)  # fmt: skip
def test_value_that_an_optional_field_cannot_have(tenant: Tenant, name: str, value: bytes) -> None:
    _assert_refused(post(tenant, _raw(name, value)), tenant, 400, 422)


@pytest.mark.parametrize("id_", [b'""', b"7", b"null7", b'"' + b"x" * 129 + b'"', b'"\\u0000"', b'"\\ud800"', b"[]"])
def test_id_that_a_record_cannot_have(tenant: Tenant, id_: bytes) -> None:
    record = {key: one for key, one in session_record().items() if key != "id"}
    _assert_refused(post(tenant, json.dumps(record).encode()[:-1] + b', "id": ' + id_ + b"}"), tenant, 422)


@pytest.mark.parametrize(
    "timestamp",
    [
        "", "now", "2026-11-23", "2026-11-23T12:00:00", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T12:00:00+99:99",
        "1e3",
    ],
)  # fmt: skip
def test_timestamp_that_is_none_or_beyond_what_is_taken(tenant: Tenant, timestamp: str) -> None:
    _assert_refused(post(tenant, session_record(timestamp=timestamp)), tenant, 422)


@pytest.mark.parametrize("off", [timedelta(minutes=6), timedelta(days=-7, minutes=-1), timedelta(days=366)])
def test_timestamp_out_of_the_organization_s_window(tenant: Tenant, off: timedelta) -> None:
    _assert_refused(post(tenant, session_record(timestamp=(datetime.now(UTC) + off).isoformat())), tenant, 422)


def test_what_is_wrong_is_told_by_position_path_and_reason(tenant: Tenant) -> None:
    answer = post(tenant, [session_record(outcome="ok"), {"sessionId": 7}])
    _assert_refused(answer, tenant, 422)
    assert answer.json["errors"] == [
        {"position": 0, "path": "$.outcome", "reason": "expected one of success, failure, denied"},
        {"position": 1, "path": "$.sessionId", "reason": "expected string, got integer"},
    ]


@pytest.mark.parametrize("count", [1_001, 5_000])
def test_more_records_than_are_taken_at_once(tenant: Tenant, count: int) -> None:
    array = post(tenant, [session_record()] * count)
    lines = call(
        "POST", SESSION_LOGS, tenant, body=b"\n".join([b"{}"] * count), environ={"CONTENT_TYPE": "application/x-ndjson"}
    )
    for answer in (array, lines):
        _assert_refused(answer, tenant, 413)
        assert answer.json["detail"] == f"{count} records; at most 1000 are taken in one request."


@pytest.mark.parametrize("unit", [b"0,", b"{},", b'"",', b"[],"])
def test_millions_of_tiny_faults_cost_little(tenant: Tenant, unit: bytes) -> None:
    body = b"[" + unit * ((4 * MEBIBYTE - 10) // len(unit)) + b"0]"
    begun = time.process_time()
    _assert_refused(post(tenant, body), tenant, 413)
    assert time.process_time() - begun < 8  # one by one they took ten times as long as it usually takes


def test_body_over_four_mebibytes(tenant: Tenant) -> None:
    _assert_refused(post(tenant, b" " * (4 * MEBIBYTE + 1)), tenant, 413)


def test_body_without_a_length_is_read_no_further_than_it_may_be(tenant: Tenant) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b" " * size

    source = Endless()
    answer = call("POST", SESSION_LOGS, tenant, environ={"CONTENT_LENGTH": None, "wsgi.input": source})
    _assert_refused(answer, tenant, 413)
    assert source.given <= 4 * MEBIBYTE + 1


@pytest.mark.parametrize(
    "length", ["-1", "+5", "5 5", "5,5", "0x10", "1e3", "abc", "²", "٣", "9" * 20, "9" * 5_000, "1_0", " 5"]
)
def test_length_that_is_no_number_or_no_length(tenant: Tenant, length: str) -> None:
    answer = call("POST", SESSION_LOGS, tenant, body=GOOD, environ={"CONTENT_LENGTH": length})
    _assert_refused(answer, tenant, 400, 413)


def test_body_shorter_than_its_length(tenant: Tenant) -> None:
    answer = call("POST", SESSION_LOGS, tenant, body=GOOD, environ={"CONTENT_LENGTH": str(len(GOOD) + 1)})
    _assert_refused(answer, tenant, 400)


def test_body_longer_than_its_length_is_read_no_further(tenant: Tenant) -> None:
    answer = call("POST", SESSION_LOGS, tenant, body=GOOD, environ={"CONTENT_LENGTH": str(len(GOOD) - 1)})
    _assert_refused(answer, tenant, 422)


@pytest.mark.parametrize(
    "content_type",
    [
        "", "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream", "application/jsonx", "json", ";", "\xff", "application /json", "x" * 100_000,
        "text/plain; application/json",
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_content_type_that_is_not_taken(tenant: Tenant, content_type: str) -> None:
    _assert_refused(call("POST", SESSION_LOGS, tenant, body=GOOD, environ={"CONTENT_TYPE": content_type}), tenant, 415)


@pytest.mark.parametrize(
    "encoding",
    ["br", "deflate", "gzip, gzip", "gzip,identity", "zip", "\xff", "x" * 100_000, "gzip;q=1"],
    ids=lambda one: one[:12],
)
def test_content_encoding_that_is_not_taken(tenant: Tenant, encoding: str) -> None:
    _assert_refused(post(tenant, GOOD, **{"content-encoding": encoding}), tenant, 415)


def _zstd(body: bytes, **options: Any) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(body)


WINDOW_OF_128_MEBIBYTES = zstandard.ZstdCompressionParameters.from_level(19, window_log=27)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b""), ("gzip", GOOD), ("gzip", b"\x1f\x8b"), ("gzip", gzip.compress(GOOD)[:-1]), ("gzip",
        gzip.compress(GOOD)[:-9]),
        ("gzip", gzip.compress(GOOD)[:12]), ("gzip", gzip.compress(GOOD) + b"x"), ("gzip", gzip.compress(GOOD) * 2),
        ("gzip", gzip.compress(GOOD)[:-8] + struct.pack("<II", 0, len(GOOD))), ("gzip", zlib.compress(GOOD)),
        ("gzip", gzip.compress(gzip.compress(GOOD))), ("zstd", b""), ("zstd", GOOD), ("zstd", b"\x28\xb5\x2f\xfd"),
        ("zstd", _zstd(GOOD)[:-1]), ("zstd", _zstd(GOOD)[:8]), ("zstd", _zstd(GOOD) + b"x"), ("zstd", _zstd(GOOD) * 2),
        ("zstd", _zstd(_zstd(GOOD))), ("zstd", gzip.compress(GOOD)), ("gzip", _zstd(GOOD)),
    ],
    ids=lambda value: repr(value[:2]) if isinstance(value, bytes) else value,
)  # fmt: skip
def test_body_that_is_not_one_whole_compressed_stream(tenant: Tenant, encoding: str, body: bytes) -> None:
    _assert_refused(post(tenant, body, **{"content-encoding": encoding}), tenant, 400, 422)


@pytest.mark.parametrize("cut", [1, 3, 50, 500])
@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", _zstd)])
def test_compressed_lines_that_are_cut_short_are_not_taken_in_part(
    tenant: Tenant, encoding: str, compress: Any, cut: int
) -> None:
    body = compress(b"\n".join(_with() for _ in range(500)))[:-cut]
    answer = call(
        "POST", SESSION_LOGS, tenant, body=body, headers={"content-encoding": encoding},
        environ={"CONTENT_TYPE": "application/x-ndjson"},
    )  # fmt: skip
    _assert_refused(answer, tenant, 400)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(bytes(200 * MEBIBYTE), 1)),
        ("gzip", gzip.compress(b" " * (4 * MEBIBYTE + 1))),
        ("zstd", _zstd(bytes(1024 * MEBIBYTE))),
        ("zstd", _zstd(bytes(1024 * MEBIBYTE), write_content_size=False)),
        ("zstd", _zstd(b" " * (4 * MEBIBYTE + 1))),
    ],
    ids=[
        "gzip of 200 MiB",
        "gzip just too large",
        "zstd of 1 GiB",
        "zstd of 1 GiB, size untold",
        "zstd just too large",
    ],
)
def test_bomb_is_stopped_early(tenant: Tenant, encoding: str, bomb: bytes) -> None:
    begun = time.process_time()
    _assert_refused(post(tenant, bomb, **{"content-encoding": encoding}), tenant, 413)
    assert time.process_time() - begun < 2


def test_zstd_that_asks_for_much_memory(tenant: Tenant) -> None:
    stream = zstandard.ZstdCompressor(compression_params=WINDOW_OF_128_MEBIBYTES).compressobj()
    _assert_refused(post(tenant, stream.compress(GOOD) + stream.flush(), **{"content-encoding": "zstd"}), tenant, 400)


@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 100_000])
def test_idempotency_key_that_is_empty_or_too_long(tenant: Tenant, key: str) -> None:
    _assert_refused(post(tenant, GOOD, **{"idempotency-key": key}), tenant, 400)


@pytest.mark.parametrize(
    "authorization",
    [
        None, "", "Bearer", "Bearer ", "Bearer \xff", "Bearer x", "Basic dXNlcjpwYXNz", "mun_x", "Bearer mun_x",
        "Bearer " + "x" * 100_000,
        "Bearer mun_aaaaaaaaaaaa_" + "b" * 43, "Bearer null", "Token abc", "Bearer\tx",
        "Bearer mun_aaaaaaaaaaaa_" + "b" * 42 + "\x00",
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_authorization_that_is_none(tenant: Tenant, authorization: str | None) -> None:
    answer = call("POST", SESSION_LOGS, body=GOOD, environ={"HTTP_AUTHORIZATION": authorization})
    _assert_refused(answer, tenant, 401)
    assert answer.headers["www-authenticate"] == 'Bearer realm="muniment"'


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_method_that_there_is_not(tenant: Tenant, method: str) -> None:
    answer = call(method, SESSION_LOGS, tenant, body=GOOD)
    assert answer.status == 405
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (SESSION_LOGS, {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/api/v1/receipts/0193a3f0-0000-7000-8000-000000000001", {"GET", "HEAD", "OPTIONS"}),
        ("/api/v1/ledgers/trattoria/checkpoint", {"GET", "HEAD", "OPTIONS"}),
        ("/healthz/ready", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_options_tell_the_methods_and_let_no_other_site_in(path: str, allowed: set[str]) -> None:
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = call("OPTIONS", path, headers=preflight)
    assert (answer.status, answer.body) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == allowed
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/", "/api/v1/session-logs/", "/api/v1/session-logs/7", "/api/v1/receipts/", "/api/v1/receipts/7",
        "/api/v1/nothing",
        "/api/v1/receipts/requests/7", "/api/v1/\x00", "/api/v1/\xff", "/api/v1/../admin/", "/api/v2/session-logs",
        "/healthz/x",
        "/api/v1/" + "x" * 10_000,
    ],
    ids=lambda path: path[:40],
)  # fmt: skip
def test_path_that_there_is_not(tenant: Tenant, path: str) -> None:
    answer = call("GET", path, tenant)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "accept", ["", "text/html", "*/*;q=\xff", ";;;", "application/json; q=abc", "x" * 100_000], ids=lambda one: one[:12]
)
def test_accept_header_changes_nothing(tenant: Tenant, accept: str) -> None:
    answer = post(tenant, GOOD, accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (202, "application/json")


@pytest.mark.parametrize("host", ["evil.example", "localhost:notaport", "localhost, evil.example", "\xff", ""])
def test_host_that_is_not_ours_appears_in_no_address(tenant: Tenant, host: str) -> None:
    answer = call("GET", SESSION_LOGS, tenant, headers={"host": host})
    assert answer.status in (200, 400)
    assert b"evil" not in answer.body


def test_answers_carry_the_headers_that_browsers_need(tenant: Tenant) -> None:
    for answer in (post(tenant, GOOD), call("GET", SESSION_LOGS, tenant), call("GET", SESSION_LOGS)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert len(answer.headers["x-request-id"]) == 16


def test_request_id_of_a_caller_is_not_taken_over(tenant: Tenant) -> None:
    assert post(tenant, GOOD, **{"x-request-id": "forged"}).headers["x-request-id"] != "forged"
