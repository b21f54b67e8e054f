"""The filters of the portal's list: what is none is told, and shows no records."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from tests.integration.api import accepted
from tests.integration.test_portal_records import LOGS, person, signed_in
from tests.organizations import make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def officer(record_all: Callable[[], None]) -> Client:
    """Signed in where there is one record of a service."""
    tenant = make_tenant()
    accepted(tenant, session_record())
    record_all()
    return signed_in(person(tenant))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"outcome": "bogus"}, "The outcome can be ok, failed or denied."),
        ({"action": "record.vew"}, "There is no such action."),
        ({"action": "custom."}, "There is no such action."),
        ({"sensitive": "maybe"}, "Sensitive can be yes or no."),
        ({"period": "2y"}, "The period can be 1h, 24h or 7d."),
        ({"start": "yesterday"}, "The time from which to search could not be read."),
        ({"end": "2026-02-30"}, "The time up to which to search could not be read."),
        ({"start": "2026-11-24", "end": "2026-11-23"}, "is later than the time up to which"),
        ({"found": "subject:7"}, "Search for it again."),
        ({"found": "person:0193a3f0-0000-7000-8000-000000000001"}, "Search for it again."),
        ({"before": "7"}, "The page could not be read."),
        ({"outcome": "bogus", "after": str(uuid.UUID(int=0))}, "The outcome can be"),
        ({"service": "x" * 64}, "The name of a service has at most 63 characters."),
        ({"outcom": "denied"}, "There is no filter “outcom”."),
    ],
    ids=str,
)
def test_filter_that_is_none_is_told_and_shows_no_records(officer: Client, asked: dict[str, str], told: str) -> None:
    page = officer.get(LOGS, asked).content.decode()
    assert told in page
    assert "Nothing was searched" in page
    assert "record.view" not in page.split('class="empty"')[1]


def test_filter_by_what_does_not_occur_is_a_question_like_any(officer: Client) -> None:
    page = officer.get(LOGS, {"action": "custom.never_sent", "service": "nobody"}).content.decode()
    assert "Nothing matches" in page
    assert page.count("Remove filter") == 2
