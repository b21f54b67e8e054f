"""The inbox's order is that of transaction numbers, also where they grow by a digit; only a superuser can set the scene."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

import pytest

from sessions_log import wiring
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.recording import Recorder
from sessions_log.queries.receipts import entry_receipt
from tests.conftest import Servers
from tests.organizations import make_tenant, sent_request
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")
SHARD = 7


def test_requests_are_recorded_in_the_order_of_numbers_and_each_once(connect: Connect, servers: Servers) -> None:
    tenant, superuser = make_tenant(), connect("superuser")
    superuser.execute("INSERT INTO sessions_log_recorderposition VALUES (70, 7, 0, '0', 0), (71, 7, 1, '0', 0)")
    requests = {xid: dataclasses.replace(sent_request(tenant), shard=SHARD) for xid in ("10", "100", "9", "99")}
    for xid, one in requests.items():
        superuser.execute(
            "INSERT INTO sessions_log_inbox"
            " (id, xid, organization_id, service_id, shard, lane, kind, records, entry_ids, sealed)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                UUID(bytes=one.id), xid, one.organization_id, one.service_id, one.shard, one.lane, one.kind,
                one.records, one.entry_ids, one.sealed,
            ),
        )  # fmt: skip

    store = PostgresRecorderStore(lambda: servers.url("recorder"), SHARD)
    recorder = Recorder(store, wiring.keyring())
    taken = [recorder.record_batch(datetime.now(UTC)) for _ in range(2)]
    store.close()

    assert taken == [4, 0]
    seqs = {xid: entry_receipt(tenant.organization.id, UUID(bytes=one.entry_ids)).seq for xid, one in requests.items()}
    assert sorted(seqs, key=lambda xid: seqs[xid] or 0) == ["9", "10", "99", "100"]
    position = superuser.execute("SELECT xid::text FROM sessions_log_recorderposition WHERE id = 70").fetchone()
    assert position == ("100",)
