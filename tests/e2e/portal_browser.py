"""The running portal with people and records in it, and Chromium to look at it."""

import gzip
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from compliance import wiring as compliance
from compliance.commands.people import AddPerson, GiveRight, add_person, give_right
from config.supervisor.processes import free_port
from sessions_log.adapters.inbox import insert
from sessions_log.domain.inbox import InboxRequest, new_request_id
from tests.conftest import Servers
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery staple"  # pragma: allowlist secret
CHROMIUM = (
    "--no-sandbox --headless --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
# Counts what the content security policy stops; runs before any script of the page.
COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective + " " + event.blockedURI);
});
"""
WAIT_S = 30
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}}


@dataclass(slots=True)
class Portal:
    """Where the portal answers, who may sign in, and what is in it."""

    url: str
    tenant: Tenant
    officer: str
    auditor: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def send(self, records: list[dict[str, Any]], token: str | None = None) -> int:
        """Send records over HTTP. Returns the status."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/session-logs",
            data=gzip.compress(json.dumps(records).encode()),
            headers={
                "Authorization": f"Bearer {token or self.tenant.token}",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            },
        )
        return _status(request)

    def listed(self, **query: str) -> int:
        """How many records the API lists for a session."""
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        request = urllib.request.Request(
            f"{self.url}/api/v1/session-logs?limit=500&{parameters}",
            headers={"Authorization": f"Bearer {self.tenant.token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return len(json.load(answer)["results"])


@contextmanager
def running_processes(servers: Servers, home: Path) -> Iterator[str]:
    """Web, recorder and followers, each in its role. Yields the portal's address."""
    port = free_port(None)
    granian = ["-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--port", str(port)]
    commands = {
        "web": [*granian, "--workers", "1", "--blocking-threads", "4", "--log-level", "warning"],
        "recorder": ["manage.py", "run_recorder"],
        "follower": ["manage.py", "run_followers"],
    }
    processes = []
    try:
        for role, command in commands.items():
            environment = servers.environment(role) | {"PORT": str(port), "MUNIMENT_HOME": str(home)}
            log = (home / f"{role}.log").open("wb")
            processes.append(
                subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=log, stderr=log)
            )
        url = f"http://localhost:{port}"
        wait_until(lambda: _status(urllib.request.Request(f"{url}/healthz/live")) == 200, "the portal answers")
        yield url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM.split())
        yield browser
        browser.close()


def signed_in(browser: Browser, portal: Portal, email: str, **options: Any) -> BrowserContext:
    """A fresh profile in which this person has signed in. options: as Playwright's new_context takes them."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    context.add_init_script(COUNT_VIOLATIONS)
    page = context.new_page()
    sign_in(page, portal, email, PASSWORD)
    page.wait_for_url(f"{portal.url}/admin/")
    page.close()
    return context


def sign_in(page: Page, portal: Portal, email: str, password: str) -> None:
    """Fill in the sign-in page and send it."""
    page.goto(f"{portal.url}/admin/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def faults_of(page: Page) -> list[str]:
    """What the policy stopped, what axe found, and whether the page is wider than the window."""
    faults = [f"policy: {violation}" for violation in page.evaluate("window.violations")]
    for violation in Axe().run(page, options=WCAG).response["violations"]:
        faults += [f"{violation['id']}: {node['html'][:200]}" for node in violation["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        faults.append("wider than the window")
    return [f"{page.url}: {fault}" for fault in faults]


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Ask again until it is so. Raises AssertionError after WAIT_S seconds."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {WAIT_S} s: {what}"
        time.sleep(0.1)


def many_records() -> list[dict[str, Any]]:
    """Three pages of one person, and one hostile session with every outcome."""
    usual = [session_record(sessionId="session-usual", action="record.view") for _ in range(120)]
    hostile = {
        "sessionId": "session-hostile",
        "userId": "mallory<script>window.hacked=1</script>",
        "ipAddress": "203.0.113.9",
        "userAgent": "Mozilla/5.0 <img src=x onerror=window.hacked=1>",
        "target": {"type": "guest", "id": "list-77"},
        "metadata": {"note": "for giulia.bianchi@example.com", "hid\u200bden": "<b>bold</b>", "rows": 4218},
        "sensitive": True,
    }
    acts = [("auth.login", "success"), ("record.export", "denied"), ("permission.grant", "failure")]
    return usual + [session_record(**{**hostile, "action": name, "outcome": how}) for name, how in acts]


def furnished(url: str) -> Portal:
    """An organization with an officer, an auditor who may not see who, and a request that cannot be recorded."""
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


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
