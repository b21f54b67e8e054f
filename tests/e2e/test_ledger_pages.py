"""The ledger's pages in a real browser, and what an auditor downloads there, checked as he checks it."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from playwright.sync_api import Browser, Page, expect

from sessions_log import wiring
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.domain.statements import StatementType
from sessions_log.queries.ledger import latest_checkpoint
from tests.conftest import Servers
from tests.e2e.portal_browser import (
    Portal,
    faults_of,
    furnished,
    many_records,
    running_processes,
    signed_in,
    wait_until,
)

pytestmark = [pytest.mark.slow]

LOGS = "/admin/sessions_log/sessionlog/"
LEDGER = "/admin/sessions_log/checkpoint/"
STATEMENTS = "/admin/sessions_log/statement/"
VERIFIER = "/static/portal/muniment_verify.py"


@pytest.fixture(scope="module")
def portal(
    servers: Servers,
    django_db_setup: None,
    django_db_blocker: pytest.Item,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Portal]:
    """Running, its records and two statements under a checkpoint."""
    with running_processes(servers, tmp_path_factory.mktemp("portal")) as url:
        with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's fixture has no public type
            portal = furnished(url)
            _state(portal, "policy", {"acceptsBackDays": 30})
            _state(portal, "gap", {"missing": [[3, 5], [9, 9]], "session": "0" * 32})
        assert portal.send(many_records()) == 202
        wait_until(lambda: portal.listed(sessionId="session-hostile") == 3, "records are recorded")
        with django_db_blocker.unblock():  # type: ignore[attr-defined]  # as above
            wait_until(lambda: _signed(portal) >= 125, "they are under a checkpoint")
        yield portal


def _state(portal: Portal, of_type: StatementType, details: dict[str, object]) -> None:
    command = MakeStatement(
        organization_id=portal.tenant.organization.pk, type=of_type, details=details, at=datetime.now(UTC)
    )
    with transaction.atomic():
        make_statement(command, wiring.ports())


def _signed(portal: Portal) -> int:
    latest = latest_checkpoint(portal.tenant.organization.pk)
    return latest.size if latest else 0


@pytest.fixture
def kept(officer: Page, portal: Portal, tmp_path: Path) -> Callable[[str], Path]:
    """Clicks on a link and keeps what it gives."""

    def keep(link: str) -> Path:
        with officer.expect_download() as begun:
            officer.get_by_role("link", name=link, exact=True).first.click()
        path = tmp_path / begun.value.suggested_filename
        begun.value.save_as(path)
        return path

    return keep


def checked(verifier: Path, *arguments: object) -> tuple[int, str]:
    """Exit status, and what the downloaded verifier said."""
    command = [sys.executable, "-I", str(verifier), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("theme", "width"), list(itertools.product(("light", "dark"), (1280, 390))))
def test_pages_keep_to_the_policy_and_are_within_reach(
    browser: Browser, portal: Portal, theme: str, width: int
) -> None:
    context = signed_in(browser, portal, portal.officer, color_scheme=theme, viewport={"width": width, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    for path in (LEDGER, STATEMENTS, LOGS):
        page.goto(portal.url + path)
        faults += faults_of(page)
        page.locator(".records tbody a").first.click()
        faults += faults_of(page)
    expect(page.get_by_role("heading", name="Prove this")).to_be_visible()
    context.close()
    assert faults == []


def test_record_is_proven_with_what_is_downloaded(officer: Page, portal: Portal, kept: Callable[[str], Path]) -> None:
    officer.goto(portal.url + LEDGER)
    verifier, keys = kept("verifier"), kept("Keys")
    officer.goto(f"{portal.url}{LOGS}?outcome=denied")
    officer.locator(".records tbody a").first.click()
    expect(officer.get_by_text("checked just now")).to_be_visible()

    evidence = kept("Entry with its proof")
    status, words = checked(verifier, "entry", evidence, "--key", keys)
    assert status == 0, words
    assert '  outcome: "denied"' in words
    assert "sealed parts in the file: 1" in words
    command = str(officer.locator("#check-command").text_content())
    assert command == f"python3 muniment_verify.py entry {evidence.name} --key {keys.name}"

    told = json.loads(evidence.read_text())
    assert told["opened"]["1"]["sessionId"] == "session-hostile"
    told["columns"]["outcome"] = "success"
    evidence.write_text(json.dumps(told))
    assert checked(verifier, "entry", evidence, "--key", keys)[0] == 1


def test_statement_is_read_and_proven(officer: Page, portal: Portal, kept: Callable[[str], Path]) -> None:
    officer.goto(portal.url + LEDGER)
    verifier, keys = kept("verifier"), kept("Keys")
    officer.goto(portal.url + STATEMENTS)
    gap = officer.locator(".records tbody tr").filter(has_text="Gap")
    expect(gap).to_have_count(1)
    gap.locator("a").click()
    expect(officer.locator(".pairs-wide")).to_contain_text("3 to 5")
    expect(officer.locator(".pairs-wide")).to_contain_text("00000000-0000-0000-0000-000000000000")

    status, words = checked(verifier, "entry", kept("Entry with its proof"), "--key", keys)
    assert status == 0, words
    assert '"missing": [[3, 5], [9, 9]]' in words


def test_checkpoint_that_was_kept_is_the_beginning_of_the_latest(
    officer: Page, portal: Portal, kept: Callable[[str], Path]
) -> None:
    officer.goto(portal.url + LEDGER)
    verifier, keys = kept("verifier"), kept("Keys")
    first = kept("Latest checkpoint")
    size = int(first.read_text().split("\n")[1])
    assert portal.send(many_records()[:1]) == 202

    def has_grown() -> bool:
        officer.goto(portal.url + LEDGER)
        return f"{size:,}" not in str(officer.locator(".records tbody tr").first.text_content())

    wait_until(has_grown, "a later checkpoint is signed")
    officer.locator(".records tbody tr").filter(has_text=f"{size:,}").first.locator("a").click()
    growth = officer.get_by_role("link", name="Proof of growth to")
    status, words = checked(verifier, "growth", first, kept(str(growth.inner_text())), "--key", keys)
    assert status == 0, words


def test_auditor_gets_the_record_without_what_is_sealed(browser: Browser, portal: Portal, tmp_path: Path) -> None:
    context = signed_in(browser, portal, portal.auditor)
    page = context.new_page()
    page.goto(f"{portal.url}{LOGS}?outcome=denied")
    page.locator(".records tbody a").first.click()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Entry with its proof").click()
    begun.value.save_as(tmp_path / "evidence.json")
    context.close()
    told = json.loads((tmp_path / "evidence.json").read_text())
    assert "opened" not in told
    assert set(told["parts"]["1"]) == {"holds", "sha256"}
