"""Erasing a person: what goes, what stays, who must have asked, and that the ledger stays whole."""

import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from compliance import wiring as people
from compliance.commands.people import AddPerson, GiveRight, add_person, give_right
from compliance.queries import person_of
from sessions_log.adapters import persons
from sessions_log.commands import erasing
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.domain.statements import details_of
from sessions_log.models import (
    Address,
    Session,
    SessionSummary,
    Statement,
    Subject,
    SubjectKey,
    SubjectLink,
    Target,
    Tombstone,
)
from sessions_log.models.read_models import FOLLOWER_LOCK
from tests.conftest import RunAs, Servers
from tests.integration.api import SESSION_LOGS, accepted, call, found
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
Erase = Callable[..., str]


@pytest.fixture
def tenant(db: None) -> Tenant:
    return make_tenant()


@pytest.fixture
def holders(tenant: Tenant) -> tuple[str, str]:
    """Two people with the right `privacy`."""
    return _person(tenant, "privacy"), _person(tenant, "privacy")


@pytest.fixture
def erase(tenant: Tenant, holders: tuple[str, str], run_as: RunAs) -> Erase:
    """Run the command in its role."""

    def run(user: str, **options: str) -> str:
        out = io.StringIO()
        given = {"requested-by": holders[0], "approved-by": holders[1], "ground": "GDPR-17-1-b", **options}
        arguments = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
        with run_as("retention"):
            call_command("erase", "--organization", tenant.organization.slug, "--user", user, *arguments, stdout=out)
        return out.getvalue()

    return run


def _person(tenant: Tenant, *rights: str, ends_at: datetime | None = None) -> str:
    email = f"{uuid.uuid4().hex[:10]}@muniment.example"
    person = add_person(
        AddPerson(
            email=email,
            password=uuid.uuid4().hex,
            name="An Officer",
            organization_id=tenant.organization.id,
            actor=ACTOR,
        ),
        people.ports(),
    )
    for right in rights:
        give_right(
            GiveRight(
                holder=person, right=right, organization_id=tenant.organization.id, reason="for the tests of erasure",
                actor=ACTOR, ends_at=ends_at,
            ),
            people.ports(),
        )  # fmt: skip
    return email


def _of(user: str | None, session: str, **fields: Any) -> dict[str, Any]:
    return session_record(userId=user, sessionId=session, **fields)


@pytest.fixture
def recorded(tenant: Tenant, record_all: Callable[[], None], follow_all: Callable[[], None]) -> None:
    """Jane alone in a session, Jane before she signed in, Jane and Tom in one session and at one address."""
    order = {"type": "order", "id": "7"}
    accepted(tenant, [_of(None, "s-jane", id="before sign-in", ipAddress="192.0.2.1")])
    record_all()
    accepted(
        tenant,
        [
            _of("jane", "s-jane", id="jane alone", ipAddress="192.0.2.1", target={"type": "note", "id": "of-jane"}),
            _of("jane", "s-both", id="jane with tom", ipAddress="192.0.2.9", target=order),
            _of("tom", "s-both", id="tom with jane", ipAddress="192.0.2.9", target=order),
        ],
    )
    record_all()
    follow_all()


def _count(table: Any, tenant: Tenant) -> int:
    return int(table.objects.filter(organization_id=tenant.organization.id).count())


@pytest.mark.usefixtures("recorded")
def test_nothing_leads_to_the_person_any_more(tenant: Tenant, erase: Erase) -> None:
    subject = UUID(found(tenant, userId="jane")[0]["subject"])
    said = erase("jane")
    assert "erased: 2 subject(s) with the key of 3 entries, 1 session(s), 1 address(es), 1 target(s)" in said
    for search in ({"userId": "jane"}, {"sessionId": "s-jane"}, {"ipAddress": "192.0.2.1"}, {"target": "note:of-jane"}):
        assert found(tenant, **search) == []
    assert not Subject.objects.filter(id=subject).exists()
    assert not SubjectKey.objects.filter(subject_id=subject).exists()
    assert not SubjectLink.objects.filter(organization_id=tenant.organization.id).exists()
    assert _count(Tombstone, tenant) == 2


@pytest.mark.usefixtures("recorded")
def test_entries_stay_and_say_nothing_of_the_person(tenant: Tenant, erase: Erase) -> None:
    before = {one["entryId"]: one for one in found(tenant)}
    erase("jane")
    after = {one["entryId"]: one for one in found(tenant)}
    assert after.keys() >= before.keys()
    for entry, was in before.items():
        is_of_jane = was["id"] in ("before sign-in", "jane alone", "jane with tom")
        personal = [after[entry][name] for name in ("userId", "sessionId", "ipAddress", "userAgent", "target")]
        assert (personal == [None] * 5) is is_of_jane
        assert (after[entry]["action"], after[entry]["seq"]) == (was["action"], was["seq"])


@pytest.mark.usefixtures("recorded")
def test_what_others_entries_name_stays(tenant: Tenant, erase: Erase) -> None:
    erase("jane")
    (of_tom,) = found(tenant, userId="tom")
    assert (of_tom["sessionId"], of_tom["ipAddress"], of_tom["target"]) == (
        "s-both", "192.0.2.9", {"type": "order", "id": "7"},
    )  # fmt: skip
    assert found(tenant, ipAddress="192.0.2.9") != []
    assert {one["id"] for one in found(tenant, sessionId="s-both")} >= {"tom with jane"}
    assert _count(Target, tenant) >= 1
    assert _count(Address, tenant) >= 1


@pytest.mark.usefixtures("recorded")
def test_inventory_loses_his_sessions_and_does_not_find_them_again(
    tenant: Tenant, erase: Erase, run_as: RunAs, follow_all: Callable[[], None]
) -> None:
    ids = {one["session"] for one in found(tenant, sessionId="s-jane")}
    assert {str(one.id) for one in SessionSummary.objects.filter(id__in=ids)} == ids
    erase("jane")
    assert not SessionSummary.objects.filter(id__in=ids).exists()
    with run_as("follower"):
        call_command("rebuild_read_model", "sessions")
    assert not SessionSummary.objects.filter(id__in=ids).exists()


@pytest.mark.usefixtures("recorded")
def test_statement_says_who_asked_who_approved_and_under_which_law(
    tenant: Tenant, erase: Erase, holders: tuple[str, str], record_all: Callable[[], None]
) -> None:
    erase("jane")
    record_all()
    statement = Statement.objects.get(organization_id=tenant.organization.id, type="erasure")
    stated = details_of(bytes(statement.body))
    tombstones = Tombstone.objects.filter(organization_id=tenant.organization.id)
    assert {one.statement_id for one in tombstones} == {statement.id}
    assert {UUID(one) for one in stated.pop("subjects")} == {one.id for one in tombstones}
    assert [UUID(stated.pop(name)) for name in ("requestedBy", "approvedBy")] == [_id_of(email) for email in holders]
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert stated == {
        "console": True, "entries": 3, "epoch": 1, "inboxUntil": until, "law": "GDPR-17-1-b", "parts": ["identity"],
    }  # fmt: skip


def _id_of(email: str) -> UUID | None:
    return person_of(email)


@pytest.mark.usefixtures("recorded")
def test_ledger_stays_whole(
    tenant: Tenant, erase: Erase, record_all: Callable[[], None], checkpointer: Checkpointer
) -> None:
    erase("jane")
    record_all()
    checkpointer.publish(datetime.now(UTC))
    call_command("verify", "--organization", tenant.organization.slug)


@pytest.mark.usefixtures("recorded")
def test_later_records_of_the_same_user_are_of_a_new_subject(
    tenant: Tenant, erase: Erase, record_all: Callable[[], None]
) -> None:
    before = {one["subject"] for one in found(tenant, userId="jane")}
    erase("jane")
    accepted(tenant, [_of("jane", "s-jane", id="later"), _of(None, "s-jane", id="later, unnamed")])
    record_all()
    later = found(tenant, userId="jane")
    assert {one["id"] for one in later} == {"later", "later, unnamed"}
    (subject,) = {one["subject"] for one in later}
    assert subject not in before
    assert {one["subject"] for one in found(tenant, sessionId="s-jane")} == {subject}


@pytest.mark.usefixtures("recorded")
def test_record_that_was_erased_and_comes_again_is_a_duplicate(
    tenant: Tenant, erase: Erase, record_all: Callable[[], None]
) -> None:
    record = _of("kim", "s-kim", id="once")
    accepted(tenant, [record])
    record_all()
    erase("kim")
    accepted(tenant, [record])
    record_all()
    assert found(tenant, userId="kim") == []


@pytest.mark.usefixtures("recorded")
def test_nobody_else_is_found_under_a_user_who_is_not_known(erase: Erase) -> None:
    with pytest.raises(CommandError, match="knows no such user"):
        erase("janet")


@pytest.mark.usefixtures("recorded")
def test_erasure_needs_two_people_who_hold_the_right(tenant: Tenant, erase: Erase, holders: tuple[str, str]) -> None:
    ended = _person(tenant, "privacy", ends_at=datetime.now(UTC) - timedelta(minutes=1))
    for options in (
        {"approved_by": holders[0]},
        {"approved_by": _person(tenant, "metadata", "access")},
        {"approved_by": _person(make_tenant(), "privacy")},
        {"requested_by": ended},
        {"requested_by": "nobody@muniment.example"},
    ):
        with pytest.raises(CommandError, match=r"another person|holds the right privacy"):
            erase("jane", **options)
    assert len(found(tenant, userId="jane")) == 2
    assert _count(Tombstone, tenant) == 0


@pytest.mark.usefixtures("recorded")
def test_console_may_be_kept_from_approving(tenant: Tenant, erase: Erase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "IS_CONSOLE_APPROVAL", False)
    with pytest.raises(CommandError, match="MUNIMENT_CONSOLE_APPROVAL"):
        erase("jane")
    assert len(found(tenant, userId="jane")) == 2


@pytest.mark.usefixtures("recorded")
def test_erasure_is_recorded_without_the_person_s_name(
    tenant: Tenant, erase: Erase, record_all: Callable[[], None]
) -> None:
    erase("jane")
    record_all()
    own = call("GET", SESSION_LOGS, tenant).json["results"]
    (deed,) = (one for one in own if one["targetType"] == "subject")
    assert "jane" not in str(deed)
    assert deed["metadata"]["law"] == "GDPR-17-1-b"


def test_session_of_an_erased_person_is_gone(tenant: Tenant, erase: Erase, record_all: Callable[[], None]) -> None:
    accepted(tenant, [_of("jane", "s-1")])
    record_all()
    erase("jane")
    assert (
        not Session.objects.filter(organization_id=tenant.organization.id, subject__isnull=False)
        .exclude(subject__in=Subject.objects.all())
        .exists()
    )
    assert found(tenant, sessionId="s-1") == []


@pytest.mark.usefixtures("recorded")
def test_erased_person_is_accounted_for_where_everything_is_opened(
    tenant: Tenant, erase: Erase, record_all: Callable[[], None], checkpointer: Checkpointer
) -> None:
    """While the statement waits for its place, and when it has one."""
    erase("jane")
    waiting = _opened(tenant)
    record_all()
    checkpointer.publish(datetime.now(UTC))
    in_place = _opened(tenant)
    assert (waiting["erased"], in_place["erased"]) == (3, 3)
    assert waiting["faults"] == in_place["faults"] == 0


def _opened(tenant: Tenant) -> Any:
    out = io.StringIO()
    call_command("verify", "--organization", tenant.organization.slug, "--open", stdout=out)
    return json.loads(out.getvalue())


def test_person_of_many_sessions_is_accounted_for_by_several_statements(
    tenant: Tenant, erase: Erase, record_all: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "SUBJECTS_OF_A_STATEMENT", 2)
    for at in range(4):  # each was begun by somebody who was not known yet
        accepted(tenant, [_of(None, f"s-{at}")])
        record_all()
        accepted(tenant, [_of("jane", f"s-{at}")])
        record_all()
    assert erase("jane").count("statement: ") == 3
    record_all()
    bodies = Statement.objects.filter(organization_id=tenant.organization.id, type="erasure").values_list(
        "body", flat=True
    )
    assert [len(details_of(bytes(body))["subjects"]) for body in bodies.order_by("seq")] == [2, 2, 1]
    call_command("verify", "--organization", tenant.organization.slug, "--open")


def test_erasure_does_not_wait_for_a_read_model_while_recording_waits_for_it(
    tenant: Tenant, erase: Erase, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persons, "LONGEST_WAIT", "100ms")
    with psycopg.connect(servers.url("follower")) as rebuilding:
        rebuilding.execute("SELECT pg_advisory_xact_lock(%s, hashtext('sessions'))", (FOLLOWER_LOCK,))
        with pytest.raises(CommandError, match="try again"):
            erase("jane")
