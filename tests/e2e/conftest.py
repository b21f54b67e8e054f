"""The running portal, an officer in it, and Chromium."""

import uuid
from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, StorageState

from compliance import wiring as compliance
from compliance.commands.people import AddPerson, GiveRight, add_person, give_right
from sessions_log.adapters.inbox import insert
from sessions_log.domain.inbox import InboxRequest, new_request_id
from tests.conftest import Servers
from tests.e2e.portal_browser import (
    PASSWORD,
    Portal,
    chromium,
    many_records,
    running_processes,
    signed_in,
    wait_until,
)
from tests.organizations import ACTOR, make_tenant


@pytest.fixture(scope="module")
def portal(
    servers: Servers,
    django_db_setup: None,
    django_db_blocker: pytest.Item,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Portal]:
    """Running, with an officer, an auditor who may not see who, and some records."""
    with running_processes(servers, tmp_path_factory.mktemp("portal")) as url:
        with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's fixture has no public type
            portal = _furnished(url)
        assert portal.send(many_records()) == 202
        wait_until(lambda: portal.listed(sessionId="session-hostile") == 3, "records are recorded")
        yield portal


@pytest.fixture(scope="module")
def browser(portal: Portal) -> Iterator[Browser]:
    """One Chromium for all tests of this file; the ORM refuses work in a thread once it runs, so it comes last."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def officers_cookies(browser: Browser, portal: Portal) -> StorageState:
    """The officer's session, for the tests that do not end it."""
    context = signed_in(browser, portal, portal.officer)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def officer(browser: Browser, officers_cookies: StorageState) -> Iterator[Page]:
    """A page of the officer in a fresh profile, signed in."""
    context = browser.new_context(storage_state=officers_cookies, viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def _furnished(url: str) -> Portal:
    tenant = make_tenant()
    portal = Portal(url, tenant, f"{uuid.uuid4().hex}@example.com", f"{uuid.uuid4().hex}@example.com")
    _person(portal, portal.officer, "Ines Keller", ("metadata", "identities", "access"))
    _person(portal, portal.auditor, "Marek Duval", ("metadata",))
    unopenable = InboxRequest(
        id=new_request_id(compliance.ports().records.clock()),
        organization_id=tenant.organization.pk,
        service_id=tenant.service_id,
        shard=0,
        lane=0,
        kind=1,
        entry_ids=b"\x00" * 16,
        sealed=b"\x00" * 64,
    )
    connection.ensure_connection()
    insert(connection.connection, [unopenable])
    return portal


def _person(portal: Portal, email: str, name: str, rights: tuple[str, ...]) -> None:
    ports, organization_id = compliance.ports(), portal.tenant.organization.pk
    add = AddPerson(email=email, password=PASSWORD, name=name, organization_id=organization_id, actor=ACTOR)
    holder = add_person(add, ports)
    for right in rights:
        reason = "for the tests of the portal"
        give = GiveRight(holder=holder, right=right, organization_id=organization_id, reason=reason, actor=ACTOR)
        give_right(give, ports)
