"""The inbox is read in the order of transactions: who commits late is waited for, never passed over."""

import json
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.test import Client

from sessions_log import wiring
from sessions_log.adapters.inbox import insert
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.intake import put_records
from sessions_log.commands.recording import Recorder
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.sender import Sender
from sessions_log.domain.session_record import Window, decode_records
from sessions_log.models import SessionLog
from sessions_log.queries.receipts import entry_receipt
from sessions_log.wiring import INTAKE_ROLE
from tests.conftest import Servers
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
FINDINGS = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from sessions_log.queries.health import findings_now
for seen in findings_now(timezone.now() + timedelta(seconds=61)):
    print(seen.kind, seen.words)
"""


class HeldInbox:
    """An inbox on a connection of the test's own, which decides when its transaction ends."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def put(self, request: InboxRequest) -> None:
        insert(self._connection, [request])


@pytest.fixture
def recorder(servers: Servers) -> Iterator[Recorder]:
    """A recorder in its own role that has recorded all that was there before."""
    store = PostgresRecorderStore(lambda: servers.url("recorder"), 0)
    recorder = Recorder(store, wiring.keyring())
    _record_all(recorder)
    yield recorder
    store.close()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def test_recorder_waits_for_an_insert_held_open_and_skips_nothing(
    servers: Servers, client: Client, tenant: Tenant, recorder: Recorder
) -> None:
    _record_all(recorder)
    with _intake(servers) as held:
        first = _put(held, _sender(tenant))
        others = [_send(client, tenant) for _ in range(3)]
        assert recorder.record_batch(datetime.now(UTC)) == 0
        assert {_state(tenant, one) for one in others} == {"pending"}
        held.commit()
    assert recorder.record_batch(datetime.now(UTC)) == 4
    assert _in_order_of_seq(tenant)[-4:] == [first, *others]


def test_transaction_that_began_first_comes_first_although_it_inserted_last(
    servers: Servers, client: Client, tenant: Tenant, recorder: Recorder
) -> None:
    _record_all(recorder)
    with _intake(servers) as held:
        held.execute("SELECT pg_current_xact_id()")
        other = _send(client, tenant)
        last_to_insert = _put(held, _sender(tenant))
        assert recorder.record_batch(datetime.now(UTC)) == 0
        held.commit()
    _record_all(recorder)
    assert _in_order_of_seq(tenant)[-2:] == [last_to_insert, other]


def test_insert_that_is_rolled_back_leaves_no_hole(
    servers: Servers, client: Client, tenant: Tenant, recorder: Recorder
) -> None:
    _record_all(recorder)
    before = len(_in_order_of_seq(tenant))
    with _intake(servers) as held:
        given_up = _put(held, _sender(tenant))
        other = _send(client, tenant)
        held.rollback()
    _record_all(recorder)
    assert _in_order_of_seq(tenant)[before:] == [other]
    assert _state(tenant, given_up) == "unknown"


def test_many_who_commit_out_of_order_are_all_recorded_in_order(
    servers: Servers, tenant: Tenant, recorder: Recorder
) -> None:
    """Eight connections hold their inserts open for moments of their own while the recorder reads on."""
    sender = _sender(tenant)
    threads = [threading.Thread(target=_commit_late, args=(servers, sender, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        recorder.record_batch(datetime.now(UTC))
    _record_all(recorder)
    with psycopg.connect(servers.url("recorder")) as connection:
        inbox = connection.execute(
            "SELECT entry_ids FROM sessions_log_inbox WHERE organization_id = %s ORDER BY xid, serial",
            (tenant.organization.id,),
        ).fetchall()
    assert len(inbox) >= 8 * 20
    assert _in_order_of_seq(tenant) == [uuid.UUID(bytes=row[0]) for row in inbox]


def test_finding_names_the_process_that_is_waited_for(
    servers: Servers, client: Client, tenant: Tenant, recorder: Recorder
) -> None:
    _record_all(recorder)
    with _intake(servers) as held:
        _put(held, _sender(tenant))
        _send(client, tenant)
        found = _findings_a_minute_later(servers)
        assert "lag 1 requests wait, the oldest for 6" in found
        assert f"long_transaction process {held.info.backend_pid} (a slow job) " in found
    _record_all(recorder)
    assert "long_transaction" not in _findings_a_minute_later(servers)


def _record_all(recorder: Recorder) -> None:
    while recorder.record_batch(datetime.now(UTC)):
        pass


@contextmanager
def _intake(servers: Servers) -> Iterator[psycopg.Connection]:
    """A connection in the role that stores requests, whose transactions end when the test says so."""
    with psycopg.connect(servers.url("web"), application_name="a slow job") as connection:
        connection.execute(f"SET ROLE {INTAKE_ROLE}")
        connection.commit()
        yield connection


def _sender(tenant: Tenant) -> Sender:
    return wiring.ports().organizations.sender(tenant.organization.id, "orders")


def _put(connection: psycopg.Connection, sender: Sender) -> uuid.UUID:
    """Insert one record within the connection's transaction. Returns its entry id."""
    now = datetime.now(UTC)
    body = json.dumps([session_record()]).encode()
    records = decode_records(body, Window.around(now, back=None))
    receipts = put_records(records, sender, None, now, wiring.keyring(), HeldInbox(connection))
    entry_id = receipts.receipts[0].entry_id
    assert entry_id is not None
    return uuid.UUID(bytes=entry_id)


def _send(client: Client, tenant: Tenant) -> uuid.UUID:
    """Send one record over HTTP. Returns its entry id."""
    answer: Any = client.post(
        "/api/v1/session-logs", json.dumps(session_record()), "application/json", headers=tenant.headers
    )
    assert answer.status_code == 202, answer.content
    return uuid.UUID(json.loads(answer.content)["receipts"][0]["entryId"])


def _commit_late(servers: Servers, sender: Sender, number: int) -> None:
    chosen = random.Random(number)
    with _intake(servers) as connection:
        for _ in range(20):
            _put(connection, sender)
            time.sleep(chosen.uniform(0, 0.02))
            connection.commit()


def _state(tenant: Tenant, entry_id: uuid.UUID) -> str:
    return entry_receipt(tenant.organization.id, entry_id).state


def _in_order_of_seq(tenant: Tenant) -> list[uuid.UUID]:
    entries = SessionLog.objects.filter(organization_id=tenant.organization.id)
    return list(entries.order_by("seq").values_list("id", flat=True))


def _findings_a_minute_later(servers: Servers) -> str:
    """What the job that watches over the product would find if the clock were a minute ahead."""
    done = subprocess.run(
        [sys.executable, "-c", FINDINGS], env=servers.environment("worker"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
