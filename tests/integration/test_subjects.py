"""Whom a record belongs to: its user, else its session's person, else a provisional one until a user is seen."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from sessions_log.models import Session, Subject, SubjectKey, SubjectLink
from tests.integration.api import accepted, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
Send = Callable[..., None]


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def send(tenant: Tenant, record_all: Callable[[], None]) -> Send:
    """Each call is a request that is recorded before the next one; each record is (id, user, session)."""

    def sent(*records: tuple[str, str | None, str]) -> None:
        accepted(tenant, [_record(*one) for one in records])
        record_all()

    return sent


def _record(own_id: str, user: str | None, session: str) -> dict[str, Any]:
    record = session_record(id=own_id, sessionId=session, userId=user)
    return record if user else {name: value for name, value in record.items() if name != "userId"}


def _subjects(tenant: Tenant) -> dict[str, str]:
    """The subject of each record, by the record's own id."""
    return {one["id"]: one["subject"] for one in found(tenant)}


def _is_provisional(subject: str) -> bool:
    return Subject.objects.get(id=subject).is_provisional


def _links(tenant: Tenant) -> set[tuple[str, str]]:
    links = SubjectLink.objects.filter(organization_id=tenant.organization.id)
    return {(str(one.provisional_id), str(one.subject_id)) for one in links}


def test_user_is_one_subject_in_all_his_sessions(tenant: Tenant, send: Send) -> None:
    send(("a", "m.russo", "s-1"), ("b", "m.russo", "s-2"))
    send(("c", "m.russo", "s-3"))
    subjects = _subjects(tenant)
    assert subjects["a"] == subjects["b"] == subjects["c"]
    assert not _is_provisional(subjects["a"])


def test_two_users_are_two_subjects_with_a_key_each(tenant: Tenant, send: Send) -> None:
    send(("a", "m.russo", "s-1"), ("b", "a.conti", "s-2"))
    subjects = _subjects(tenant)
    assert subjects["a"] != subjects["b"]
    keys = [bytes(SubjectKey.objects.get(subject_id=UUID(subject), part=1).wrapped) for subject in subjects.values()]
    assert [len(key) for key in keys] == [40, 40]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("at_once", [True, False])
def test_record_without_a_user_belongs_to_its_session_s_subject(tenant: Tenant, send: Send, at_once: bool) -> None:
    records = (("a", "m.russo", "s-1"), ("b", None, "s-1"))
    if at_once:
        send(*records)
    else:
        for one in records:
            send(one)
    subjects = _subjects(tenant)
    assert subjects["a"] == subjects["b"]


def test_record_before_its_session_s_user_in_one_request_belongs_to_him_too(tenant: Tenant, send: Send) -> None:
    send(("a", None, "s-1"), ("b", "m.russo", "s-1"))
    subjects = _subjects(tenant)
    assert subjects["a"] == subjects["b"]
    assert _links(tenant) == set()


def test_session_without_a_user_has_a_provisional_subject_of_its_own(tenant: Tenant, send: Send) -> None:
    send(("a", None, "s-1"), ("b", None, "s-1"), ("c", None, "s-2"))
    send(("d", None, "s-1"))
    subjects = _subjects(tenant)
    assert subjects["a"] == subjects["b"] == subjects["d"] != subjects["c"]
    assert _is_provisional(subjects["a"])
    assert _is_provisional(subjects["c"])


def test_provisional_subject_is_linked_when_a_user_appears_and_its_entries_stay(tenant: Tenant, send: Send) -> None:
    send(("a", None, "s-1"))
    send(("b", "m.russo", "s-1"))
    send(("c", None, "s-1"))
    subjects = _subjects(tenant)
    assert subjects["a"] != subjects["b"] == subjects["c"]
    assert _links(tenant) == {(subjects["a"], subjects["b"])}


def test_two_anonymous_sessions_of_one_user_are_linked_each(tenant: Tenant, send: Send) -> None:
    send(("a", None, "s-1"), ("b", None, "s-2"))
    send(("c", "m.russo", "s-1"), ("d", "m.russo", "s-2"))
    subjects = _subjects(tenant)
    assert subjects["c"] == subjects["d"]
    assert _links(tenant) == {(subjects["a"], subjects["c"]), (subjects["b"], subjects["c"])}


def test_session_with_several_users_has_each_entry_with_its_own(tenant: Tenant, send: Send) -> None:
    send(("a", "m.russo", "s-1"), ("b", "a.conti", "s-1"), ("c", None, "s-1"))
    send(("d", "a.conti", "s-1"), ("e", None, "s-1"))
    subjects = _subjects(tenant)
    assert len({subjects["a"], subjects["b"]}) == 2
    assert subjects["b"] == subjects["d"]
    assert subjects["a"] == subjects["c"] == subjects["e"]
    assert {one["id"] for one in found(tenant, userId="a.conti")} == {"b", "d"}
    assert {one["id"] for one in found(tenant, sessionId="s-1")} == {"a", "b", "c", "d", "e"}


def test_second_user_of_a_session_is_not_linked_to_the_provisional_subject(tenant: Tenant, send: Send) -> None:
    send(("a", None, "s-1"))
    send(("b", "m.russo", "s-1"), ("c", "a.conti", "s-1"))
    subjects = _subjects(tenant)
    assert _links(tenant) == {(subjects["a"], subjects["b"])}


def test_session_named_like_a_user_is_not_that_user(tenant: Tenant, send: Send) -> None:
    send(("a", None, "m.russo"), ("b", "m.russo", "s-1"))
    subjects = _subjects(tenant)
    assert subjects["a"] != subjects["b"]


def test_restarted_recorder_knows_what_the_one_before_made(
    tenant: Tenant, send: Send, recorder: Any, record_all: Callable[[], None]
) -> None:
    send(("a", "m.russo", "s-1"), ("b", None, "s-2"))
    recorder.references.clear()
    send(("c", "m.russo", "s-1"), ("d", None, "s-2"), ("e", "a.conti", "s-2"))
    subjects = _subjects(tenant)
    assert subjects["a"] == subjects["c"]
    assert subjects["b"] == subjects["d"]
    assert _links(tenant) == {(subjects["b"], subjects["e"])}


def test_names_and_tokens_lie_nowhere_in_the_clear(tenant: Tenant, send: Send) -> None:
    send(("a", "m.russo-in-the-clear", "token-in-the-clear"))
    subject = Subject.objects.get(id=UUID(_subjects(tenant)["a"]))
    session = Session.objects.get(id=UUID(found(tenant)[0]["session"]))
    for stored in (subject.lookup, subject.sealed, session.lookup, session.sealed):
        assert b"in-the-clear" not in bytes(stored)
