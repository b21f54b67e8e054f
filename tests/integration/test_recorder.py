"""The recorder under everything that is not as it should be: nothing is lost, and the rest goes on."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sessions_log import wiring
from sessions_log.adapters.inbox import insert
from sessions_log.adapters.quarantine import QuarantineRepository
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.intake import put_records
from sessions_log.commands.quarantine import NotRetryable, RetryRequest, retry_request
from sessions_log.commands.recording import Recorder
from sessions_log.domain import entry_id, inbox
from sessions_log.domain.inbox import LANE_BULK, LANE_LIVE, InboxRequest
from sessions_log.domain.leaf import unbundle
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.sender import Sender
from sessions_log.domain.session_record import SessionRecord, encode_records
from sessions_log.models import (
    Batch,
    BatchSpan,
    InboxRow,
    LeafBundle,
    LeafTail,
    LedgerHead,
    QuarantinedRequest,
    SessionLog,
    TreeNode,
)
from sessions_log.ports import MissingMonths, ShardTaken
from sessions_log.queries.receipts import entry_receipt, request_receipt
from tests.conftest import Servers
from tests.integration.api import accepted, found
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
NOW = datetime.now(UTC)


def _sender(tenant: Tenant, lane: int = LANE_LIVE) -> Sender:
    sender = wiring.ports().organizations.sender(tenant.organization.id, "orders")
    return dataclasses.replace(sender, lane=lane, back=None)


def _records(count: int, at: datetime = NOW) -> list[SessionRecord]:
    return [SessionRecord(session_id="s", timestamp=at, action="record.view", user_id="m.russo") for _ in range(count)]


def _put(tenant: Tenant, records: list[SessionRecord], lane: int = LANE_LIVE) -> UUID:
    receipts = put_records(records, _sender(tenant, lane), None, datetime.now(UTC), wiring.keyring(), wiring.inbox())
    assert receipts.request_id is not None
    return UUID(bytes=receipts.request_id)


def _request(tenant: Tenant, body: bytes, ids: list[bytes], at: datetime | None = None) -> InboxRequest:
    """A request as no view would make it."""
    request_id = inbox.new_request_id(at or datetime.now(UTC))
    key = wiring.keyring().inbox_key(inbox.day_of(request_id))
    organization = tenant.organization
    return InboxRequest(
        id=request_id, organization_id=organization.id, service_id=tenant.service_id, shard=0, lane=LANE_LIVE, kind=1,
        entry_ids=b"".join(ids), sealed=inbox.seal_body(body, key, request_id=request_id,
        organization=organization.uid),
    )  # fmt: skip


def _counts(tenant: Tenant, request_id: UUID | bytes) -> tuple[str, int, int]:
    own = request_id if isinstance(request_id, UUID) else UUID(bytes=request_id)
    receipt = request_receipt(tenant.organization.id, own)
    return receipt.state, receipt.recorded, receipt.quarantined


def _recorded(tenant: Tenant) -> int:
    return SessionLog.objects.filter(organization_id=tenant.organization.id, service_id=tenant.service_id).count()


# --- quarantine ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda request: {"sealed": request.sealed[:-1]}, "it does not open under the inbox key of its day"),
        (lambda request: {"sealed": b""}, "it does not open under the inbox key of its day"),
        (lambda request: {"sealed": bytes(400)}, "it does not open under the inbox key of its day"),
        (
            lambda request: {"id": inbox.new_request_id(datetime.now(UTC))},
            "it does not open under the inbox key of its day",
        ),
        (lambda request: {"entry_ids": request.entry_ids * 2}, "it does not hold as many records as ids"),
        (lambda request: {"kind": 99}, "a kind of record that this version does not know"),
    ],
    ids=["cut short", "empty", "other bytes", "another id", "too many ids", "unknown kind"],
)
def test_request_that_cannot_be_read_is_set_aside_and_the_rest_goes_on(
    record_all: Callable[[], None], spoil: Callable[[InboxRequest], dict[str, object]], reason: str
) -> None:
    tenant = make_tenant()
    before = _put(tenant, _records(2))
    good = _request(tenant, encode_records(_records(1)), [entry_id.random(NOW)])
    bad = dataclasses.replace(good, **spoil(good))  # type: ignore[arg-type]  # fields of the same names
    wiring.inbox().put(bad)
    after = _put(tenant, _records(3))

    record_all()

    assert [_counts(tenant, one) for one in (before, bad.id, after)] == [
        ("done", 2, 0),
        ("done", 0, bad.records),
        ("done", 3, 0),
    ]
    assert _recorded(tenant) == 5
    row = QuarantinedRequest.objects.get(id=UUID(bytes=bad.id))
    assert (row.organization_id, row.service_id, row.reason, row.retried_at) == (
        tenant.organization.id, tenant.service_id, reason, None,
    )  # fmt: skip
    assert bytes(row.sealed) == bad.sealed
    assert entry_receipt(tenant.organization.id, UUID(bytes=bad.entry_ids[:16])).state == "quarantined"


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b'[{"sessionId": 7}]', b"\xff", b'[{"unknown": 1}]'])
def test_request_whose_records_are_none_is_set_aside(record_all: Callable[[], None], body: bytes) -> None:
    tenant = make_tenant()
    bad = _request(tenant, body, [entry_id.random(NOW)])
    wiring.inbox().put(bad)
    record_all()
    assert QuarantinedRequest.objects.get(id=UUID(bytes=bad.id)).reason == "its records cannot be read"


def test_request_of_a_day_whose_key_is_destroyed_is_set_aside(record_all: Callable[[], None]) -> None:
    tenant, ahead = make_tenant(), datetime.now(UTC) + timedelta(days=2)
    bad = _request(tenant, encode_records(_records(1)), [entry_id.random(NOW)], at=ahead)
    wiring.inbox().put(bad)
    wiring.keyring().destroy_inbox_key(ahead.date())
    good = _put(tenant, _records(1))
    record_all()
    assert _counts(tenant, good) == ("done", 1, 0)
    row = QuarantinedRequest.objects.get(id=UUID(bytes=bad.id))
    assert row.reason == "the inbox key of its day is destroyed"
    with pytest.raises(NotRetryable, match="nothing opens it any more"):
        _retry(row)


def test_organization_without_its_keys_does_not_hold_up_the_others(
    record_all: Callable[[], None], recorder: Recorder, servers: Servers
) -> None:
    keyless, other = make_tenant(), make_tenant()
    lost, kept = _put(keyless, _records(1)), _put(other, _records(1))
    keys = servers.keyring / "organizations" / str(keyless.organization.uid)
    aside = keys.with_name("aside")
    keys.rename(aside)
    recorder.keyring = type(recorder.keyring)(servers.keyring)  # type: ignore[call-arg]  # as a process that just started

    record_all()

    assert _counts(other, kept) == ("done", 1, 0)
    assert _counts(keyless, lost) == ("done", 0, 1)
    row = QuarantinedRequest.objects.get(id=lost)
    assert row.reason == "a key of its organization is destroyed"
    aside.rename(keys)
    _retry(row)
    record_all()
    assert _recorded(keyless) == 1


def _retry(row: QuarantinedRequest) -> UUID:
    return retry_request(RetryRequest(request_id=row.id, actor=ACTOR), QuarantineRepository(), wiring.ports())


def test_entries_that_the_database_refuses_are_set_aside_and_the_rest_goes_on(record_all: Callable[[], None]) -> None:
    # An id of 1999 with a timestamp of today: no partition takes it.
    tenant, other = make_tenant(), make_tenant()
    poison = _request(
        tenant, encode_records(_records(2)), [entry_id.random(NOW), entry_id.random(datetime(1999, 1, 1, tzinfo=UTC))]
    )
    before = _put(other, _records(1))
    wiring.inbox().put(poison)
    after, duplicate_of_nothing = _put(tenant, _records(2)), _put(other, _records(2))

    record_all()

    assert _counts(tenant, poison.id) == ("done", 0, 2)
    assert [_counts(other, before), _counts(tenant, after), _counts(other, duplicate_of_nothing)] == [
        ("done", 1, 0), ("done", 2, 0), ("done", 2, 0),
    ]  # fmt: skip
    assert QuarantinedRequest.objects.get(id=UUID(bytes=poison.id)).reason == "the database refuses it (CheckViolation)"
    _assert_ledger_is_whole(tenant)
    _assert_ledger_is_whole(other)


def test_live_request_is_not_set_aside_for_an_imported_one_that_was_refused_before_it_came(
    record_all: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant()
    record_all()
    poison = _request(tenant, encode_records(_records(1)), [entry_id.random(datetime(1999, 1, 1, tzinfo=UTC))])
    wiring.inbox().put(dataclasses.replace(poison, lane=LANE_BULK))
    came: list[UUID] = []

    def record(recorder: Recorder, transaction: Any, requests: list[InboxRequest], now: datetime) -> None:
        """As always; after the attempt at this one alone, a live one comes in."""
        try:
            usual(recorder, transaction, requests, now)
        except psycopg.Error:
            if [one.id for one in requests] == [poison.id] and recorder.wary and not came:
                came.append(_put(tenant, _records(1)))
            raise

    usual = Recorder._record
    monkeypatch.setattr(Recorder, "_record", record)
    record_all()
    record_all()

    assert _counts(tenant, poison.id) == ("done", 0, 1)
    assert [_counts(tenant, one) for one in came] == [("done", 1, 0)]


def test_refused_request_leaves_the_next_records_of_its_user_recordable(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    wiring.inbox().put(
        _request(tenant, encode_records(_records(1)), [entry_id.random(datetime(1999, 1, 1, tzinfo=UTC))])
    )
    record_all()
    accepted(tenant, session_record(sessionId="s", userId="m.russo"))
    record_all()
    assert [one["userId"] for one in found(tenant)] == ["m.russo"]


# --- months, lanes, shards ----------------------------------------------------------------------------------------


def test_record_of_a_month_without_a_partition_waits_until_it_is_made(
    record_all: Callable[[], None], recorder: Recorder
) -> None:
    tenant = make_tenant()
    waiting = _put(tenant, _records(1, datetime(2003, 5, 31, 23, 59, 59, tzinfo=UTC)))

    with pytest.raises(MissingMonths) as caught:
        record_all()
    assert caught.value.months == [date(2003, 5, 1)]
    assert _counts(tenant, waiting) == ("pending", 0, 0)

    recorder.store.make_months(caught.value.months)  # type: ignore[attr-defined]  # of the store alone
    record_all()
    assert _counts(tenant, waiting) == ("done", 1, 0)


def test_months_are_made_once_and_every_time_of_theirs_fits(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    months = [date(1970, 1, 1), date(1999, 12, 1), date(2000, 2, 1), date(2024, 2, 1)]
    for _ in range(2):
        wiring.make_months(months)
    times = [
        datetime(1970, 1, 1, tzinfo=UTC), datetime(1999, 12, 1, tzinfo=UTC), datetime(1999, 12, 31, 23, 59, 59,
        999_999, tzinfo=UTC),
        datetime(2000, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC),
    ]  # fmt: skip
    request = _put(tenant, [record for at in times for record in _records(1, at)])
    record_all()
    assert _counts(tenant, request) == ("done", 5, 0)


def test_live_records_go_before_imported_ones(recorder: Recorder, record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    record_all()
    bulk = _put(tenant, _records(1), LANE_BULK)
    live = _put(tenant, _records(1))
    record_all()
    seqs = [entry_receipt(tenant.organization.id, _entry_of(one)).seq or 0 for one in (live, bulk)]
    assert seqs[0] + 1 == seqs[1]


def _entry_of(request: UUID) -> UUID:
    return UUID(bytes=bytes(InboxRow.objects.get(id=request).entry_ids))


def test_two_recorders_of_a_shard_one_wins(
    servers: Servers, recorder: Recorder, record_all: Callable[[], None]
) -> None:
    record_all()
    tenant = make_tenant()
    second = PostgresRecorderStore(lambda: servers.url("recorder"), 0)
    with pytest.raises(ShardTaken):
        Recorder(second, wiring.keyring()).record_batch(NOW)

    recorder.store.close()  # type: ignore[attr-defined]  # of the store alone
    _put(tenant, _records(1))
    assert Recorder(second, wiring.keyring()).record_batch(NOW) > 0
    second.close()
    assert _recorded(tenant) == 1


def test_recorder_of_another_shard_takes_nothing_of_this_one(servers: Servers, record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    request = _put(tenant, _records(1))
    store = PostgresRecorderStore(lambda: servers.url("recorder"), 1)
    assert Recorder(store, wiring.keyring()).record_batch(NOW) == 0
    store.close()
    assert _counts(tenant, request) == ("pending", 0, 0)
    record_all()


def test_connection_that_breaks_repeats_nothing_and_loses_nothing(
    servers: Servers, recorder: Recorder, record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    record_all()
    request = _put(tenant, _records(3))
    with servers.postgres.as_superuser() as superuser:
        superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recorder'")
    with pytest.raises(psycopg.OperationalError):
        recorder.record_batch(NOW)
    record_all()
    assert _counts(tenant, request) == ("done", 3, 0)
    assert _recorded(tenant) == 3


def test_late_committer_is_waited_for(servers: Servers, recorder: Recorder, record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    record_all()
    late = _request(tenant, encode_records(_records(1)), [entry_id.random(NOW)])
    with psycopg.connect(servers.url("web")) as held:
        insert(held, [late])
        early = _put(tenant, _records(2))
        assert recorder.record_batch(NOW) == 0
        assert _counts(tenant, early) == ("pending", 0, 0)
        held.commit()
    record_all()
    assert (_counts(tenant, late.id), _counts(tenant, early)) == (("done", 1, 0), ("done", 2, 0))


# --- what a batch leaves ------------------------------------------------------------------------------------------


def _leaves(tenant: Tenant) -> list[bytes]:
    bundles = LeafBundle.objects.filter(organization_id=tenant.organization.id).order_by("number")
    tails = LeafTail.objects.filter(organization_id=tenant.organization.id).order_by("first_seq")
    packed = [*bundles.values_list("leaves", flat=True), *tails.values_list("leaves", flat=True)]
    assert [one.number for one in bundles] == list(range(len(bundles)))
    assert all(len(unbundle(bytes(one.leaves))) == 256 for one in bundles)
    return [leaf for one in packed for leaf in unbundle(bytes(one))]


def _assert_ledger_is_whole(tenant: Tenant) -> None:
    head = LedgerHead.objects.get(organization_id=tenant.organization.id)
    size = head.size
    seqs = (
        SessionLog.objects.filter(organization_id=tenant.organization.id).order_by("seq").values_list("seq", flat=True)
    )
    assert list(seqs) == list(range(size))
    leaves = _leaves(tenant)
    tree, completed = Frontier().grown(map(leaf_hash, leaves))
    assert (tree.size, tree.packed()) == (size, bytes(head.frontier))
    nodes = TreeNode.objects.filter(organization_id=tenant.organization.id).order_by("level", "number")
    assert [(one.level, one.number, bytes(one.hash)) for one in nodes] == sorted(completed)


@pytest.mark.parametrize(
    "sizes", [[1, 1, 1], [255, 1], [256], [257, 255, 600], [1, 254, 1, 255, 2], [1000, 24]], ids=str
)
def test_leaves_are_bundled_by_256_and_the_rest_is_the_tail(record_all: Callable[[], None], sizes: list[int]) -> None:
    tenant = make_tenant()
    for size in sizes:
        _put(tenant, _records(size))
        record_all()
    assert _recorded(tenant) == sum(sizes)
    _assert_ledger_is_whole(tenant)


def test_batches_are_numbered_without_gaps_and_their_spans_hold_all_entries(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    for _ in range(3):
        _put(tenant, _records(2, NOW - timedelta(hours=1)) + _records(2))
        record_all()
    numbers = list(Batch.objects.filter(shard=0).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    spans = BatchSpan.objects.filter(organization_id=tenant.organization.id)
    assert sum(span.entries for span in spans) == LedgerHead.objects.get(organization_id=tenant.organization.id).size
