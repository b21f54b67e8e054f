"""The example clients, run as processes against a server that is down, slow, refusing, and up again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.e2e.examples_clients import HOUR_MS, StartClient
from tests.e2e.examples_server import Hang, Status, StoreThenCut, WireServer

pytest_plugins = ["tests.e2e.examples_fixtures"]


def numbers(records: list[dict[str, Any]]) -> list[int]:
    return [record["metadata"]["n"] for record in records if "n" in record["metadata"]]


def test_records_of_an_outage_arrive_once_and_in_order_when_the_server_is_up(
    start_client: StartClient, wire_server: WireServer
) -> None:
    client = start_client(batchRecords=100)
    client.record(250)
    client.wait_for(lambda stats: stats["lastFailure"] is not None)

    wire_server.start()

    wire_server.wait_for(lambda it: len(it.stored()) == 250)
    assert numbers(wire_server.deliveries()) == list(range(250))
    assert client.wait_for(lambda stats: stats["accepted"] == 250)["waiting"] == 0


def test_records_go_on_after_a_server_that_went_down_and_up_again(
    start_client: StartClient, wire_server: WireServer
) -> None:
    client = start_client()
    wire_server.start()
    client.record(10)
    wire_server.wait_for(lambda it: len(it.stored()) == 10)
    wire_server.stop()
    client.record(10, first=10)
    client.wait_for(lambda stats: stats["lastFailure"] is not None)

    wire_server.restart()

    wire_server.wait_for(lambda it: len(it.stored()) == 20)
    assert numbers(wire_server.stored()) == list(range(20))


def test_retry_carries_the_same_ids_and_timestamps(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.turns.extend([StoreThenCut(), Status(500), StoreThenCut(), Status(502), Status(408)])
    wire_server.start()
    client = start_client()

    client.record(5)

    client.wait_for(lambda stats: stats["accepted"] == 5)
    first, *retries = [seen.records for seen in wire_server.seen]
    assert len(retries) == 5
    assert all(retry == first for retry in retries)
    assert len({record["id"] for record in first}) == 5


@pytest.mark.parametrize("status", [429, 503])
def test_next_attempt_waits_as_long_as_retry_after_says(
    start_client: StartClient, wire_server: WireServer, status: int
) -> None:
    wire_server.turns.append(Status(status, {"Retry-After": "1"}))
    wire_server.start()
    client = start_client()

    client.record(5)

    client.wait_for(lambda stats: stats["accepted"] == 5)
    refused, accepted = wire_server.seen
    assert 1.0 <= accepted.at - refused.at < 5.0


def test_retry_after_may_be_a_date(start_client: StartClient, wire_server: WireServer) -> None:
    def refuse_first(_: object) -> Status | None:
        in_3_s = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
        return None if wire_server.seen else Status(503, {"Retry-After": in_3_s})

    wire_server.refuse = refuse_first
    wire_server.start()
    client = start_client()

    client.record(5)

    client.wait_for(lambda stats: stats["accepted"] == 5)
    refused, accepted = wire_server.seen
    assert 1.9 <= accepted.at - refused.at < 6.0  # the date has no fractions of a second


def test_flush_does_not_undercut_retry_after(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.turns.append(Status(503, {"Retry-After": "1"}))
    wire_server.start()
    client = start_client()
    client.record(5)
    wire_server.wait_for(lambda it: len(it.seen) == 1)

    assert client.ask("flush", limit_ms=10_000)["accepted"] == 5

    refused, accepted = wire_server.seen
    assert accepted.at - refused.at >= 1.0


def test_back_off_grows(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.turns.extend([Status(503)] * 5)
    wire_server.start()
    client = start_client(retryFirstMs=40, retryMostMs=10_000)

    client.record(1)

    wire_server.wait_for(lambda it: len(it.seen) == 6)
    times = [seen.at for seen in wire_server.seen]
    assert times[-1] - times[-2] >= 0.32  # the fifth pause: half of 40 ms, doubled four times
    assert times[-1] - times[0] >= 0.62


def test_caller_is_not_kept_waiting_by_a_server_that_does_not_answer(
    start_client: StartClient, wire_server: WireServer
) -> None:
    wire_server.turns.extend([Hang()] * 10)
    wire_server.start()
    client = start_client(batchRecords=100, timeoutMs=60_000)
    client.record(100)
    wire_server.wait_for(lambda it: len(it.seen) == 1)

    took_ms = client.record(3_000, first=100)

    assert took_ms["median"] < 1
    assert took_ms["p99"] < 5
    assert took_ms["most"] < 250  # two busy cores may take the process off its own for a while
    assert client.ask("stats")["waiting"] == 3_100


def test_hanging_request_is_given_up_and_sent_again(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.turns.append(Hang())
    wire_server.start()
    client = start_client(timeoutMs=300)

    client.record(5)

    client.wait_for(lambda stats: stats["accepted"] == 5)
    assert wire_server.seen[0].records == wire_server.seen[1].records


def test_full_buffer_drops_and_sends_the_count_once_the_server_is_back(
    start_client: StartClient, wire_server: WireServer
) -> None:
    client = start_client(batchRecords=40, capacityRecords=100)
    client.record(40)
    client.wait_for(lambda stats: stats["lastFailure"] is not None)
    before = datetime.now(UTC)
    client.record(110, first=40)
    assert client.ask("stats")["waiting"] == 100
    assert client.ask("stats")["dropped"] == 50

    wire_server.start()

    wire_server.wait_for(lambda it: it.reports() and len(it.stored()) == 100)
    assert numbers(wire_server.stored()) == list(range(100))
    (report,) = wire_server.reports()
    assert report["metadata"]["dropped"] == 50
    assert before - timedelta(seconds=1) < datetime.fromisoformat(report["metadata"]["since"]) < datetime.now(UTC)
    client.wait_for(lambda stats: stats == {"waiting": 0, "accepted": 100, "dropped": 50, "lastFailure": None})


def test_buffer_is_bounded_in_bytes_too(start_client: StartClient) -> None:
    client = start_client(capacityBytes=100_000)

    client.record(50, padding=9_800)

    assert client.ask("stats")["waiting"] == 10
    assert client.ask("stats")["dropped"] == 40


@pytest.mark.parametrize("status", [401, 403, 404, 415])
def test_refusal_of_the_sender_is_final_and_told_without_values(
    start_client: StartClient, wire_server: WireServer, status: int
) -> None:
    wire_server.turns.append(Status(status, body={"title": "No."}))
    wire_server.start()
    client = start_client(batchRecords=5, intervalMs=HOUR_MS)
    client.record(5, note="value-of-the-record")
    client.wait_for(lambda stats: stats["dropped"] == 5)

    client.record(5, first=5)

    wire_server.wait_for(lambda it: it.reports())
    assert [len(seen.records) for seen in wire_server.seen] == [5, 5, 1]
    assert wire_server.reports()[0]["metadata"]["dropped"] == 5
    expected = {"action": "record.view", "status": status, "path": None, "reason": "No."}
    refused = wire_server.seen[0].records
    told = client.ask("rejected")["rejections"]
    assert told == [{"id": record["id"]} | expected for record in refused]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_record_that_spoils_its_batch_is_lost_alone(
    start_client: StartClient, wire_server: WireServer, status: int
) -> None:
    wire_server.refuse = lambda records: Status(status) if 13 in numbers(records) else None
    wire_server.start()
    client = start_client(batchRecords=50, intervalMs=HOUR_MS)

    client.record(50)

    wire_server.wait_for(lambda it: it.reports())
    assert numbers(wire_server.stored()) == [n for n in range(50) if n != 13]
    assert wire_server.reports()[0]["metadata"]["dropped"] == 1
    (rejection,) = client.ask("rejected")["rejections"]
    assert rejection["status"] == status


def test_rejected_receipt_is_told_counted_and_not_sent_again(
    start_client: StartClient, wire_server: WireServer
) -> None:
    wire_server.reject = lambda record: ("$.timestamp", "too old") if record["metadata"].get("n") == 3 else None
    wire_server.start()
    client = start_client(batchRecords=10, intervalMs=HOUR_MS)

    client.record(10)

    wire_server.wait_for(lambda it: it.reports())
    assert wire_server.reports()[0]["metadata"]["dropped"] == 1
    assert numbers(wire_server.deliveries()) == list(range(10))
    (rejection,) = client.ask("rejected")["rejections"]
    expected = {"action": "record.view", "status": 202, "path": "$.timestamp", "reason": "too old"}
    assert rejection == {"id": wire_server.stored()[3]["id"]} | expected
    client.wait_for(lambda stats: stats["accepted"] == 9)


def test_report_that_is_itself_rejected_is_not_repeated(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.reject = lambda record: None if "n" in record["metadata"] else ("$.action", "unknown")
    client = start_client(batchRecords=10, capacityRecords=10)
    client.record(15)
    wire_server.start()
    wire_server.wait_for(lambda it: it.reports())
    client.wait_for(lambda stats: stats["waiting"] == 0)

    client.record(10, first=20)

    wire_server.wait_for(lambda it: len(it.stored()) == 20)
    assert client.ask("flush", limit_ms=10_000)["waiting"] == 0
    assert len(wire_server.reports()) == 1


@pytest.mark.parametrize("odd", [Status(200), Status(203), Status(307, {"Location": "/elsewhere"})])
def test_only_202_counts_as_stored(start_client: StartClient, wire_server: WireServer, odd: Status) -> None:
    wire_server.turns.append(odd)
    wire_server.start()
    client = start_client(gzip=False)  # a body that fetch could send on to another address

    client.record(3)

    client.wait_for(lambda stats: stats["accepted"] == 3)
    assert [seen.status for seen in wire_server.seen] == [odd.code, 202]


def test_requests_keep_to_1000_records(start_client: StartClient, wire_server: WireServer) -> None:
    client = start_client(batchRecords=5_000)
    client.record(2_500)

    wire_server.start()

    wire_server.wait_for(lambda it: len(it.stored()) == 2_500)
    assert max(len(seen.records) for seen in wire_server.seen) == 1_000
    assert numbers(wire_server.deliveries()) == list(range(2_500))


def test_requests_keep_to_4_mib(start_client: StartClient, wire_server: WireServer) -> None:
    client = start_client(batchRecords=1_000, batchBytes=64 * 1024 * 1024)
    client.record(400, padding=30_000)

    wire_server.start()

    wire_server.wait_for(lambda it: len(it.stored()) == 400)
    assert 4_000_000 < max(seen.size_bytes for seen in wire_server.seen) <= 4 * 1024 * 1024
    assert numbers(wire_server.deliveries()) == list(range(400))


def test_batch_goes_at_its_size_and_the_rest_after_the_interval(
    start_client: StartClient, wire_server: WireServer
) -> None:
    wire_server.start()
    client = start_client(batchRecords=50, intervalMs=300)

    client.record(60)

    wire_server.wait_for(lambda it: len(it.stored()) == 60)
    assert [len(seen.records) for seen in wire_server.seen] == [50, 10]
    assert wire_server.seen[1].at - wire_server.seen[0].at >= 0.15


@pytest.mark.parametrize(("compress", "encoding"), [(True, "gzip"), (False, None)])
def test_compression_is_a_choice(
    start_client: StartClient, wire_server: WireServer, service_key: str, compress: bool, encoding: str | None
) -> None:
    wire_server.start()
    client = start_client(gzip=compress)

    client.record(5)

    wire_server.wait_for(lambda it: len(it.stored()) == 5)
    assert wire_server.seen[0].headers.get("content-encoding") == encoding
    assert wire_server.seen[0].headers["authorization"] == f"Bearer {service_key}"


def test_flush_sends_at_once(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.start()
    client = start_client(intervalMs=HOUR_MS)
    client.record(7)

    flushed = client.ask("flush", limit_ms=10_000)

    assert (flushed["waiting"], flushed["accepted"]) == (0, 7)


def test_flush_cuts_a_back_off_short(start_client: StartClient, wire_server: WireServer) -> None:
    client = start_client(retryFirstMs=HOUR_MS, retryMostMs=HOUR_MS)
    client.record(7)
    client.wait_for(lambda stats: stats["lastFailure"] is not None)
    wire_server.start()

    assert client.ask("flush", limit_ms=10_000)["accepted"] == 7


def test_flush_ends_at_its_limit(start_client: StartClient, wire_server: WireServer) -> None:
    wire_server.turns.append(Hang())
    wire_server.start()
    client = start_client(timeoutMs=60_000)
    client.record(7)

    flushed = client.ask("flush", limit_ms=300)

    assert flushed["waiting"] == 7
    assert 250 < flushed["tookMs"] < 3_000


def test_record_that_is_no_json_is_counted_and_harms_nobody(start_client: StartClient, wire_server: WireServer) -> None:
    client = start_client()
    client.ask("unreadable")
    client.record(3)

    wire_server.start()

    wire_server.wait_for(lambda it: it.reports())
    assert numbers(wire_server.stored()) == [0, 1, 2]
    told = client.ask("rejected")["rejections"]
    assert told
    assert all(rejection["status"] == 0 for rejection in told)
    assert "value-of-the-record" not in str(told)


def test_record_is_sent_as_it_was_when_it_was_made(start_client: StartClient, wire_server: WireServer) -> None:
    client = start_client()
    client.ask("changed_later")

    wire_server.start()

    wire_server.wait_for(lambda it: it.stored())
    assert numbers(wire_server.stored()) == [1]


@pytest.mark.parametrize("unsafe", ["http://muniment.example", "ftp://127.0.0.1", "http://127.0.0.1.evil.example"])
def test_key_is_never_sent_in_the_clear(start_client: StartClient, unsafe: str) -> None:
    client = start_client()

    assert "must be https" in client.fail("open_client", url=unsafe, key="key", options={})
