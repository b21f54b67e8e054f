"""Liveness, readiness and findings: what the product says of itself."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.findings import note_findings
from sessions_log.commands.organizations import CreateOrganization, SlugTaken, create_organization
from sessions_log.domain.findings import Seen
from sessions_log.domain.portal_action import PORTAL_ORGANIZATION
from sessions_log.models import Finding
from sessions_log.queries.health import Check, checks, findings_now, open_findings
from sessions_log.queries.organizations import organization_by_slug
from sessions_log.queries.session_logs import Search, session_log_page
from tests.conftest import RunAs
from tests.integration.api import SESSION_LOGS, accepted, call, post
from tests.integration.test_portal_records import person, signed_in
from tests.organizations import ACTOR, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


def _ready() -> tuple[int, dict[str, Any]]:
    answer = call("GET", "/healthz/ready")
    return answer.status, answer.json


def test_live_is_answered_to_anybody() -> None:
    answer = call("GET", "/healthz/live")
    assert (answer.status, answer.json) == (200, {"status": "live"})


def test_ready_names_every_check_and_says_it_in_words(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    make_tenant()
    record_all()
    follow_all()
    status, body = _ready()
    assert (status, body["status"]) == (200, "ready")
    assert body["checks"] == {
        "PostgreSQL": {"well": True, "words": "answers"},
        "Partitions": {"well": True, "words": "made ahead"},
        "Recorder": {"well": True, "words": "nothing waits"},
        "Ledger": {"well": True, "words": "every head is signed"},
        "Follower counters": {"well": True, "words": "up to date"},
        "Follower sessions": {"well": True, "words": "up to date"},
        "Valkey": {"well": True, "words": "answers; limits are guarded"},
        "Keyring": {"well": True, "words": "can be read and written"},
    }


@contextmanager
def _without_valkey() -> Iterator[None]:
    """As a process finds it whose Valkey is away."""
    usual = str(settings.CACHES["default"]["LOCATION"])
    try:
        _use_valkey("redis://127.0.0.1:1/0")
        yield
    finally:
        _use_valkey(usual)


def _use_valkey(url: str) -> None:
    settings.CACHES["default"]["LOCATION"] = url
    _ = caches["default"]  # made, where this thread has none yet
    del caches["default"]
    wiring.record_limits.cache_clear()


def test_without_valkey_records_are_taken_and_readiness_says_so(
    record_all: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    tenant = make_tenant(records_per_minute=1)
    record_all()
    with _without_valkey(), caplog.at_level(logging.WARNING, "muniment.limits"):
        assert post(tenant, [session_record(), session_record()]).status == 202
        status, body = _ready()
    assert (status, body["status"]) == (200, "ready")
    assert body["checks"]["Valkey"] == {"well": False, "words": "cannot be reached; limits are off, intake goes on"}
    assert caplog.messages == ["limits are off: Valkey is away (ConnectionError)"]
    assert _ready()[1]["checks"]["Valkey"]["well"]


@contextmanager
def _keyring_at(folder: Path) -> Iterator[None]:
    usual = settings.KEYRING_FOLDER
    try:
        settings.KEYRING_FOLDER = str(folder)
        _forget_keyring()
        yield
    finally:
        settings.KEYRING_FOLDER = usual
        _forget_keyring()


def _forget_keyring() -> None:
    wiring.keyring.cache_clear()
    wiring.ports.cache_clear()


def test_without_its_keyring_nothing_is_ready_taken_or_found(tmp_path: Path, record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    record_all()
    with _keyring_at(tmp_path / "not mounted"):
        status, body = _ready()
        sent = post(tenant, session_record())
        read = call("GET", SESSION_LOGS, tenant, query={"userId": "m.russo"})
    assert (status, body["status"]) == (503, "not ready")
    assert body["checks"]["Keyring"] == {"well": False, "words": "cannot be used"}
    assert (sent.status, read.status) == (503, 503)
    assert sent.json["detail"] == "The records cannot be stored now; none was."
    assert read.json["detail"] == "The keyring is not available now."
    assert all(int(answer.headers["retry-after"]) > 0 for answer in (sent, read))


def test_person_gets_a_page_where_a_program_gets_a_problem(tmp_path: Path) -> None:
    officer = signed_in(person(make_tenant()))
    with _keyring_at(tmp_path / "not mounted"):
        answer = officer.get("/admin/sessions_log/sessionlog/")
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert int(answer["Retry-After"]) > 0
    assert "The keyring is not available." in answer.text


def _check(found: list[Check], name: str) -> Check:
    return next(check for check in found if check.name == name)


def test_records_that_wait_for_a_minute_are_a_lag(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    record_all()
    accepted(tenant, session_record())
    in_time = _check(checks(timezone.now()), "Recorder")
    late = _check(checks(timezone.now() + timedelta(seconds=61)), "Recorder")
    assert (in_time.is_well, late.is_well) == (True, False)
    assert late.words == "1 requests wait, the oldest for 61 s"
    assert "lag" in [seen.kind for seen in findings_now(timezone.now() + timedelta(seconds=61))]
    record_all()
    assert _check(checks(timezone.now() + timedelta(seconds=61)), "Recorder").words == "nothing waits"


def test_missing_partitions_of_tomorrow_are_named() -> None:
    far = timezone.now().replace(year=2099, month=5, day=30)
    partitions = _check(checks(far), "Partitions")
    assert (partitions.is_well, partitions.words) == (False, "missing: sessionlog_2099_05, inbox_2099_05_31")


def test_follower_that_is_behind_is_told_by_batches(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    record_all()
    follow_all()
    accepted(tenant, session_record())
    record_all()
    assert _check(checks(timezone.now()), "Follower counters").words == "1 batches behind"


def _make_product() -> int:
    try:
        return create_organization(
            CreateOrganization(slug=PORTAL_ORGANIZATION, name="Muniment itself", actor=ACTOR), wiring.ports()
        )
    except SlugTaken:
        product = organization_by_slug(PORTAL_ORGANIZATION)
        assert product is not None
        return product.id


def test_finding_is_opened_once_refreshed_and_closed_and_both_ends_are_records(
    run_as: RunAs, record_all: Callable[[], None]
) -> None:
    product_id = _make_product()
    with run_as("worker"):
        for words in ("7 requests wait", "9 requests wait"):
            note_findings([Seen("lag", "of this test", words)], wiring.findings(), wiring.ports())
        (finding,) = (one for one in open_findings() if one.about == "of this test")
        assert (finding.kind, finding.words, finding.closed_at) == ("lag", "9 requests wait", None)
        note_findings([], wiring.findings(), wiring.ports())
        assert [one for one in open_findings() if one.about == "of this test"] == []
    assert Finding.objects.get(id=finding.id).closed_at is not None

    record_all()
    product = organization_by_slug(PORTAL_ORGANIZATION)
    assert product is not None
    opener = wiring.opener(product.uid, with_identities=True)
    rows = session_log_page(Search(organization_id=product_id, target=("finding", "lag")), opener).rows
    told = [(row.action, (row.identity.metadata or {})) for row in rows if row.identity]
    assert [one for one in told if one[1]["about"] == "of this test"] == [
        ("system.finding_closed", {"about": "of this test", "words": "9 requests wait"}),
        ("system.finding", {"about": "of this test", "words": "7 requests wait"}),
    ]
