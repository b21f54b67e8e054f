"""Receipts: what an answer promises of each record, and what becomes of it."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import zstandard

from sessions_log.domain import entry_id
from sessions_log.models import InboxRow
from sessions_log.queries import receipts
from tests.integration.api import SESSION_LOGS, accepted, call, found, post
from tests.organizations import make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


def _ndjson(records: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in records)


def test_accepted_request_is_durable_when_it_is_answered() -> None:
    tenant = make_tenant()
    answer = accepted(tenant, [session_record(), session_record()])
    row = InboxRow.objects.get(id=answer["requestId"])
    assert (row.organization_id, row.service_id, row.records, row.lane) == (
        tenant.organization.id,
        tenant.service_id,
        2,
        0,
    )
    assert bytes(row.entry_ids) == b"".join(UUID(one["entryId"]).bytes for one in answer["receipts"])


def test_answer_counts_and_points_to_the_request_s_receipt() -> None:
    answer = accepted(make_tenant(), session_record(id="order-7"))
    assert answer["receipt"] == f"/api/v1/receipts/requests/{answer['requestId']}"
    assert (answer["accepted"], answer["rejected"]) == (1, 0)
    (receipt,) = answer["receipts"]
    assert (receipt["id"], receipt["status"]) == ("order-7", "accepted")


def test_receipts_stand_in_the_order_of_the_records_good_and_bad_mixed() -> None:
    answer = accepted(
        make_tenant(),
        [session_record(id="a"), session_record(id="b", outcome="ok"), 7, session_record(id="d"), {"id": "e"}],
    )
    assert (answer["accepted"], answer["rejected"]) == (2, 3)
    assert [(one["id"], one["status"]) for one in answer["receipts"]] == [
        ("a", "accepted"), ("b", "rejected"), (None, "rejected"), ("d", "accepted"), ("e", "rejected"),
    ]  # fmt: skip
    assert answer["receipts"][1] == {
        "id": "b", "status": "rejected", "path": "$.outcome", "reason": "expected one of success, failure, denied",
    }  # fmt: skip


def test_rejected_records_are_not_stored(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    accepted(tenant, [session_record(id="a"), session_record(id="b", action="nonsense"), session_record(id="c")])
    record_all()
    assert sorted(one["id"] for one in found(tenant)) == ["a", "c"]


@pytest.mark.parametrize(
    ("compress", "encoding"),
    [
        (bytes, None),
        (gzip.compress, "gzip"),
        (gzip.compress, "x-gzip"),
        (zstandard.compress, "zstd"),
        (zstandard.compress, "ZSTD"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/jsonl", "application/json"])
def test_every_body_that_is_taken_is_read_alike(compress: Any, encoding: str | None, content_type: str) -> None:
    records = [session_record(id=f"order-{at}") for at in range(20)]
    body = json.dumps(records).encode() if content_type == "application/json" else _ndjson(records)
    answer = call(
        "POST", SESSION_LOGS, make_tenant(), body=compress(body),
        headers={"content-encoding": encoding} if encoding else {}, environ={"CONTENT_TYPE": content_type},
    )  # fmt: skip
    assert answer.status == 202, answer.body
    assert [one["id"] for one in answer.json["receipts"]] == [f"order-{at}" for at in range(20)]


def test_zstd_that_was_streamed_without_its_size_is_read() -> None:
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    body = (
        b"".join(stream.compress(piece) for piece in (b"[", json.dumps(session_record()).encode(), b"]"))
        + stream.flush()
    )
    assert post(make_tenant(), body, **{"content-encoding": "zstd"}).status == 202


def test_content_type_may_have_parameters_and_capitals() -> None:
    answer = call(
        "POST", SESSION_LOGS, make_tenant(), body=json.dumps(session_record()).encode(),
        environ={"CONTENT_TYPE": "Application/JSON; charset=UTF-8"},
    )  # fmt: skip
    assert answer.status == 202


def test_body_may_come_without_a_length() -> None:
    answer = call(
        "POST",
        SESSION_LOGS,
        make_tenant(),
        body=json.dumps(session_record()).encode(),
        environ={"CONTENT_LENGTH": None},
    )
    assert answer.status == 202


def test_body_of_exactly_four_mebibytes_is_taken() -> None:
    body = json.dumps(session_record()).encode()
    assert post(make_tenant(), body + b" " * (4 * 1024 * 1024 - len(body))).status == 202


def test_a_thousand_records_at_their_largest_pass_through(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    # Numbers grow when they are written again: four megabytes become fifteen.
    metadata = json.dumps({"readings": [1e15] * 700}, separators=(",", ":")).replace("1000000000000000.0", "1e15")
    records = [json.dumps(session_record())[:-1] + f', "metadata": {metadata}}}' for _ in range(1000)]
    answer = accepted(tenant, ("[" + ",".join(records) + "]").encode())
    record_all()
    assert _request_receipt(tenant, answer)["recorded"] == 1000


def _request_receipt(tenant: Any, answer: Any) -> Any:
    return call("GET", answer["receipt"], tenant).json


def _entry_receipt(tenant: Any, entry_id: str) -> Any:
    return call("GET", f"/api/v1/receipts/{entry_id}", tenant).json


def test_record_is_pending_until_it_is_recorded_with_its_seq(record_all: Callable[[], None]) -> None:
    tenant, earlier = make_tenant(), datetime.now(UTC) - timedelta(minutes=2)
    answer = accepted(tenant, [session_record(timestamp=earlier.isoformat()), session_record()])
    first, second = (one["entryId"] for one in answer["receipts"])
    assert _entry_receipt(tenant, first) == {"entryId": first, "state": "pending"}
    assert _request_receipt(tenant, answer)["state"] == "pending"

    record_all()

    receipt = _entry_receipt(tenant, second)
    assert receipt == {"entryId": second, "state": "recorded", "seq": _entry_receipt(tenant, first)["seq"] + 1}
    assert _request_receipt(tenant, answer) == {
        "requestId": answer["requestId"], "state": "done", "recorded": 2, "duplicates": 0, "conflicts": 0,
        "quarantined": 0,
    }  # fmt: skip


def test_record_that_came_days_late_or_early_is_pending_too() -> None:
    tenant, now = make_tenant(), datetime.now(UTC)
    for at in (now - timedelta(days=6), now + timedelta(minutes=4)):
        (receipt,) = accepted(tenant, session_record(timestamp=at.isoformat()))["receipts"]
        assert _entry_receipt(tenant, receipt["entryId"])["state"] == "pending"


def test_pending_record_is_found_behind_more_requests_than_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MOST_WAITING", 20)
    tenant = make_tenant()
    for days in range(5):
        at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        for _ in range(5):
            accepted(tenant, session_record(timestamp=at))
    (fresh,) = accepted(tenant, session_record(timestamp=datetime.now(UTC).isoformat()))["receipts"]
    assert _entry_receipt(tenant, fresh["entryId"])["state"] == "pending"

    answer = call("GET", f"/api/v1/receipts/{entry_of(datetime.now(UTC) - timedelta(days=1))}", tenant)
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")
    assert answer.json["detail"] == "Too many requests wait to tell; ask again later."


def entry_of(at: datetime) -> UUID:
    """An entry's id of this time that nobody has."""
    return UUID(bytes=entry_id.random(at))


def test_record_that_is_recorded_between_two_looks_is_not_unknown(
    monkeypatch: pytest.MonkeyPatch, record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    (receipt,) = accepted(tenant, session_record())["receipts"]
    look = receipts._is_pending

    def recorded_meanwhile(organization_id: int, entry: UUID) -> bool:
        record_all()
        return look(organization_id, entry)

    monkeypatch.setattr(receipts, "_is_pending", recorded_meanwhile)
    assert _entry_receipt(tenant, receipt["entryId"])["state"] == "recorded"


def test_record_or_request_that_never_was_is_unknown() -> None:
    tenant, never = make_tenant(), str(uuid4())
    assert _entry_receipt(tenant, never) == {"entryId": never, "state": "unknown"}
    assert call("GET", f"/api/v1/receipts/requests/{never}", tenant).json["state"] == "unknown"


def test_seq_counts_an_organization_s_records_without_gaps(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    for _ in range(3):
        accepted(tenant, [session_record() for _ in range(7)])
    record_all()
    rows = call("GET", SESSION_LOGS, tenant, query={"limit": "500"}).json["results"]
    assert sorted(one["seq"] for one in rows) == list(range(len(rows)))
