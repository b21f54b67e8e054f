"""How much a request asks of the database: as much for a full page as for a short one."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.api import SESSION_LOGS, accepted, call, post
from tests.organizations import make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


def _asked(request: Callable[[], object]) -> int:
    """How many statements the request took, but for the key's, which is kept for less than a second."""
    with CaptureQueriesContext(connection) as captured:
        request()
    return len([one for one in captured.captured_queries if "sessions_log_servicekey" not in one["sql"]])


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ({}, 4),
        ({"action": "record.view"}, 4),
        ({"outcome": "success", "service": "orders"}, 4),
        ({"userId": "m.russo"}, 6),
        ({"userId": "m.russo", "target": "order:7", "ipAddress": "192.0.2.7"}, 8),
        ({"userId": "nobody"}, 2),
    ],
    ids=str,
)
def test_page_asks_for_epochs_references_ids_rows_names_and_keys_once(
    record_all: Callable[[], None], follow_all: Callable[[], None], query: dict[str, str], statements: int
) -> None:
    tenant = make_tenant()
    record = session_record(ipAddress="192.0.2.7", target={"type": "order", "id": "7"})
    for records in (1, 60):
        accepted(tenant, [{**record, "id": f"{records}-{at}", "sessionId": f"s-{at}"} for at in range(records)])
        record_all()
        follow_all()
        assert _asked(lambda: call("GET", SESSION_LOGS, tenant, query=query)) == statements


def test_request_asks_nothing_beside_its_one_insert() -> None:
    tenant = make_tenant()
    assert _asked(lambda: accepted(tenant, [session_record() for _ in range(100)])) == 0


def test_receipts_ask_little(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    answer = accepted(tenant, session_record())
    entry = f"/api/v1/receipts/{answer['receipts'][0]['entryId']}"
    record_all()
    assert _asked(lambda: call("GET", answer["receipt"], tenant)) == 1
    assert _asked(lambda: call("GET", entry, tenant)) == 2


def test_refused_request_asks_nothing() -> None:
    tenant = make_tenant()
    assert _asked(lambda: post(tenant, b"[")) == 0
