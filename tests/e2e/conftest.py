"""The running portal, an officer in it, and Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.conftest import Servers
from tests.e2e.portal_browser import (
    Portal,
    chromium,
    furnished,
    many_records,
    running_processes,
    signed_in,
    wait_until,
)


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
            portal = furnished(url)
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
