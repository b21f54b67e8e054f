"""Searching session logs by each parameter, and by several at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.api import SESSION_LOGS, accepted, call, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def store(record_all: Callable[[], None], follow_all: Callable[[], None]) -> Callable[..., Tenant]:
    """An organization with these records, recorded and followed; each has its place in the list as its id."""

    def stored(*records: dict[str, Any], **tenant: Any) -> Tenant:
        made = make_tenant(**tenant)
        accepted(
            made,
            [
                session_record(**{"id": str(at), "timestamp": (NOW - timedelta(minutes=60 - at)).isoformat(), **fields})
                for at, fields in enumerate(records)
            ],
        )
        record_all()
        follow_all()
        return made

    return stored


def _ids(tenant: Tenant, **query: str) -> list[str]:
    return [one["id"] for one in found(tenant, **query)]


@pytest.mark.parametrize(
    ("name", "searched", "wanted", "other"),
    [
        ("userId", "m.russo", {"userId": "m.russo"}, {"userId": "M.Russo"}),
        ("userId", "用户 😀", {"userId": "用户 😀"}, {"userId": "用户"}),
        ("userId", "a" * 256, {"userId": "a" * 256}, {"userId": "a" * 255}),
        ("sessionId", "s-1", {"sessionId": "s-1"}, {"sessionId": "s-10"}),
        ("ipAddress", "192.0.2.7", {"ipAddress": "192.0.2.7"}, {"ipAddress": "192.0.2.70"}),
        ("ipAddress", "cloudtrail.amazonaws.com", {"ipAddress": "cloudtrail.amazonaws.com"}, {"ipAddress": ""}),
        ("target", "order:7", {"target": {"type": "order", "id": "7"}}, {"target": {"type": "order", "id": "77"}}),
        ("target", "order:7", {"target": {"type": "order", "id": "7"}}, {"target": {"type": "site", "id": "7"}}),
        ("target", "s3:arn:aws:s3:::menu", {"target": {"type": "s3", "id": "arn:aws:s3:::menu"}},
        {"target": {"type": "s3", "id": "menu"}}),
        ("action", "record.export", {"action": "record.export"}, {"action": "record.view"}),
        ("action", "custom.oven.hot", {"action": "custom.oven.hot"}, {"action": "custom.oven"}),
        ("outcome", "success", {"outcome": "success"}, {"outcome": "failure"}),
        ("outcome", "failure", {"outcome": "failure"}, {"outcome": "denied"}),
        ("outcome", "denied", {"outcome": "denied"}, {"outcome": "success"}),
        ("sensitive", "true", {"sensitive": True}, {"sensitive": False}),
        ("sensitive", "false", {"sensitive": False}, {"sensitive": True}),
    ],
)  # fmt: skip
def test_parameter_finds_what_has_exactly_this_value(
    store: Callable[..., Tenant], name: str, searched: str, wanted: dict[str, Any], other: dict[str, Any]
) -> None:
    tenant = store(other, wanted, other, wanted)
    assert _ids(tenant, **{name: searched}) == ["3", "1"]


def test_service_finds_what_it_sent(store: Callable[..., Tenant]) -> None:
    tenant = store({}, {})
    assert _ids(tenant, service="orders") == ["1", "0"]
    assert _ids(tenant, service="order") == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"userId": "m.russo", "action": "record.view"}, ["3", "0"]),
        ({"userId": "m.russo", "outcome": "denied"}, ["3"]),
        ({"userId": "m.russo", "sessionId": "s-2"}, ["3", "2"]),
        ({"userId": "m.russo", "ipAddress": "192.0.2.7", "target": "order:7"}, ["0"]),
        ({"action": "record.view", "outcome": "success", "sensitive": "false", "service": "orders"}, ["0"]),
        ({"userId": "m.russo", "service": "orders", "sensitive": "true"}, ["3"]),
        ({"sensitive": "true", "action": "record.view"}, ["3", "1"]),
        ({"userId": "m.russo", "service": "kitchen"}, []),
    ],
    ids=str,
)
def test_parameters_together_find_what_fits_them_all(
    store: Callable[..., Tenant], query: dict[str, str], ids: list[str]
) -> None:
    tenant = store(
        {"sessionId": "s-1", "ipAddress": "192.0.2.7", "target": {"type": "order", "id": "7"}},
        {"userId": "a.conti", "sessionId": "s-1", "ipAddress": "192.0.2.7", "sensitive": True},
        {"sessionId": "s-2", "action": "file.view"},
        {"sessionId": "s-2", "outcome": "denied", "sensitive": True, "target": {"type": "order", "id": "7"}},
    )
    assert _ids(tenant, **query) == ids


@pytest.mark.parametrize(
    "query",
    [
        {"userId": "nobody"}, {"sessionId": "none"}, {"ipAddress": "203.0.113.9"}, {"target": "order:8"},
        {"action": "secret.read"},
        {"outcome": "failure"}, {"sensitive": "true"}, {"service": "kitchen"}, {"to": "1999-12-31T00:00:00Z"},
        {"from": "2999-12-31T00:00:00Z"},
    ],
    ids=str,
)  # fmt: skip
def test_search_without_a_match_is_an_empty_page(store: Callable[..., Tenant], query: dict[str, str]) -> None:
    tenant = store({})
    answer = call("GET", SESSION_LOGS, tenant, query=query)
    assert (answer.status, answer.json) == (200, {"results": [], "next": None})


@pytest.mark.parametrize(
    ("start", "end", "ids"),
    [
        ("12:00:00.500Z", "12:00:00.501Z", ["1"]),
        ("12:00:00.500Z", "12:00:00.502Z", ["2", "1"]),
        ("12:00:00.499Z", "12:00:00.500Z", ["0"]),
        ("12:00:00.501Z", None, ["3", "2"]),
        (None, "12:00:00.501Z", ["1", "0"]),
        ("12:00:00.500Z", "12:00:00.500Z", []),
        ("13:00:00.500+01:00", "13:00:00.501+01:00", ["1"]),
    ],
)
@pytest.mark.parametrize("also", [{}, {"userId": "m.russo"}, {"action": "record.view"}], ids=str)
def test_time_range_begins_with_its_first_millisecond_and_ends_before_its_last(
    store: Callable[..., Tenant], start: str | None, end: str | None, ids: list[str], also: dict[str, str]
) -> None:
    day = (NOW - timedelta(days=1)).date().isoformat()
    tenant = store(*({"timestamp": f"{day}T12:00:00.{ms}Z"} for ms in (499, 500, 501, 502)))
    bounds = {"from": start and f"{day}T{start}", "to": end and f"{day}T{end}"}
    assert _ids(tenant, **also, **{name: value for name, value in bounds.items() if value}) == ids


@pytest.mark.parametrize(
    "query",
    [
        "x=1", "userid=a", "format=json", "page=2", "offset=1", "limit=", "limit=0", "limit=-1", "limit=501",
        "limit=1e2", "limit=%C2%B2",
        "limit=" + "9" * 5_000, "limit=1&limit=2", "action=a&action=b", "cursor=", "cursor=x", "cursor=%00",
        "cursor=" + "0" * 33, "from=", "from=x",
        "from=2026-11-23", "from=2026-11-23T12:00:00", "from=0001-01-01T00:00:00Z", "from=9999-12-31T23:59:59Z",
        "to=2026-11-23T12:00:00+99:99",
        "from=2026-11-23T12:00:00+00:00", "sensitive=1", "sensitive=TRUE", "outcome=ok", "outcome=1", "target=order",
        "target=:7", "target=order:",
        "userId=", "userId=%00", "userId=" + "x" * 1_201, "action=%00", "ipAddress=%00",
        "&".join(f"x{at}=1" for at in range(2_000)),
        "action=record.view%00", "service=%00", "limit=5;action=x", "action=record.vieww", "action=record.",
        "action=custom.", "action=Record.View", "action=custom." + "x" * 60, "action=%FF", "action=' OR 1=1 --",
        "from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "from=2016-12-30T23:59:60Z",
    ],
    ids=lambda query: query[:24],
)  # fmt: skip
def test_search_that_cannot_be_understood(query: str) -> None:
    answer = call("GET", SESSION_LOGS, make_tenant(), query=query)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json["detail"].endswith(".")


@pytest.mark.parametrize(
    "query",
    [
        "from=1970-01-01T00:00:00%2B14:00", "from=9998-12-31T23:59:59-14:00",
        "to=1970-01-01T00:00:00%2B14:00&action=record.view",
        "from=2026-11-23T00:00:00Z&to=2026-11-23T00:00:00Z", "from=2016-12-31T23:59:60Z&to=2017-01-01T00:00:00Z",
        "action=custom.never_sent",
        "cursor=ffffffff-ffff-ffff-ffff-ffffffffffff&outcome=success",
        "cursor=ffffffff-ffff-ffff-ffff-ffffffffffff&userId=m.russo",
        "cursor=00000000-0000-0000-0000-000000000000&sensitive=true",
        "userId=' OR 1=1 --", "userId=%FF", "userId=%ED%A0%80", "userId=%F0%9F%98%80", "target=a:b:c", "service=%25",
        "userId=" + "x" * 1_200,
        "cursor=00000000-0000-0000-0000-000000000000",
    ],
    ids=lambda query: query[:40],
)  # fmt: skip
def test_search_for_what_cannot_be_there_finds_nothing(query: str) -> None:
    answer = call("GET", SESSION_LOGS, make_tenant(), query=query)
    assert (answer.status, answer.json) == (200, {"results": [], "next": None})


@pytest.mark.parametrize(
    ("query", "name", "reason"),
    [
        ({"from": "2026-11-24T00:00:00Z", "to": "2026-11-23T23:59:59Z"}, "from", "must not be later than to"),
        ({"outcome": "ok"}, "outcome", "must be one of success, failure, denied"),
        ({"sensitive": "yes"}, "sensitive", "must be one of true, false"),
        ({"action": "record.vew"}, "action", "record.update, record.view, role.create"),
        ({"action": "custom."}, "action", "or custom. and a name of a-z, 0-9, _ and points"),
    ],
)
def test_search_that_can_never_match_names_its_parameter_and_what_is_allowed(
    query: dict[str, str], name: str, reason: str
) -> None:
    answer = call("GET", SESSION_LOGS, make_tenant(), query=query)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    (error,) = answer.json["errors"]
    assert error["path"] == name
    assert reason in error["reason"]
    assert answer.json["detail"] == f"{name} {error['reason']}."


@pytest.mark.parametrize("also", [{}, {"userId": "m.russo"}, {"outcome": "success"}], ids=str)
def test_time_range_over_hours_and_months_finds_everything(store: Callable[..., Tenant], also: dict[str, str]) -> None:
    times = [NOW - timedelta(days=6, hours=hour * 11) for hour in range(2)] + [NOW - timedelta(hours=1), NOW]
    tenant = store(*({"timestamp": at.isoformat()} for at in times))
    assert _ids(tenant, **also, **{"from": (NOW - timedelta(days=7)).isoformat(),
    "to": (NOW + timedelta(days=1)).isoformat()}) == [
        "3", "2", "0", "1",
    ]  # fmt: skip


def test_result_tells_everything_to_who_may_see_identities(store: Callable[..., Tenant]) -> None:
    fields = {
        "userId": "m.russo", "sessionId": "s-1", "ipAddress": "192.0.2.7", "userAgent": "Safari", "duration": 12,
        "target": {"type": "order", "id": "7"}, "metadata": {"order": [7, None, {"x": 1.5}]}, "traceId": "t-1",
        "sequence": 3,
        "aiModelUsed": "gpt-x", "sensitive": True, "outcome": "denied", "action": "ai.prompt",
    }  # fmt: skip
    tenant = store(fields)
    (result,) = found(tenant)
    assert {name: result[name] for name in fields} == fields
    assert (result["service"], result["targetType"], result["findings"]) == ("orders", "order", {})


def test_result_hides_who_and_what_without_that_scope(store: Callable[..., Tenant]) -> None:
    tenant = store(
        {
            "userId": "m.russo",
            "ipAddress": "192.0.2.7",
            "metadata": {"secret": "x"},
            "target": {"type": "order", "id": "7"},
        },
        scopes=("ingest", "read"),
    )
    (result,) = found(tenant)
    assert sorted(result) == [
        "action", "aiModelUsed", "duration", "entryId", "findings", "id", "outcome", "recordedAt", "sensitive",
        "seq", "service",
        "session", "subject", "targetType", "timestamp",
    ]  # fmt: skip
    assert result["id"] == result["entryId"]
    for value in ("m.russo", "192.0.2.7", "session-one", '"x"', "7"):
        assert value not in [result[name] for name in result if name not in ("seq",)]


def test_plain_word_stands_in_the_open_and_anything_else_is_sealed(store: Callable[..., Tenant]) -> None:
    tenant = store(
        {"aiModelUsed": "a model's name", "target": {"type": "größe", "id": "7"}},
        scopes=("ingest", "read", "identities"),
    )
    (result,) = found(tenant)
    assert (result["aiModelUsed"], result["target"], result["targetType"]) == (
        "a model's name",
        {"type": "größe", "id": "7"},
        None,
    )
    assert [one["id"] for one in found(tenant, target="größe:7")] == ["0"]
