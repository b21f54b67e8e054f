"""The page that describes the API, in a real browser under the real policy; its commands, in a real shell."""

import contextlib
import html
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from config.supervisor.processes import free_port
from tests.conftest import Servers
from tests.e2e.portal_browser import COUNT_VIOLATIONS, chromium, wait_until
from tests.organizations import make_tenant

ROOT = Path(__file__).resolve().parent.parent.parent
POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
    "font-src": "'self'", "connect-src": "'self'",
}  # fmt: skip
NOBODY_LISTENS = "postgresql://muniment_web@127.0.0.1:1/muniment"
KEY_OF_NOBODY = f"mun_{'a' * 12}_{'a' * 43}"
WIDTHS = (1280, 390)


@contextlib.contextmanager
def web_process(environment: Mapping[str, str]) -> Iterator[str]:
    """A web process of the product, as the supervisor starts it; gives its address."""
    port = free_port(None)
    url = f"http://localhost:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--host", "127.0.0.1",
         "--port", str(port), "--blocking-threads", "4", "--no-ws", "--http", "1", "--log-level", "warning"],
        cwd=ROOT,
        env={**environment, "PORT": str(port), "MUNIMENT_PUBLIC_URL": url},
        start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: _is_live(url), "the web process answers")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _is_live(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/healthz/live", timeout=2):
        return True
    return False


@pytest.fixture(scope="module")
def portal(servers: Servers, django_db_setup: None) -> Iterator[str]:
    with web_process(servers.environment("web")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


class Visit:
    """A page of the API's description, and what went wrong on it."""

    def __init__(self, browser: Browser, portal: str, *, theme: Any = "light", width: int = 1280) -> None:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=portal)
        self.page: Page = context.new_page()
        self.page.add_init_script(COUNT_VIOLATIONS)
        self.faults: list[str] = []
        self.addresses: set[str] = set()
        self.page.on("console", self._note)
        self.page.on("request", lambda request: self.addresses.add(request.url))
        self.page.on("requestfailed", lambda request: self.faults.append(request.url))
        self.answer = self.page.goto(f"{portal}/api/docs", wait_until="networkidle")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def violations(self) -> list[str]:
        """Violations of the policy up to now."""
        noted: list[str] = self.page.evaluate("violations")
        return noted


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_used_under_the_policy_without_a_violation(
    browser: Browser, portal: str, theme: str, width: int
) -> None:
    visit = Visit(browser, portal, theme=theme, width=width)
    page = visit.page

    assert visit.answer is not None
    assert visit.answer.status == 200
    _assert_policy(visit.answer.headers["content-security-policy"])
    page.locator("summary").first.click()
    page.locator("nav a[href='#sendSessionLogs']").click()
    page.locator("#sendSessionLogs [data-do=copy]").click()
    page.locator("[data-do=theme]").click()
    page.wait_for_selector("html[data-theme]")

    assert visit.violations() == []
    assert visit.faults == []
    assert {address for address in visit.addresses if not address.startswith(portal)} == set()
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_accessible(browser: Browser, portal: str, theme: str, width: int) -> None:
    visit = Visit(browser, portal, theme=theme, width=width)
    visit.page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")

    found = Axe().run(visit.page).response["violations"]

    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def test_theme_follows_the_system_until_it_is_chosen(browser: Browser, portal: str) -> None:
    dark = Visit(browser, portal, theme="dark").page
    light = Visit(browser, portal, theme="light").page
    shown = "getComputedStyle(document.body).backgroundColor"
    assert dark.evaluate(shown) != light.evaluate(shown)

    light.locator("[data-do=theme]").click()
    assert light.evaluate(shown) == dark.evaluate(shown)


def test_page_shows_every_operation_with_all_of_its_parts(browser: Browser, portal: str) -> None:
    page = Visit(browser, portal).page
    description = page.request.get(f"{portal}/api/openapi.json").json()

    for path, methods in description["paths"].items():
        for operation in methods.values():
            section = page.locator(f"#{operation['operationId']}")
            words = section.inner_text()
            assert path in words
            assert operation["summary"] in words
            assert "curl" in words
            for part in (
                [one["name"] for one in operation.get("parameters", ())]
                + list(operation.get("requestBody", {}).get("content", ()))
                + list(operation["responses"])
            ):
                assert part in words, (operation["operationId"], part)


def test_copied_command_is_the_one_shown(browser: Browser, portal: str) -> None:
    page = Visit(browser, portal).page

    page.locator("#readLive [data-do=copy]").click()
    page.locator("#readLive .label", has_text="Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == f'curl "{portal}/healthz/live"'


def test_every_command_works_when_pasted(portal: str, db: None, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text('silent\nwrite-out = "\\n%{http_code}"\n')
    tenant = make_tenant()
    shell = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MUNIMENT_KEY": tenant.token}
    with urllib.request.urlopen(f"{portal}/api/docs") as page:
        shown = re.findall(r'id="(\w+)-command">(.*?)</code>', page.read().decode(), re.DOTALL)
    commands = {name: html.unescape(command) for name, command in shown}

    sent, status = _run(commands.pop("sendSessionLogs"), shell)
    assert status == "202", sent
    entry = re.search(r'"entryId":"([0-9a-f-]+)"', sent)
    request = re.search(r'"requestId":"([0-9a-f-]+)"', sent)
    assert entry
    assert request
    shell |= {"ENTRY_ID": entry[1], "REQUEST_ID": request[1], "ORGANIZATION": tenant.organization.slug}
    shell |= {"PLACE": "entries/000"}

    unsigned = {"readCheckpoint", "readTile", "readProof", "readConsistency"}  # nobody signs ledgers in this test
    assert set(commands) == unsigned | {
        "readSessionLogs", "readEntryReceipt", "readRequestReceipt", "readLedgerKeys", "readLive", "readReady"
    }  # fmt: skip
    for name, command in commands.items():
        answer, status = _run(command, shell)
        assert status == ("404" if name in unsigned else "200"), (name, answer)


def test_described_503_is_what_comes_while_the_database_is_away(servers: Servers, django_db_setup: None) -> None:
    environment = {**servers.environment("web"), "DATABASE_URL": NOBODY_LISTENS}
    with web_process(environment) as url:
        for path in ("session-logs", "receipts/requests/01a20a5c-3f02-7b11-8a90-6c5d4e3f2a1b"):
            status, headers = _status(f"{url}/api/v1/{path}", KEY_OF_NOBODY)
            assert (status, headers["content-type"]) == (503, "application/problem+json")
            assert int(headers["retry-after"]) > 0
        status, headers = _status(f"{url}/healthz/ready", "")
        assert (status, headers["content-type"]) == (503, "application/json")


def _assert_policy(header: str) -> None:
    directives = dict(part.strip().split(" ", 1) for part in header.split(";"))
    assert directives.items() >= POLICY.items()


def _run(command: str, shell: Mapping[str, str]) -> tuple[str, str]:
    """Output and HTTP status of a command of the page."""
    done = subprocess.run(
        ["bash", "-euc", command], env=dict(shell), capture_output=True, text=True, check=True, timeout=30
    )
    body, _, status = done.stdout.rpartition("\n")
    return body, status


def _status(url: str, key: str) -> tuple[int, Mapping[str, str]]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    return refused.value.code, {name.lower(): value for name, value in refused.value.headers.items()}
