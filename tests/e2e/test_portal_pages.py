"""The portal's pages in a real browser: under the policy, within reach of everybody, in both themes."""

import itertools
import re
import uuid

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.portal_browser import (
    Portal,
    faults_of,
    many_records,
    sign_in,
    signed_in,
    wait_until,
)

pytestmark = [pytest.mark.slow]

LOGS = "/admin/sessions_log/sessionlog/"
KEYS = "/admin/sessions_log/servicekey/"
PAGES = (
    "/admin/",
    "/admin/health/",
    LOGS,
    f"{LOGS}?period=24h&outcome=denied",
    f"{LOGS}?action=deploy.rollback",
    "/admin/sessions_log/sessionsummary/",
    "/admin/sessions_log/service/",
    "/admin/sessions_log/service/add/",
    KEYS,
    f"{KEYS}add/",
    "/admin/sessions_log/organization/",
    "/admin/sessions_log/inboxrow/",
    "/admin/sessions_log/quarantinedrequest/",
    "/admin/password_change/",
)
PAGES_ON_A_TELEPHONE = ("/admin/", "/admin/health/", LOGS, KEYS, f"{KEYS}add/", "/admin/password_change/")


@pytest.mark.parametrize(("theme", "width"), [*itertools.product(("light", "dark"), (1280, 390)), ("light", 768)])
def test_pages_keep_to_the_policy_and_are_within_reach(
    browser: Browser, portal: Portal, theme: str, width: int
) -> None:
    viewport = {"width": width, "height": 800}
    context = signed_in(browser, portal, portal.officer, color_scheme=theme, viewport=viewport)
    faults: list[str] = []
    page = context.new_page()
    for path in PAGES if width == 1280 else PAGES_ON_A_TELEPHONE:
        page.goto(portal.url + path)
        faults += faults_of(page)
    page.goto(portal.url + LOGS)
    page.locator("#changelist-filter > summary").click()
    faults += faults_of(page)
    page.locator(".records tbody a").first.click()
    expect(page.get_by_role("heading", name="Identity and metadata")).to_be_visible()
    faults += faults_of(page)
    context.clear_cookies()
    page.goto(f"{portal.url}/admin/login/")
    faults += faults_of(page)
    context.close()
    assert faults == []


def search(page: Page, portal: Portal, value: str) -> None:
    page.goto(portal.url + LOGS)
    page.get_by_placeholder("Exact user, session, type/target or address").fill(value)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("value", ["session-hostile", "203.0.113.9", "guest/list-77", "guest:list-77"])
def test_record_is_found_by_its_exact_values(officer: Page, portal: Portal, value: str) -> None:
    search(officer, portal, value)

    expect(officer.locator(".records tbody tr")).to_have_count(3)
    assert value not in officer.url
    assert "found=" in officer.url


def test_part_of_a_value_finds_nothing_and_the_page_says_why(officer: Page, portal: Portal) -> None:
    search(officer, portal, "session-host")

    expect(officer.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(officer.get_by_text("Parts of words are not searched")).to_be_visible()


def test_senders_text_is_shown_and_never_run(officer: Page, portal: Portal) -> None:
    search(officer, portal, "session-hostile")
    officer.locator(".records tbody a").first.click()

    expect(officer.get_by_text("mallory<script>window.hacked=1</script>")).to_be_visible()
    metadata = officer.locator("pre.code")
    expect(metadata).to_contain_text('"rows": 4218')
    expect(metadata).to_contain_text("<b>bold</b>")
    expect(metadata.locator(".invisible")).to_have_text("U+200B")
    expect(metadata.locator(".placeholder")).to_contain_text("EMAIL")
    assert "giulia.bianchi" not in officer.content()
    assert officer.evaluate("window.hacked") is None


def test_session_of_a_record_is_shown_in_order(officer: Page, portal: Portal) -> None:
    search(officer, portal, "session-hostile")
    officer.locator(".records tbody a").last.click()

    steps = officer.locator(".timeline .what")
    expect(steps).to_have_count(3)
    expect(officer.locator(".timeline .is-this")).to_have_count(1)
    expect(officer.get_by_text("3 records in")).to_be_visible()


def turn_page(page: Page, way: str) -> None:
    with page.expect_navigation():
        page.get_by_role("link", name=way).click()


def test_pages_lead_to_older_records_and_back(officer: Page, portal: Portal) -> None:
    search(officer, portal, "session-usual")
    first = officer.locator(".records tbody a").first.get_attribute("href")
    seen = set()
    for expected in (50, 50, 20):
        rows = officer.locator(".records tbody a")
        expect(rows).to_have_count(expected)
        seen |= {rows.nth(index).get_attribute("href") for index in range(expected)}
        if expected == 50:
            turn_page(officer, "Older")
    assert len(seen) == 120
    expect(officer.get_by_role("link", name="Older")).to_have_count(0)

    turn_page(officer, "Newer")
    turn_page(officer, "Newer")
    expect(officer.locator(".records tbody a").first).to_have_attribute("href", str(first))


def test_keys_move_through_the_rows(officer: Page, portal: Portal) -> None:
    officer.goto(portal.url + LOGS)
    rows = officer.locator(".records tbody a")
    for key in "jjk":
        officer.keyboard.press(key)
    expect(rows.nth(0)).to_be_focused()
    officer.keyboard.press("/")
    expect(officer.locator("#global-search")).to_be_focused()

    rows.nth(1).focus()
    wanted = str(rows.nth(1).get_attribute("href"))
    officer.keyboard.press("Enter")
    officer.wait_for_url(f"**{wanted}")


def test_theme_and_narrow_navigation_are_kept(officer: Page, portal: Portal) -> None:
    officer.goto(portal.url + LOGS)
    officer.get_by_role("button", name="Switch between light and dark").click()
    officer.get_by_role("button", name="Navigation", exact=True).click()
    root = officer.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")

    officer.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-nav", "rail")
    box = officer.locator("#portal-nav").bounding_box()
    assert box is not None
    assert box["width"] == 53


def test_navigation_opens_as_a_drawer_on_a_telephone(browser: Browser, portal: Portal) -> None:
    context = signed_in(browser, portal, portal.officer, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(portal.url + LOGS)
    link = page.locator("#portal-nav").get_by_role("link", name="Services")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Navigation", exact=True).click()
    link.click()
    expect(page.get_by_role("heading", name="Services", level=1)).to_be_visible()
    context.close()


def test_without_the_right_to_identities_nothing_personal_is_in_the_page(browser: Browser, portal: Portal) -> None:
    context: BrowserContext = signed_in(browser, portal, portal.auditor)
    page = context.new_page()
    page.goto(f"{portal.url}{LOGS}?outcome=denied")
    texts = [page.content()]
    page.locator(".records tbody a").first.click()
    expect(page.get_by_text("Sealed. Seeing who needs the right")).to_be_visible()
    texts.append(page.content())
    for secret in ("mallory", "203.0.113.9", "session-hostile", "list-77", "4218", "Mozilla/5.0 &lt;img"):
        assert not any(secret in text for text in texts), secret
    assert page.locator("#global-search").count() == 0

    answer = page.goto(portal.url + KEYS)
    assert answer is not None
    assert answer.status == 403
    context.close()


def test_records_of_another_organization_are_not_found(officer: Page, portal: Portal) -> None:
    answer = officer.goto(f"{portal.url}{LOGS}{uuid.uuid4()}/")
    assert answer is not None
    assert answer.status == 404
    expect(officer.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_service_key_is_shown_once_works_and_ends(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}/admin/sessions_log/service/add/")
    officer.get_by_label("Name").fill("kitchen")
    officer.get_by_role("button", name="Add the service").click()
    officer.get_by_role("button", name="Make the key").click()
    token = str(officer.locator("#key").text_content())
    assert portal.send(many_records()[:1], token) == 202

    officer.get_by_role("link", name="I have stored it").click()
    assert token not in officer.content()
    row = officer.locator(".records tbody tr").filter(has_text="kitchen")
    row.get_by_role("checkbox").check()
    officer.get_by_role("button", name="Revoke …").click()
    officer.get_by_role("button", name="Revoke this key").click()
    expect(officer.get_by_text("no request with this key is taken any more")).to_be_visible()
    expect(row).to_contain_text("revoked")
    wait_until(lambda: portal.send(many_records()[:1], token) == 401, "the key is refused")


def test_rotated_key_hands_over_to_a_new_one(officer: Page, portal: Portal) -> None:
    officer.goto(portal.url + KEYS)
    officer.locator(".records tbody tr").filter(has_text="orders").locator("a").first.click()
    officer.get_by_role("link", name="Rotate").click()
    officer.get_by_role("button", name="Make the new key").click()
    token = str(officer.locator("#key").text_content())

    assert portal.send(many_records()[:1], token) == 202
    assert portal.send(many_records()[:1]) == 202
    expect(officer.get_by_text("The old key works for another 24 hours")).to_be_visible()


def test_wrong_network_of_a_key_is_told_at_its_field(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}{KEYS}add/")
    officer.get_by_label("Service").select_option(label="orders")
    officer.get_by_label("Only from").fill("kitchen")
    officer.get_by_role("button", name="Make the key").click()
    expect(officer.locator(".field-allowed_networks .errorlist")).to_contain_text("192.0.2.0/24")


def test_organization_is_renamed(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}/admin/sessions_log/organization/")
    officer.locator(".records tbody a").first.click()
    officer.get_by_label("Name").fill("Trattoria Due")
    officer.get_by_role("button", name="Save").click()
    expect(officer.locator(".records")).to_contain_text("Trattoria Due")


def test_request_that_cannot_be_opened_stays_in_quarantine(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}/admin/sessions_log/quarantinedrequest/")
    row = officer.locator(".records tbody tr")
    expect(row).to_contain_text("does not open under the inbox key of its day")
    row.get_by_role("checkbox").check()
    officer.get_by_role("button", name="Retry").click()
    expect(officer.locator(".messagelist .error")).to_contain_text("stays")
    expect(officer.locator(".records tbody tr")).to_contain_text("waiting")


def test_health_page_tells_how_each_part_does(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}/admin/health/")
    for part in ("PostgreSQL", "Valkey", "Partitions", "Recorder", "Follower counters", "Keyring"):
        expect(officer.locator(".health tr").filter(has_text=re.compile(part))).to_have_count(1)


def test_wrong_password_is_not_let_in(browser: Browser, portal: Portal) -> None:
    page = browser.new_page()
    sign_in(page, portal, portal.officer, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    answer = page.goto(portal.url + LOGS)
    assert answer is not None
    assert "/login/" in answer.url
    page.close()


def test_signing_out_ends_the_session(browser: Browser, portal: Portal) -> None:
    context = signed_in(browser, portal, portal.officer)
    page = context.new_page()
    page.goto(portal.url + LOGS)
    page.locator(".account summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(portal.url + LOGS)
    assert "/login/" in page.url
    context.close()
