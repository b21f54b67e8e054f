"""The list of session logs in a real browser: its filters, and all of a record on every screen."""

import re

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.e2e.portal_browser import Portal

pytestmark = [pytest.mark.slow]

LOGS = "/admin/sessions_log/sessionlog/"
# Of the denied record of `many_records`, as the list shows it.
CELLS = {
    "time": "UTC",
    "action": "record.export",
    "outcome": "denied",
    "target": "guest/list-77",
    "user": "mallory<script>",
    "session": "sessi…tile",
    "ip": "203.0.113.9",
    "service": "orders",
    "sensitive": "sensitive",
}


def test_filters_narrow_the_list_and_are_taken_off(officer: Page, portal: Portal) -> None:
    officer.goto(portal.url + LOGS)
    officer.locator("#changelist-filter > summary").click()
    officer.locator(".drawer-panel").get_by_role("link", name="denied", exact=True).click()
    expect(officer.locator(".records tbody tr")).to_have_count(1)
    officer.get_by_role("link", name="24 h").click()
    expect(officer.locator(".records tbody tr")).to_have_count(1)

    officer.get_by_role("link", name="Remove filter outcome denied").click()
    expect(officer.locator(".records tbody tr")).to_have_count(50)
    expect(officer.get_by_role("link", name="24 h")).to_have_attribute("aria-current", "true")


def test_time_range_is_asked_for_and_a_wrong_one_is_told(officer: Page, portal: Portal) -> None:
    officer.goto(portal.url + LOGS)
    officer.get_by_text(re.compile("^From . to$")).click()
    officer.get_by_label("To", exact=True).fill("2020-01-01 10:00")
    officer.get_by_role("button", name="Show").click()
    expect(officer.get_by_role("heading", name="Nothing matches")).to_be_visible()

    officer.goto(f"{portal.url}{LOGS}?start=yesterday")
    expect(officer.get_by_role("alert")).to_contain_text("The time from which to search could not be read")


def test_filter_that_is_none_is_told_and_can_be_left_out(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}{LOGS}?outcome=bogus&period=24h")

    expect(officer.get_by_role("alert")).to_contain_text("The outcome can be ok, failed or denied.")
    expect(officer.get_by_role("heading", name="Nothing was searched")).to_be_visible()
    officer.get_by_role("link", name="Search without it").click()
    expect(officer.locator(".records")).to_be_visible()
    expect(officer.get_by_role("link", name="24 h")).to_have_attribute("aria-current", "true")


def test_filter_by_a_word_that_does_not_occur_here_can_be_taken_off(officer: Page, portal: Portal) -> None:
    officer.goto(f"{portal.url}{LOGS}?action=deploy.rollback")

    expect(officer.get_by_role("heading", name="Nothing matches")).to_be_visible()
    officer.get_by_role("link", name="Remove filter action deploy.rollback").click()
    expect(officer.locator(".records tbody tr")).to_have_count(50)


@pytest.mark.parametrize("width", [768, 390])
def test_narrow_screen_shows_all_of_a_record(
    browser: Browser, portal: Portal, officers_cookies: StorageState, width: int
) -> None:
    context = browser.new_context(storage_state=officers_cookies, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{portal.url}{LOGS}?outcome=denied")
    cells = {name: page.locator(f".records tbody .field-{name}").first for name in CELLS}

    for name, text in CELLS.items():
        expect(cells[name], name).to_be_visible()
        expect(cells[name]).to_contain_text(text)
    boxes = [cell.bounding_box() for cell in cells.values()]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    context.close()


def test_long_list_of_filters_shows_that_it_goes_on(officer: Page, portal: Portal) -> None:
    officer.goto(portal.url + LOGS)
    officer.locator("#changelist-filter > summary").click()
    scroller = officer.locator(".drawer-scroll").first
    scroller.evaluate(
        "box => box.querySelector('ul').append(...Array.from({length: 300}, newRow))".replace(
            "newRow", "() => Object.assign(document.createElement('li'), {textContent: 'custom.step'})"
        )
    )
    assert scroller.evaluate("box => box.scrollHeight > box.clientHeight")
    assert "linear-gradient" in scroller.evaluate("box => getComputedStyle(box).backgroundImage")
