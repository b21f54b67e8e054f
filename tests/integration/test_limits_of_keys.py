"""A key's limit of records per minute, guarded by Valkey for all processes and threads together."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sessions_log.models import InboxRow
from tests.integration.api import SESSION_LOGS, Answer, call, post
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


def _within_a_minute(attempt: Callable[[], None]) -> None:
    """Run it again where a minute ended meanwhile, with the permits of the new one."""
    minute = time.time() // 60
    try:
        attempt()
    except AssertionError:
        if time.time() // 60 == minute:
            raise
        attempt()


def _stored(tenant: Tenant) -> int:
    return sum(InboxRow.objects.filter(service_id=tenant.service_id).values_list("records", flat=True))


def _records(count: int) -> list[dict[str, object]]:
    return [session_record() for _ in range(count)]


def test_key_over_its_limit_is_told_when_to_come_again() -> None:
    def attempt() -> None:
        tenant = make_tenant(records_per_minute=10)
        assert post(tenant, _records(10)).status == 202
        answer = post(tenant, session_record())
        assert answer.status == 429
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["detail"] == "The key's limit of records per minute is used up."
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert _stored(tenant) == 10

    _within_a_minute(attempt)


def test_rejected_records_use_up_nothing() -> None:
    def attempt() -> None:
        tenant = make_tenant(records_per_minute=10)
        for _ in range(3):
            assert post(tenant, [session_record(outcome="ok")] * 10).status == 422
        assert post(tenant, _records(10)).status == 202

    _within_a_minute(attempt)


def test_parallel_requests_never_pass_the_limit_together() -> None:
    def attempt() -> None:
        tenant = make_tenant(records_per_minute=50)
        with ThreadPoolExecutor(8) as clients:
            answers: list[Answer] = list(clients.map(lambda _: post(tenant, _records(3)), range(40)))
        assert {answer.status for answer in answers} == {202, 429}
        assert sum(answer.status == 202 for answer in answers) == 16
        assert _stored(tenant) == 48

    _within_a_minute(attempt)


def test_reading_needs_no_permits() -> None:
    tenant = make_tenant(records_per_minute=1)
    post(tenant, session_record())
    assert post(tenant, session_record()).status in (202, 429)
    assert call("GET", SESSION_LOGS, tenant).status == 200


def test_request_above_the_key_s_limit_is_told_to_be_smaller() -> None:
    small = make_tenant(records_per_minute=3)
    answer = post(small, [session_record() for _ in range(4)])
    assert (answer.status, "3 records a minute" in answer.json["detail"]) == (413, True)
