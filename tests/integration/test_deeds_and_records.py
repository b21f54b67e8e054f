"""A deed and its record are one: both are there, or neither."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from compliance import wiring as compliance
from compliance.commands.people import AddPerson, EmailTaken, GiveRight, NoReason, UnknownRight, add_person, give_right
from compliance.models import Grant, User
from sessions_log import wiring
from sessions_log.adapters.inbox import GroupCommitInbox
from sessions_log.adapters.repositories import TransactionInbox
from sessions_log.commands.organizations import (
    AddService,
    ChangeOrganization,
    CreateOrganization,
    SlugTaken,
    add_service,
    change_organization,
    create_organization,
)
from sessions_log.domain.inbox import InboxRequest
from sessions_log.models import InboxRow, Organization, Service
from sessions_log.ports import InboxUnavailable
from tests.conftest import Servers
from tests.integration.api import SESSION_LOGS, call
from tests.organizations import ACTOR, Tenant, make_tenant, sent_request

pytestmark = pytest.mark.usefixtures("db")
PASSWORD = "correct horse battery staple"  # pragma: allowlist secret


def _is_stored(request: InboxRequest) -> bool:
    return InboxRow.objects.filter(id=uuid.UUID(bytes=request.id)).exists()


def _portal_records(tenant: Tenant, record_all: Callable[[], None]) -> list[dict[str, Any]]:
    record_all()
    rows = call("GET", SESSION_LOGS, tenant, query={"limit": "500"}).json["results"]
    return [row for row in rows if row["service"] == "portal"]


# --- the two inboxes ----------------------------------------------------------------------------------------------


def test_request_put_within_a_transaction_is_stored_with_it() -> None:
    request = sent_request(make_tenant())
    with transaction.atomic():
        TransactionInbox().put(request)
    assert _is_stored(request)


def test_request_put_within_a_transaction_is_gone_with_it() -> None:
    request = sent_request(make_tenant())
    with transaction.atomic():
        TransactionInbox().put(request)
        assert _is_stored(request)
        transaction.set_rollback(True)
    assert not _is_stored(request)


def test_record_of_a_deed_is_refused_outside_of_a_transaction() -> None:
    request = sent_request(make_tenant())
    with pytest.raises(RuntimeError, match="belongs into the deed's transaction"):
        TransactionInbox().put(request)
    assert not _is_stored(request)


def test_requests_of_many_threads_are_all_stored_in_few_commits(servers: Servers) -> None:
    tenant = make_tenant()
    requests = [sent_request(tenant) for _ in range(200)]
    inbox = GroupCommitInbox(lambda: servers.url("web"), wiring.INTAKE_ROLE)
    with ThreadPoolExecutor(50) as threads:
        list(threads.map(inbox.put, requests))
    ids = [uuid.UUID(bytes=request.id) for request in requests]
    assert InboxRow.objects.filter(id__in=ids).count() == 200
    assert InboxRow.objects.filter(id__in=ids).values("xid").distinct().count() < 200


def test_request_that_the_database_does_not_take_is_not_acknowledged_and_the_next_one_is(servers: Servers) -> None:
    tenant = make_tenant()
    inbox = GroupCommitInbox(lambda: servers.url("web"), wiring.INTAKE_ROLE)
    first = sent_request(tenant)
    inbox.put(first)
    with pytest.raises(InboxUnavailable, match="the database does not take it"):
        inbox.put(first)
    after = sent_request(tenant)
    _eventually(lambda: inbox.put(after))
    assert _is_stored(after)


def _eventually(put: Callable[[], None]) -> None:
    """Try again as a client does, while the inbox makes a new connection."""
    deadline = timezone.now() + timedelta(seconds=10)
    while True:
        try:
            return put()
        except InboxUnavailable:
            assert timezone.now() < deadline


# --- organizations and services -----------------------------------------------------------------------------------


def test_organization_comes_with_its_keys_its_portal_service_and_a_record(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    assert len(wiring.keyring().id_key(tenant.organization.uid)) == 32
    names = Service.objects.filter(organization=tenant.organization).values_list("name", flat=True)
    assert sorted(names) == ["orders", "portal"]
    made = [(row["action"], row["target"]["type"], row["metadata"]) for row in _portal_records(tenant, record_all)]
    assert sorted(made, key=str) == [
        ("admin.change", "organization", {"change": "added"}),
        ("admin.change", "service", {"change": "added"}),
        ("admin.change", "service_key", {"change": "issued"}),
    ]


def test_name_that_is_taken_changes_and_records_nothing(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    before = len(_portal_records(tenant, record_all))
    with pytest.raises(SlugTaken):
        create_organization(CreateOrganization(slug=tenant.organization.slug, name="x", actor=ACTOR), wiring.ports())
    with pytest.raises(SlugTaken):
        add_service(AddService(organization_id=tenant.organization.id, name="orders", actor=ACTOR), wiring.ports())
    assert len(_portal_records(tenant, record_all)) == before


def test_change_of_an_organization_is_recorded_with_what_was_before(record_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    change_organization(
        ChangeOrganization(
            organization_id=tenant.organization.id, name="Osteria Due", accepts_back_days=30, actor=ACTOR
        ),
        wiring.ports(),
    )
    newest = _portal_records(tenant, record_all)[0]
    assert newest["metadata"] == {
        "before": {"name": "Trattoria Uno", "acceptsBackDays": 7},
        "after": {"name": "Osteria Due", "acceptsBackDays": 30},
    }
    stored = Organization.objects.get(id=tenant.organization.id)
    assert (stored.name, stored.accepts_back_days) == ("Osteria Due", 30)


# --- people and rights --------------------------------------------------------------------------------------------


def _person(tenant: Tenant, email: str | None = None) -> uuid.UUID:
    return add_person(
        AddPerson(
            email=email or f"{uuid.uuid4().hex}@trattoria.example", password=PASSWORD, name="Ines",
            organization_id=tenant.organization.id, actor=ACTOR,
        ),
        compliance.ports(),
    )  # fmt: skip


def _give(tenant: Tenant, holder: uuid.UUID, right: str = "metadata", **given: Any) -> None:
    command = {"reason": "for the tests", "organization_id": tenant.organization.id, "actor": ACTOR, **given}
    give_right(GiveRight(holder=holder, right=right, **command), compliance.ports())


def _may(holder: uuid.UUID, right: str, tenant: Tenant) -> bool:
    return User.objects.get(id=holder).has_perm(f"sessions_log.{right}", tenant.organization)


def test_right_is_held_on_its_organization_alone() -> None:
    tenant, other = make_tenant(), make_tenant()
    holder = _person(tenant)
    assert not _may(holder, "metadata", tenant)
    _give(tenant, holder)
    assert _may(holder, "metadata", tenant)
    assert not _may(holder, "identities", tenant)
    assert not _may(holder, "metadata", other)


def test_right_ends_at_its_end() -> None:
    tenant = make_tenant()
    holder = _person(tenant)
    _give(tenant, holder, "identities", ends_at=timezone.now() - timedelta(seconds=1))
    _give(tenant, holder, "metadata", ends_at=timezone.now() + timedelta(hours=1))
    assert (_may(holder, "identities", tenant), _may(holder, "metadata", tenant)) == (False, True)


def test_person_who_is_not_active_any_more_has_no_right() -> None:
    tenant = make_tenant()
    holder = _person(tenant)
    _give(tenant, holder)
    User.objects.filter(id=holder).update(is_active=False)
    assert not _may(holder, "metadata", tenant)


def test_right_given_twice_is_one_grant() -> None:
    tenant = make_tenant()
    holder = _person(tenant)
    _give(tenant, holder)
    _give(tenant, holder)
    assert Grant.objects.filter(holder=holder).count() == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [({"right": "everything"}, UnknownRight), ({"reason": "x"}, NoReason), ({"reason": " " * 20}, NoReason)],
)
def test_right_that_there_is_not_or_without_a_reason_is_not_given(
    given: dict[str, str], error: type[Exception]
) -> None:
    tenant = make_tenant()
    holder = _person(tenant)
    with pytest.raises(error):
        _give(tenant, holder, **given)
    assert not Grant.objects.filter(holder=holder).exists()


def test_two_people_cannot_share_an_address_however_it_is_written() -> None:
    tenant, email = make_tenant(), f"{uuid.uuid4().hex}@trattoria.example"
    _person(tenant, email)
    with pytest.raises(EmailTaken):
        _person(tenant, email.upper())


def test_person_and_grant_are_recorded_without_his_address_or_password(record_all: Callable[[], None]) -> None:
    tenant, email = make_tenant(), f"{uuid.uuid4().hex}@trattoria.example"
    holder = _person(tenant, email)
    _give(tenant, holder)
    grant, created = _portal_records(tenant, record_all)[:2]
    assert (created["action"], created["target"]) == ("user.create", {"type": "user", "id": str(holder)})
    assert (grant["action"], grant["metadata"]) == (
        "permission.grant",
        {"right": "metadata", "reason": "for the tests"},
    )
    assert email not in str((grant, created))
    assert PASSWORD not in str((grant, created))
