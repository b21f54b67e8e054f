"""What the portal's pages leave behind, and how much they ask of the database."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import wiring as compliance
from compliance.commands.people import AddPerson, GiveRight, add_person, give_right
from compliance.models import User
from sessions_log import wiring
from sessions_log.adapters.quarantine import QuarantineRepository
from sessions_log.commands.organizations import CreateOrganization, SlugTaken, create_organization
from sessions_log.commands.quarantine import NotRetryable, RetryRequest, retry_request
from sessions_log.commands.service_keys import IssueKey, issue_key
from sessions_log.domain import inbox
from sessions_log.models import QuarantinedRequest
from sessions_log.queries.organizations import organization_by_slug
from sessions_log.queries.session_logs import Search, SessionLogRow, session_log_page
from sessions_log.templatetags.portal import DASH
from tests.conftest import RunAs
from tests.integration.api import accepted, found
from tests.integration.conftest import GRACE, State
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")

LOGS = "/admin/sessions_log/sessionlog/"
KEYS = "/admin/sessions_log/servicekey/"
PASSWORD = "correct horse battery staple"  # pragma: allowlist secret
RIGHTS = ("metadata", "identities", "access")


def person(tenant: Tenant, *, rights: tuple[str, ...] = RIGHTS) -> User:
    """Somebody with these rights on the tenant."""
    ports, organization_id = compliance.ports(), tenant.organization.pk
    email = f"{uuid.uuid4().hex}@example.com"
    add = AddPerson(email=email, password=PASSWORD, name="Ines", organization_id=organization_id, actor=ACTOR)
    holder = add_person(add, ports)
    for right in rights:
        give_right(
            GiveRight(
                holder=holder,
                right=right,
                organization_id=organization_id,
                reason="for the tests",
                actor=ACTOR,
            ),
            ports,
        )
    return User.objects.get(pk=holder)


def signed_in(user: User) -> Client:
    """A browser in which this person has signed in."""
    client = Client()
    client.force_login(user)
    return client


def looks(tenant: Tenant, record_all: Callable[[], None], action: str) -> list[dict[str, object]]:
    """What was recorded of looking, newest first."""
    record_all()
    answer = Client().get("/api/v1/session-logs", headers=tenant.headers)
    return [one for one in json.loads(answer.content)["results"] if one["action"] == action]


def test_look_at_the_list_is_a_record_with_what_was_asked(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    user = person(tenant)

    assert signed_in(user).get(LOGS, {"outcome": "denied"}).status_code == 200

    (look,) = looks(tenant, record_all, "admin.view")
    assert look["userId"] == user.email
    assert look["metadata"] == {"asked": {"outcome": "denied"}, "rows": 0}


def test_search_is_a_record_with_what_was_found_and_never_the_value(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    accepted(tenant, session_record())
    record_all()
    subject = found(tenant)[0]["subject"]
    officer = signed_in(person(tenant))

    for value in ("m.russo", "nobody.known"):
        officer.post(f"{LOGS}search/", {"q": value})

    told = looks(tenant, record_all, "admin.search")
    assert [look["metadata"] for look in told] == [{"found": []}, {"found": [f"subject:{subject}"]}]
    assert "nobody.known" not in str(told)


def test_look_at_a_record_names_it(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    entry = accepted(tenant, session_record())["receipts"][0]["entryId"]
    record_all()

    assert signed_in(person(tenant)).get(f"{LOGS}{entry}/").status_code == 200

    (look,) = looks(tenant, record_all, "admin.view")
    assert look["target"] == {"type": "session-log", "id": entry}


def test_session_key_of_a_person_stands_in_no_record(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    client = signed_in(person(tenant))
    client.get(LOGS)
    key = str(client.session.session_key)

    (look,) = looks(tenant, record_all, "admin.view")
    assert key not in json.dumps(look)
    assert look["sessionId"] == f"portal-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def product_records(user: User, record_all: Callable[[], None]) -> list[SessionLogRow]:
    """What the product itself recorded of this person, newest first."""
    record_all()
    product = organization_by_slug("portal")
    assert product is not None
    opener = wiring.opener(product.uid, with_identities=True)
    return session_log_page(Search(organization_id=product.pk, user=user.email), opener).rows


def test_signing_in_failing_and_out_are_records_of_the_product(record_all: Callable[[], None]) -> None:
    _make_product()
    tenant = make_tenant()
    user = person(tenant)
    client = Client()
    client.post("/admin/login/", {"username": user.email, "password": "wrong"})  # pragma: allowlist secret
    client.post("/admin/login/", {"username": user.email, "password": PASSWORD})
    client.post("/admin/logout/")

    rows = product_records(user, record_all)
    assert [row.action for row in rows] == ["admin.sign_out", "admin.sign_in", "admin.sign_in_failed"]
    assert [row.outcome_name for row in rows] == ["success", "success", "failure"]


def test_change_of_the_password_is_a_record_without_it(record_all: Callable[[], None]) -> None:
    _make_product()
    user = person(make_tenant())
    client = signed_in(user)
    changed = "another correct horse"  # pragma: allowlist secret
    wrong = {"old_password": PASSWORD, "new_password1": changed, "new_password2": "x"}

    assert client.post("/admin/password_change/", wrong).status_code == 200
    assert product_records(user, record_all) == []

    assert client.post("/admin/password_change/", wrong | {"new_password2": changed}).status_code == 302
    (row,) = product_records(user, record_all)
    assert (row.action, row.identity and row.identity.user) == ("auth.password_change", user.email)
    assert changed not in str(row)
    user.refresh_from_db()
    assert user.check_password(changed)


def test_list_asks_as_much_of_the_database_for_many_records_as_for_one(
    record_all: Callable[[], None],
) -> None:
    tenant = make_tenant()
    client = signed_in(person(tenant))
    accepted(tenant, session_record())
    record_all()
    counts = []
    for records in (1, 60):
        accepted(tenant, [session_record(userId=f"user-{index}") for index in range(records)])
        record_all()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LOGS).status_code == 200
        counts.append(len(queries))
        of_entries = [query["sql"] for query in queries if "sessions_log_sessionlog" in query["sql"]]
        assert not re.findall(r"count\(|offset|distinct", " ".join(of_entries), re.IGNORECASE)

    assert counts[0] == counts[1] <= 22


def test_person_without_right_sees_no_record_of_another_organization(record_all: Callable[[], None]) -> None:
    theirs, own = make_tenant(), make_tenant()
    entry = accepted(theirs, session_record())["receipts"][0]["entryId"]
    record_all()
    client = signed_in(person(own))

    assert client.get(f"{LOGS}{entry}/").status_code == 404
    client.post("/admin/organization/", {"organization": theirs.organization.slug})
    assert client.get(f"{LOGS}{entry}/").status_code == 404
    assert theirs.organization.slug not in client.get("/admin/sessions_log/organization/").content.decode()


def test_search_without_the_right_to_identities_is_refused() -> None:
    tenant = make_tenant()

    answer = signed_in(person(tenant, rights=("metadata",))).post(f"{LOGS}search/", {"q": "m.russo"})

    assert answer.status_code == 403


def test_person_without_any_right_is_told_so() -> None:
    user = person(make_tenant(), rights=())

    assert "No organization yet" in signed_in(user).get("/admin/").content.decode()
    assert signed_in(user).get(LOGS).status_code == 403


def test_session_log_can_neither_be_added_changed_nor_deleted() -> None:
    client = signed_in(person(make_tenant()))

    for way in ("add/", f"{uuid.uuid4()}/change/", f"{uuid.uuid4()}/delete/", f"{uuid.uuid4()}/history/"):
        assert client.get(LOGS + way).status_code in (302, 404), way
    assert client.post(LOGS, {"action": "delete_selected", "index": "0"}).status_code == 200


def test_quarantined_request_is_recorded_after_a_retry(record_all: Callable[[], None], run_as: RunAs) -> None:
    tenant = make_tenant()
    accepted(tenant, session_record(id="mine"))
    request_id = _set_aside(tenant, run_as)

    retry_request(RetryRequest(request_id=request_id, actor=ACTOR), QuarantineRepository(), wiring.ports())
    record_all()

    assert [one["id"] for one in found(tenant)] == ["mine"]
    with pytest.raises(NotRetryable):
        retry_request(RetryRequest(request_id=request_id, actor=ACTOR), QuarantineRepository(), wiring.ports())


def _set_aside(tenant: Tenant, run_as: RunAs) -> uuid.UUID:
    """Put what lies in the inbox into quarantine too, as the recorder does with what it cannot read."""
    request_id = uuid.UUID(bytes=inbox.new_request_id(datetime.now(UTC)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, entry_ids, sealed FROM sessions_log_inbox WHERE service_id = %s", [tenant.service_id]
        )
        old_id, entry_ids, sealed = cursor.fetchone()
    uid = tenant.organization.uid
    key = wiring.keyring().inbox_key(inbox.day_of(request_id.bytes))
    body = inbox.open_body(bytes(sealed), key, request_id=old_id.bytes, organization=uid)
    with run_as("recorder"):
        QuarantinedRequest.objects.create(
            id=request_id,
            organization_id=tenant.organization.pk,
            service_id=tenant.service_id,
            shard=0,
            kind=1,
            reason="a kind of record that this version does not know",
            entry_ids=bytes(entry_ids),
            sealed=inbox.seal_body(body, key, request_id=request_id.bytes, organization=uid),
        )
    return request_id


def _make_product() -> None:
    try:
        create_organization(CreateOrganization(slug="portal", name="Muniment itself", actor=ACTOR), wiring.ports())
    except SlugTaken:
        return


def test_list_of_keys_turns_its_pages_both_ways() -> None:
    tenant = make_tenant()
    ports = wiring.ports()
    for _ in range(59):
        issue_key(IssueKey(service_id=tenant.service_id, scopes=("ingest",), actor=ACTOR), ports)
    client = signed_in(person(tenant))

    first = client.get(KEYS)
    second = client.get(KEYS + _link(first, "next"))
    back = client.get(KEYS + _link(second, "prev"))

    assert [len(_keys_of(page)) for page in (first, second, back)] == [50, 10, 50]
    assert not set(_keys_of(first)) & set(_keys_of(second))
    assert _keys_of(back) == _keys_of(first)


@pytest.mark.parametrize("cursor", ["older:", "older:x~y", "sideways:1~2", "older:2026-11-23~not-an-id", "\x00"])
def test_cursor_that_cannot_be_read_gives_the_first_page(cursor: str) -> None:
    tenant = make_tenant()

    answer = signed_in(person(tenant)).get(KEYS, {"cursor": cursor})

    assert answer.status_code == 200
    assert len(_keys_of(answer)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"found": "subject:x"},
        {"found": "x"},
        {"before": "x"},
        {"after": "\x00"},
        {"period": "1y", "sensitive": "maybe", "outcome": "9"},
        {"start": "9999-12-31 23:59:59"},
        {"end": "0001-01-01"},
        {"action": "\x00"},
        {"service": "x" * 70},
        {"unknown": "1"},
    ],
)
def test_address_that_makes_no_sense_is_no_fault_of_ours(query: dict[str, str]) -> None:
    answer = signed_in(person(make_tenant())).get(LOGS, query)

    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["a" * 5_000, "\x00", "/", ":", "a/" * 50])
def test_search_for_any_text_is_answered(value: str) -> None:
    answer = signed_in(person(make_tenant())).post(f"{LOGS}search/", {"q": value})

    assert answer.status_code in (200, 302)


def test_list_of_sessions_shows_which_numbers_are_missing(
    record_all: Callable[[], None], follow_all: Callable[[], None], state: State
) -> None:
    tenant = make_tenant()
    with_gap, without = ([session_record(sessionId=f"s-{last}", sequence=at) for at in (3, last)] for last in (7, 4))
    accepted(tenant, with_gap + without)
    record_all()
    state(datetime.now(UTC) + GRACE)
    follow_all()

    page = signed_in(person(tenant)).get("/admin/sessions_log/sessionsummary/").content.decode()

    cells = re.findall(r'class="field-missing">(.*?)</td>', page)
    assert sorted(re.sub("<.*?>", "", cell) for cell in cells) == ["4 to 6", DASH, DASH]


def _keys_of(page: Any) -> list[str]:
    return re.findall(r'<span class="id">(mun_[a-z2-7]{12})_', page.content.decode())


def _link(page: Any, rel: str) -> str:
    found_link = re.search(rf'href="([^"]+)" rel="{rel}"', page.content.decode())
    assert found_link is not None
    return unescape(found_link[1])
