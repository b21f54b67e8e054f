"""What a superuser changes behind the product's back is noticed, or opens nothing."""

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sessions_log.models import QuarantinedRequest
from tests.integration.api import accepted, call, found
from tests.organizations import Tenant, make_tenant, session_record
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def superuser(connect: Connect) -> psycopg.Connection[Any]:
    return connect("superuser")


def _change_entries(superuser: psycopg.Connection[Any], statement: str, *values: Any) -> None:
    """As somebody who has found the guards and taken them down."""
    partitions = superuser.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sessions_log_sessionlog'::regclass"
    ).fetchall()
    tables = ["sessions_log_sessionlog", *(name for (name,) in partitions)]
    with superuser.transaction():
        for table in tables:
            superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER evidence")
        superuser.execute(statement, values)
        for table in tables:
            superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER evidence")


@pytest.mark.parametrize(
    "sealed",
    [
        "substr(sealed, 1, length(sealed) - 1)",
        "set_byte(sealed, 20, 255 - get_byte(sealed, 20))",
        "''",
        "decode('00', 'hex')",
    ],
    ids=["cut short", "one byte", "empty", "a byte"],
)
def test_tampered_inbox_row_is_set_aside_and_the_rest_recorded(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None], sealed: str
) -> None:
    tenant = make_tenant()
    answers = [accepted(tenant, session_record()) for _ in range(3)]
    superuser.execute(f"UPDATE sessions_log_inbox SET sealed = {sealed} WHERE id = %s", (answers[1]["requestId"],))
    record_all()
    states = [call("GET", f"/api/v1/receipts/{one['receipts'][0]['entryId']}", tenant).json["state"] for one in answers]
    assert states == ["recorded", "quarantined", "recorded"]
    reason = QuarantinedRequest.objects.get(id=answers[1]["requestId"]).reason
    assert reason == "it does not open under the inbox key of its day"


def test_inbox_row_given_to_another_organization_is_set_aside(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    own, other = make_tenant(), make_tenant()
    answer = accepted(own, session_record())
    superuser.execute(
        "UPDATE sessions_log_inbox SET organization_id = %s, service_id = %s WHERE id = %s",
        (other.organization.id, other.service_id, answer["requestId"]),
    )
    record_all()
    assert found(other) == []
    assert QuarantinedRequest.objects.get(id=answer["requestId"]).organization_id == other.organization.id


def _entries(tenant: Tenant, record_all: Callable[[], None], *users: str) -> list[UUID]:
    answer = accepted(tenant, [session_record(userId=user, sessionId=f"of {user}") for user in users])
    record_all()
    return [UUID(one["entryId"]) for one in answer["receipts"]]


def test_sealed_part_moved_to_another_entry_does_not_open_there(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    first, second = _entries(tenant, record_all, "m.russo", "m.russo")
    _change_entries(
        superuser,
        "UPDATE sessions_log_sessionlog SET identity = (SELECT identity FROM sessions_log_sessionlog WHERE id = %s) WHERE id = %s",
        first, second,
    )  # fmt: skip
    users = {one["entryId"]: one["userId"] for one in found(tenant)}
    assert users == {str(first): "m.russo", str(second): None}


def test_entry_given_to_another_subject_does_not_open_for_him(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    first, second = _entries(tenant, record_all, "m.russo", "a.conti")
    _change_entries(
        superuser,
        "UPDATE sessions_log_sessionlog SET subject_id = (SELECT subject_id FROM sessions_log_sessionlog WHERE id = %s) WHERE id = %s",
        first, second,
    )  # fmt: skip
    assert {one["userId"] for one in found(tenant)} == {"m.russo", None}


@pytest.mark.parametrize(
    "identity", ["NULL", "''", "substr(identity, 1, 5)", "set_byte(identity, 30, 255 - get_byte(identity, 30))"]
)
def test_sealed_part_that_was_changed_or_taken_away_leaves_the_list_readable(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None], identity: str
) -> None:
    tenant = make_tenant()
    kept, changed = _entries(tenant, record_all, "m.russo", "a.conti")
    _change_entries(superuser, f"UPDATE sessions_log_sessionlog SET identity = {identity} WHERE id = %s", changed)
    rows = {one["entryId"]: one for one in found(tenant)}
    assert rows[str(kept)]["userId"] == "m.russo"
    assert rows[str(changed)]["userId"] is None
    assert rows[str(changed)]["action"] == "record.view"


def test_retry_of_a_record_whose_part_cannot_be_opened_any_more_is_a_duplicate(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    tenant, record = make_tenant(), session_record()
    entry_id = accepted(tenant, record)["receipts"][0]["entryId"]
    record_all()
    _change_entries(superuser, "UPDATE sessions_log_sessionlog SET identity = NULL WHERE id = %s", entry_id)
    answer = accepted(tenant, record)
    record_all()
    assert call("GET", answer["receipt"], tenant).json["duplicates"] == 1


def test_subject_s_key_swapped_for_another_s_opens_nothing(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _entries(tenant, record_all, "m.russo", "a.conti")
    one, other = (found(tenant, userId=user)[0]["subject"] for user in ("m.russo", "a.conti"))
    superuser.execute(
        "UPDATE sessions_log_subjectkey SET wrapped = (SELECT wrapped FROM sessions_log_subjectkey WHERE subject_id = %s)"
        " WHERE subject_id = %s",
        (one, other),
    )
    assert {row["userId"] for row in found(tenant)} == {"m.russo", None}


def test_record_of_a_subject_whose_key_was_changed_is_set_aside_and_the_rest_recorded(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _entries(tenant, record_all, "m.russo", "a.conti")
    subject = found(tenant, userId="a.conti")[0]["subject"]
    superuser.execute("UPDATE sessions_log_subjectkey SET wrapped = %s WHERE subject_id = %s", (bytes(40), subject))
    superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recorder'")
    answers = [
        accepted(tenant, session_record(userId=user, sessionId=f"of {user}"))
        for user in ("m.russo", "a.conti", "l.bruno")
    ]
    with contextlib.suppress(psycopg.OperationalError):  # it finds its connection gone, and forgets what it knew
        record_all()
    record_all()
    outcomes = [call("GET", answer["receipt"], tenant).json for answer in answers]
    assert [(one["recorded"], one["quarantined"]) for one in outcomes] == [(1, 0), (0, 1), (1, 0)]
    assert QuarantinedRequest.objects.get(id=answers[1]["requestId"]).reason == "the key of a subject does not open"


def test_wrapped_key_that_was_changed_leaves_the_others_readable(
    superuser: psycopg.Connection[Any], record_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _entries(tenant, record_all, "m.russo", "a.conti")
    subject = found(tenant, userId="a.conti")[0]["subject"]
    superuser.execute("UPDATE sessions_log_subjectkey SET wrapped = %s WHERE subject_id = %s", (bytes(40), subject))
    assert {row["userId"] for row in found(tenant)} == {"m.russo", None}
