"""The ledger's pages: what they say before and after a checkpoint, what a download leaves, who may have it."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions_log import wiring
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.models import Checkpoint
from sessions_log.ports import HeadRefused, KeyDestroyed
from sessions_log.queries.ledger import leaf_at
from tests.integration.api import accepted, call
from tests.integration.test_portal_records import looks, person, signed_in
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")

LOGS = "/admin/sessions_log/sessionlog/"
LEDGER = "/admin/sessions_log/checkpoint/"
STATEMENTS = "/admin/sessions_log/statement/"
Publish = Callable[[], None]


@pytest.fixture
def publish(record_all: Callable[[], None], checkpointer: Checkpointer) -> Publish:
    """Record what is sent, and sign."""

    def run() -> None:
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            checkpointer.publish(datetime.now(UTC))

    return run


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def sent(tenant: Tenant, **fields: Any) -> str:
    entry: str = accepted(tenant, session_record(**fields))["receipts"][0]["entryId"]
    return entry


def stated(tenant: Tenant, **details: object) -> UUID:
    command = MakeStatement(
        organization_id=tenant.organization.pk, type="policy", details=details, at=datetime.now(UTC)
    )
    with transaction.atomic():
        return UUID(bytes=make_statement(command, wiring.ports()).id)


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


def test_record_says_that_it_is_not_under_a_checkpoint_yet(tenant: Tenant, record_all: Callable[[], None]) -> None:
    entry = sent(tenant)
    record_all()
    client = signed_in(person(tenant))

    page = client.get(f"{LOGS}{entry}/")

    assert "is not under a checkpoint yet" in text_of(page)
    assert client.get(f"{LOGS}{entry}/proof/").status_code == 404
    assert client.get(f"{LOGS}{entry}/evidence/").status_code == 404


def test_record_under_a_checkpoint_is_checked_and_says_what_that_proves(tenant: Tenant, publish: Publish) -> None:
    entry = sent(tenant)
    publish()

    words = text_of(signed_in(person(tenant)).get(f"{LOGS}{entry}/"))

    assert "checked just now" in words
    assert "has not been changed since it was recorded" in words
    assert "It does not prove that what the service sent is true" in words
    assert "none has signed it" in words


def test_proof_that_is_downloaded_is_the_one_that_is_served(tenant: Tenant, publish: Publish) -> None:
    entry = sent(tenant)
    publish()

    answer = signed_in(person(tenant)).get(f"{LOGS}{entry}/proof/")

    served = call("GET", f"/api/v1/ledgers/{tenant.organization.slug}/proof/{entry}", tenant)
    assert answer.content == served.body
    assert answer["Content-Disposition"].endswith('.tlog-proof"')


def test_evidence_holds_sealed_and_opened_parts_for_those_who_may_see_who(tenant: Tenant, publish: Publish) -> None:
    entry = sent(tenant, metadata={"rows": 7})
    publish()

    told = signed_in(person(tenant)).get(f"{LOGS}{entry}/evidence/").json()
    plain = signed_in(person(tenant, rights=("metadata",))).get(f"{LOGS}{entry}/evidence/").json()

    assert told["entry"] == entry
    assert told["opened"]["1"]["userId"] == "m.russo"
    assert told["opened"]["1"]["metadata"] == {"rows": 7}
    assert "cannot be checked without the key" in told["opened"]["note"]
    assert set(told["parts"]["1"]) == {"holds", "sha256", "sealed"}
    assert set(plain["parts"]["1"]) == {"holds", "sha256"}
    assert "m.russo" not in json.dumps(plain)
    assert told["columns"] == plain["columns"]
    assert told["columns"]["id"] == UUID(entry).hex


@pytest.mark.parametrize(("file", "identities"), [("proof", None), ("evidence", True)])
def test_download_of_a_record_is_a_record(
    tenant: Tenant, publish: Publish, record_all: Callable[[], None], file: str, identities: bool | None
) -> None:
    entry = sent(tenant)
    publish()
    answer = signed_in(person(tenant)).get(f"{LOGS}{entry}/{file}/")

    (look,) = looks(tenant, record_all, "admin.export")

    seq = int(re.findall(r"-(\d+)\.", answer["Content-Disposition"])[0])
    expected = {"file": file, "seq": seq} | ({} if identities is None else {"identities": identities})
    assert look["metadata"] == expected
    assert look["target"] == {"type": "session-log", "id": entry}


def test_statement_is_looked_at_downloaded_and_both_are_recorded(
    tenant: Tenant, publish: Publish, record_all: Callable[[], None]
) -> None:
    own_id = stated(tenant, acceptsBackDays=30)
    publish()
    client = signed_in(person(tenant, rights=("metadata",)))

    listed = text_of(client.get(STATEMENTS))
    words = text_of(client.get(f"{STATEMENTS}{own_id}/"))
    told = client.get(f"{STATEMENTS}{own_id}/evidence/").json()

    assert "Accepts back days 30" in listed
    assert "checked just now" in words
    assert told["statement"]["details"] == {"acceptsBackDays": 30}
    assert (
        leaf_at(tenant.organization.pk, told["seq"])[2:]
        == json.dumps(told["statement"], separators=(",", ":"), sort_keys=True).encode()
    )
    targets = [look["target"] for look in looks(tenant, record_all, "admin.view")]
    assert targets == [{"type": "statement", "id": str(own_id)}, {"type": "page", "id": "statements"}]
    (export,) = looks(tenant, record_all, "admin.export")
    assert export["metadata"] == {"file": "evidence", "seq": told["seq"]}


def test_ledger_page_names_size_head_and_keys(tenant: Tenant, publish: Publish) -> None:
    publish()
    client = signed_in(person(tenant))

    words = text_of(client.get(LEDGER))

    latest = Checkpoint.objects.filter(organization_id=tenant.organization.pk).latest("id")
    keys = call("GET", f"/api/v1/ledgers/{tenant.organization.slug}/keys", tenant).body.decode()
    assert f"of {latest.size} entries" in words
    assert keys.strip() in words
    assert "none configured" in words
    assert "not verified yet" in words
    assert client.get(f"{LEDGER}keys/").content.decode() == keys
    assert client.get(f"{LEDGER}{latest.pk}/note/").content.decode() == latest.note


def test_ledger_page_says_what_the_last_verification_came_to(tenant: Tenant, publish: Publish) -> None:
    publish()
    call_command("verify", "--organization", tenant.organization.slug)

    words = text_of(signed_in(person(tenant)).get(LEDGER))

    size = Checkpoint.objects.filter(organization_id=tenant.organization.pk).latest("id").size
    assert f"{size} entries from 0 on are well" in words
    assert "not verified yet" not in words


def test_growth_that_is_downloaded_is_the_one_that_is_served(tenant: Tenant, publish: Publish) -> None:
    publish()
    first = Checkpoint.objects.filter(organization_id=tenant.organization.pk).latest("id")
    sent(tenant)
    publish()

    answer = signed_in(person(tenant)).get(f"{LEDGER}{first.pk}/growth/")

    served = call("GET", f"/api/v1/ledgers/{tenant.organization.slug}/consistency", tenant, query=f"old={first.size}")
    assert answer.content == served.body


def test_ledgers_of_others_are_not_there(tenant: Tenant, publish: Publish) -> None:
    other = make_tenant()
    entry, own_id = sent(other), stated(other, acceptsBackDays=1)
    publish()
    checkpoint = Checkpoint.objects.filter(organization_id=other.organization.pk).latest("id")
    client, stranger = signed_in(person(tenant)), signed_in(person(tenant, rights=()))

    for path in (
        f"{LOGS}{entry}/proof/", f"{LOGS}{entry}/evidence/", f"{STATEMENTS}{own_id}/", f"{STATEMENTS}{own_id}/proof/",
        f"{STATEMENTS}{own_id}/evidence/", f"{LEDGER}{checkpoint.pk}/", f"{LEDGER}{checkpoint.pk}/note/",
        f"{LEDGER}{checkpoint.pk}/growth/", f"{STATEMENTS}{uuid4()}/", f"{LEDGER}999999999/",
    ):  # fmt: skip
        assert (path, client.get(path).status_code) == (path, 404)
        assert (path, stranger.get(path).status_code) == (path, 403)
    for path in (LEDGER, STATEMENTS, f"{LEDGER}keys/"):
        assert (path, stranger.get(path).status_code) == (path, 403)
    assert Client().get(f"{LOGS}{entry}/evidence/").status_code == 302


def _asked(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_pages_ask_as_much_of_the_database_for_many_as_for_one(tenant: Tenant, publish: Publish) -> None:
    client = signed_in(person(tenant))
    entry, own_id = sent(tenant), stated(tenant, number=0)
    publish()
    paths = (LEDGER, STATEMENTS, f"{LOGS}{entry}/", f"{STATEMENTS}{own_id}/", f"{LOGS}{entry}/evidence/")
    few = [_asked(client, path) for path in paths]
    for number in range(1, 61):
        stated(tenant, number=number)
        if number % 20 == 0:
            publish()

    assert [_asked(client, path) for path in paths] == few == [15, 14, 27, 17, 18]


def test_checkpoints_turn_their_pages(tenant: Tenant, publish: Publish) -> None:
    for number in range(52):
        stated(tenant, number=number)
        publish()
    client = signed_in(person(tenant))

    first = client.get(LEDGER).content.decode()
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    second = client.get(LEDGER + older[1]).content.decode()

    assert [page.count('class="field-entries"') for page in (first, second)] == [50, 2]
    assert ["How to check it yourself" in page for page in (first, second)] == [True, False]
