"""A retry is stored once, an altered record is a conflict, and two equal records are two."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sessions_log.models import Conflict
from tests.integration.api import accepted, call, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


def _without_id(**fields: Any) -> dict[str, Any]:
    record = session_record(**fields)
    del record["id"]
    return record


def _outcome(tenant: Tenant, answer: Any) -> tuple[int, int, int, int]:
    receipt = call("GET", answer["receipt"], tenant).json
    assert receipt["state"] == "done"
    return receipt["recorded"], receipt["duplicates"], receipt["conflicts"], receipt["quarantined"]


@pytest.mark.parametrize("is_recorded_between", [True, False])
def test_retry_of_a_record_is_a_duplicate_under_the_same_entry_id(
    record_all: Callable[[], None], is_recorded_between: bool
) -> None:
    tenant, record = make_tenant(), session_record(metadata={"b": [1, 1.5], "a": "ü"})
    first = accepted(tenant, record)
    if is_recorded_between:
        record_all()
    again = accepted(tenant, record)
    record_all()
    assert first["receipts"][0]["entryId"] == again["receipts"][0]["entryId"]
    assert (_outcome(tenant, first), _outcome(tenant, again)) == ((1, 0, 0, 0), (0, 1, 0, 0))
    assert len(found(tenant)) == 1


def test_retry_in_the_same_request_is_a_duplicate(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), session_record()
    answer = accepted(tenant, [record, session_record(), record])
    record_all()
    assert _outcome(tenant, answer) == (2, 1, 0, 0)


def test_retry_with_its_keys_in_another_order_is_a_duplicate(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), session_record(metadata={"a": 1, "b": {"c": 2, "d": 3}})
    accepted(tenant, record)
    record_all()
    turned = dict(reversed(record.items())) | {"metadata": {"b": {"d": 3, "c": 2}, "a": 1}}
    answer = accepted(tenant, turned)
    record_all()
    assert _outcome(tenant, answer) == (0, 1, 0, 0)


def test_retry_with_its_time_in_another_zone_and_its_defaults_spelt_out_is_a_duplicate(
    record_all: Callable[[], None],
) -> None:
    tenant, record = make_tenant(), session_record()
    accepted(tenant, record)
    record_all()
    there = datetime.fromisoformat(record["timestamp"]).astimezone(timezone(timedelta(hours=2)))
    answer = accepted(tenant, record | {"timestamp": there.isoformat(), "metadata": None, "outcome": "success"})
    record_all()
    assert _outcome(tenant, answer) == (0, 1, 0, 0)


@pytest.mark.parametrize(
    "altered",
    [
        {"userId": "m.bianchi"}, {"metadata": {"order": 8}}, {"action": "record.update"}, {"outcome": "denied"},
        {"sensitive": True},
        {"ipAddress": "192.0.2.8"}, {"sessionId": "another"}, {"duration": 1}, {"target": {"type": "order", "id": "8"}},
    ],
    ids=lambda altered: next(iter(altered)),
)  # fmt: skip
def test_altered_record_under_the_same_id_and_time_is_a_conflict(
    record_all: Callable[[], None], altered: dict[str, Any]
) -> None:
    tenant, record = make_tenant(), session_record(metadata={"order": 7})
    entry_id = accepted(tenant, record)["receipts"][0]["entryId"]
    record_all()
    answer = accepted(tenant, record | altered)
    record_all()
    assert _outcome(tenant, answer) == (0, 0, 1, 0)
    assert call("GET", f"/api/v1/receipts/{entry_id}", tenant).json["state"] == "conflict"
    (stored,) = found(tenant)
    assert {name: stored[name] for name in ("userId", "metadata", "action")} == {
        "userId": "m.russo", "metadata": {"order": 7}, "action": "record.view",
    }  # fmt: skip
    assert Conflict.objects.get(entry_id=entry_id).organization_id == tenant.organization.id


def test_altered_record_in_the_same_request_is_a_conflict(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), session_record()
    answer = accepted(tenant, [record, record | {"userId": "m.bianchi"}])
    record_all()
    assert _outcome(tenant, answer) == (1, 0, 1, 0)


def test_same_id_at_another_time_is_another_record(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), session_record()
    later = (datetime.fromisoformat(record["timestamp"]) + timedelta(milliseconds=1)).isoformat()
    accepted(tenant, [record, record | {"timestamp": later}])
    record_all()
    assert len(found(tenant)) == 2


def test_same_time_in_another_zone_s_spelling_has_the_same_entry_id() -> None:
    tenant, at = make_tenant(), datetime.now(UTC) - timedelta(minutes=1)
    utc = session_record(timestamp=at.isoformat())
    zulu = utc | {"timestamp": at.isoformat().replace("+00:00", "Z")}
    ids = [accepted(tenant, one)["receipts"][0]["entryId"] for one in (utc, zulu)]
    assert ids[0] == ids[1]


def test_equal_records_without_ids_are_two(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), _without_id()
    accepted(tenant, [record, record])
    record_all()
    assert len(found(tenant)) == 2


def test_request_sent_again_under_its_idempotency_key_is_stored_once(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    records = [_without_id(), _without_id(), session_record()]
    first = accepted(tenant, records, **{"idempotency-key": "batch-1"})
    record_all()
    again = accepted(tenant, records, **{"idempotency-key": "batch-1"})
    record_all()
    assert [one["entryId"] for one in first["receipts"]] == [one["entryId"] for one in again["receipts"]]
    assert (_outcome(tenant, first), _outcome(tenant, again)) == ((3, 0, 0, 0), (0, 3, 0, 0))


def test_another_idempotency_key_makes_other_records(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), _without_id()
    for key in ("batch-1", "batch-2", "batch-\xff"):
        accepted(tenant, record, **{"idempotency-key": key})
    record_all()
    assert len(found(tenant)) == 3


def test_record_s_own_id_goes_before_the_idempotency_key(record_all: Callable[[], None]) -> None:
    tenant, record = make_tenant(), session_record()
    accepted(tenant, record, **{"idempotency-key": "batch-1"})
    answer = accepted(tenant, record, **{"idempotency-key": "batch-2"})
    record_all()
    assert _outcome(tenant, answer) == (0, 1, 0, 0)


def test_rejected_record_keeps_its_place_among_the_positions() -> None:
    tenant, records = make_tenant(), [_without_id(outcome="ok"), _without_id()]
    with_fault = accepted(tenant, records, **{"idempotency-key": "batch-1"})["receipts"][1]["entryId"]
    mended = accepted(tenant, [records[0] | {"outcome": "success"}, records[1]], **{"idempotency-key": "batch-1"})
    assert mended["receipts"][1]["entryId"] == with_fault


def test_entry_ids_of_two_organizations_have_nothing_in_common_but_the_time() -> None:
    record = session_record()
    one, other = (accepted(make_tenant(), record)["receipts"][0]["entryId"] for _ in range(2))
    assert one[:13] == other[:13]
    assert one[15:] != other[15:]
