"""Records of two organizations never mix, whichever way they are asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from sessions_log.models import Address, Session, SessionLog, Subject, Target
from tests.integration.api import SESSION_LOGS, accepted, call, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
SHARED = {"ipAddress": "192.0.2.7", "target": {"type": "order", "id": "7"}}


@pytest.fixture
def trattoria() -> Tenant:
    return make_tenant()


@pytest.fixture
def osteria() -> Tenant:
    return make_tenant()


def _results(tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call("GET", SESSION_LOGS, tenant, query=query).json["results"]
    return rows


def test_equal_records_of_two_organizations_share_no_reference(
    trattoria: Tenant, osteria: Tenant, record_all: Callable[[], None]
) -> None:
    record = session_record(**SHARED)
    for tenant in (trattoria, osteria):
        accepted(tenant, record)
    record_all()
    (one,), (other,) = found(trattoria), found(osteria)
    for name in ("entryId", "subject", "session"):
        assert one[name] != other[name]
    for model in (Subject, Session, Target, Address):
        lookups = [
            {
                bytes(row)
                for row in model.objects.filter(organization_id=tenant.organization.id).values_list("lookup", flat=True)
            }
            for tenant in (trattoria, osteria)
        ]
        assert not lookups[0] & lookups[1]


@pytest.mark.parametrize(
    "query",
    [
        {}, {"userId": "m.russo"}, {"sessionId": "session-one"}, {"ipAddress": "192.0.2.7"}, {"target": "order:7"},
        {"action": "record.view"}, {"outcome": "success"}, {"sensitive": "false"}, {"service": "orders"},
        {"from": "1970-01-01T00:00:00Z"}, {"limit": "500"},
    ],
    ids=str,
)  # fmt: skip
def test_no_search_finds_another_organization_s_records(
    trattoria: Tenant,
    osteria: Tenant,
    record_all: Callable[[], None],
    follow_all: Callable[[], None],
    query: dict[str, str],
) -> None:
    entry_id = accepted(trattoria, session_record(**SHARED))["receipts"][0]["entryId"]
    accepted(osteria, session_record(**SHARED))
    record_all()
    follow_all()
    assert entry_id in [one["entryId"] for one in _results(trattoria, **query)]
    assert entry_id not in [one["entryId"] for one in _results(osteria, **query)]


def test_another_organization_s_cursor_opens_nothing(
    trattoria: Tenant, osteria: Tenant, record_all: Callable[[], None]
) -> None:
    for tenant in (trattoria, osteria, trattoria, osteria):
        accepted(tenant, session_record())
    record_all()
    newest = _results(trattoria)[0]["entryId"]
    own = set(SessionLog.objects.filter(organization_id=osteria.organization.id).values_list("id", flat=True))
    page = _results(osteria, cursor=newest)
    assert {one["entryId"] for one in page} <= {str(one) for one in own}


def test_another_organization_s_records_are_unknown(
    trattoria: Tenant, osteria: Tenant, record_all: Callable[[], None]
) -> None:
    answer = accepted(trattoria, session_record())
    entry = f"/api/v1/receipts/{answer['receipts'][0]['entryId']}"
    for is_recorded in (False, True):
        if is_recorded:
            record_all()
        assert call("GET", entry, osteria).json["state"] == "unknown"
        assert call("GET", answer["receipt"], osteria).json == {
            "requestId": answer["requestId"], "state": "unknown", "recorded": 0, "duplicates": 0, "conflicts": 0,
            "quarantined": 0,
        }  # fmt: skip
    assert call("GET", entry, trattoria).json["state"] == "recorded"


def test_service_of_another_organization_of_the_same_name_is_not_meant(
    trattoria: Tenant, osteria: Tenant, record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    accepted(trattoria, session_record(userId="a.conti"))
    accepted(osteria, session_record(userId="m.russo"))
    record_all()
    follow_all()
    assert [one["userId"] for one in _results(trattoria, service="orders")] == ["a.conti"]
