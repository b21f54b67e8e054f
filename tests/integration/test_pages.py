"""Pages by keyset: walked in either direction they show everything exactly once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from sessions_log import wiring
from sessions_log.queries.session_logs import Opener, Search, course_of_session, session_log_page
from tests.integration.api import SESSION_LOGS, accepted, call
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def tenant(record_all: Callable[[], None], follow_all: Callable[[], None]) -> Tenant:
    """57 records of one user over three days, three to a second, sent in no order and in two requests."""
    made = make_tenant()
    records = [
        session_record(
            id=str(at),
            timestamp=(NOW - timedelta(hours=at // 3, milliseconds=0 if at % 2 else 1)).isoformat(),
            action=("record.view", "record.update", "file.view")[at % 3],
        )
        for at in range(57)
    ]
    for part in (records[::2], records[1::2]):
        accepted(made, part[::-1])
    record_all()
    follow_all()
    return made


def _walk(tenant: Tenant, **query: str) -> list[list[dict[str, Any]]]:
    pages, path, asked = [], SESSION_LOGS, query_string(query)
    while True:
        answer = call("GET", path, tenant, query=asked)
        assert answer.status == 200, answer.body
        pages.append(answer.json["results"])
        if answer.json["next"] is None:
            return pages
        following = urlsplit(answer.json["next"])
        assert (following.scheme, following.netloc, following.path) == ("http", "localhost:8000", SESSION_LOGS)
        path, asked = following.path, following.query


def query_string(query: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in query.items())


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"service": "orders"}, 57), ({"userId": "m.russo"}, 57), ({"sessionId": "session-one"}, 57),
        ({"action": "record.update"}, 19),
        ({"userId": "m.russo", "action": "file.view"}, 19), ({"outcome": "success", "service": "orders"}, 57),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("limit", [7, 19, 57])
def test_pages_show_everything_once_newest_first(tenant: Tenant, query: dict[str, str], count: int, limit: int) -> None:
    pages = _walk(tenant, **query, limit=str(limit))
    rows = [row for page in pages for row in page]
    assert len(rows) == len({row["entryId"] for row in rows}) == count
    assert [row["entryId"] for row in rows] == sorted((row["entryId"] for row in rows), reverse=True)
    assert [row["timestamp"][:23] for row in rows] == sorted((row["timestamp"][:23] for row in rows), reverse=True)
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= limit


def test_usual_page_has_fifty_rows(tenant: Tenant) -> None:
    assert [len(page) for page in _walk(tenant, userId="m.russo")] == [50, 7]


def test_next_page_keeps_the_search(tenant: Tenant) -> None:
    following = call("GET", SESSION_LOGS, tenant, query={"userId": "m.russo", "limit": "5"}).json["next"]
    assert "userId=m.russo" in following
    assert "limit=5" in following


def test_record_that_comes_in_between_is_not_shown_twice_nor_pushes_one_out(
    tenant: Tenant, record_all: Callable[[], None]
) -> None:
    first = call("GET", SESSION_LOGS, tenant, query={"userId": "m.russo", "limit": "30"}).json
    accepted(tenant, session_record(timestamp=(NOW + timedelta(seconds=1)).isoformat()))
    record_all()
    second = call("GET", SESSION_LOGS, tenant, query=urlsplit(first["next"]).query).json
    ids = [row["entryId"] for row in first["results"] + second["results"]]
    assert len(ids) == len(set(ids)) == 57


def _opener(tenant: Tenant) -> Opener:
    return wiring.opener(tenant.organization.uid, with_identities=True)


@pytest.mark.parametrize("narrowed", [{}, {"user": "m.russo"}, {"action": "record.view"}], ids=str)
def test_walking_back_shows_the_same_pages(tenant: Tenant, narrowed: dict[str, Any]) -> None:
    def search(**edge: Any) -> Search:
        return Search(organization_id=tenant.organization.id, service="orders", limit=8, **narrowed, **edge)

    page = session_log_page(search(), _opener(tenant))
    forwards = [page.rows]
    while page.has_older:
        page = session_log_page(search(before=page.rows[-1].id), _opener(tenant))
        forwards.append(page.rows)
        assert page.has_newer

    backwards = [page.rows]
    while True:
        page = session_log_page(search(after=backwards[0][0].id), _opener(tenant))
        assert page.has_older
        backwards.insert(0, page.rows)
        if not page.has_newer:
            break

    assert [row.id for rows in backwards for row in rows] == [row.id for rows in forwards for row in rows]


def test_page_beyond_either_end_is_empty(tenant: Tenant) -> None:
    rows = session_log_page(
        Search(organization_id=tenant.organization.id, user="m.russo", limit=500), _opener(tenant)
    ).rows
    beyond_newest = Search(organization_id=tenant.organization.id, user="m.russo", after=rows[0].id)
    beyond_oldest = Search(organization_id=tenant.organization.id, user="m.russo", before=rows[-1].id)
    assert session_log_page(beyond_newest, _opener(tenant)).rows == []
    assert session_log_page(beyond_oldest, _opener(tenant)).rows == []


def test_course_of_a_session_stands_around_its_record_in_order(tenant: Tenant) -> None:
    rows = session_log_page(
        Search(organization_id=tenant.organization.id, user="m.russo", limit=500), _opener(tenant)
    ).rows
    course = course_of_session(rows[20], _opener(tenant), around=3)
    assert {one.id for one in course} == {one.id for one in rows[17:24]}
    assert course == sorted(course, key=lambda one: (one.timestamp, one.seq))
