"""From HTTP to an entry and back, through real PostgreSQL as the roles of the processes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from sessions_log import wiring
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.recording import Recorder
from tests.conftest import Servers
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
URL = "/api/v1/session-logs"


@pytest.fixture
def record_all(servers: Servers) -> Callable[[], None]:
    """Run the recorder, in its own role, until the inbox is empty."""

    def run() -> None:
        store = PostgresRecorderStore(lambda: servers.url("recorder"), 0)
        recorder = Recorder(store, wiring.keyring())
        while recorder.record_batch(datetime.now(UTC)):
            pass
        store.close()

    return run


def send(client: Client, tenant: Tenant, records: Any, **headers: str) -> Any:
    return client.post(URL, json.dumps(records), content_type="application/json", headers={**tenant.headers, **headers})


def read(client: Client, tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    response = client.get(URL, query, headers=tenant.headers)
    assert response.status_code == 200, response.content
    return json.loads(response.content)["results"]  # type: ignore[no-any-return]


def test_record_sent_is_read_back_in_its_own_words(client: Client, record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    record = session_record(
        metadata={"order": 7}, ipAddress="192.0.2.7", userAgent="Safari", duration=12, outcome="denied",
        target={"type": "order", "id": "7"}, sensitive=True, aiModelUsed="gpt-x", traceId="t1", sequence=3,
    )  # fmt: skip

    answer = send(client, tenant, record)
    assert answer.status_code == 202, answer.content
    record_all()

    stored = next(one for one in read(client, tenant) if one["service"] == "orders")
    for name, value in record.items():
        if name != "timestamp":
            assert stored[name] == value, name
    assert stored["entryId"] == json.loads(answer.content)["receipts"][0]["entryId"]
