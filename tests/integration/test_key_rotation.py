"""A new epoch of keys: what lives is taken over, nothing is out of reach meanwhile, old copies die with the old keys."""

import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sessions_log import wiring
from sessions_log.commands import rotating
from sessions_log.commands.recording import Recorder
from sessions_log.commands.rotating import CannotRotate, Rotated, RotateKeys, rotate_keys
from sessions_log.domain import sealing
from sessions_log.domain.sealing import CannotOpen
from sessions_log.domain.statements import details_of
from sessions_log.models import Address, Organization, Session, Statement, Subject, SubjectKey, Target
from sessions_log.ports import KeyDestroyed
from tests.conftest import RunAs
from tests.integration.api import accepted, found
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
TABLES = (Subject, Session, Target, Address)
Rotate = Callable[..., Rotated]


class Interrupted(Exception):
    """The test's way to end a rotation where it stands."""


@pytest.fixture
def tenant(record_all: Callable[[], None]) -> Tenant:
    tenant = make_tenant()
    accepted(tenant, [_record(f"user-{at}") for at in range(12)])
    accepted(tenant, [session_record(id="nobody", sessionId="s-alone", userId=None)])
    record_all()
    return tenant


@pytest.fixture
def rotate(tenant: Tenant, run_as: RunAs) -> Rotate:
    """Rotate in the role `retention`."""

    def run(*, destroy: bool = False, told: Callable[[Rotated], None] = lambda _: None) -> Rotated:
        command = RotateKeys(organization_id=tenant.organization.id, is_old_destroyed=destroy, actor=ACTOR)
        with run_as("retention"):
            return rotate_keys(command, wiring.organization_keys(), wiring.ports(), told)

    return run


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "ROWS_AT_ONCE", 3)


def _record(user: str, **fields: Any) -> dict[str, Any]:
    return session_record(
        userId=user, sessionId=f"s-{user}", ipAddress="192.0.2.7", target={"type": "order", "id": user}, **fields
    )


def _epochs(tenant: Tenant) -> set[int]:
    """The epochs that any row of the organization's stands under."""
    of_tables = {
        epoch
        for table in TABLES
        for epoch in table.objects.filter(organization_id=tenant.organization.id).values_list("epoch", flat=True)
    }
    keys = SubjectKey.objects.filter(subject__organization_id=tenant.organization.id)
    return of_tables | set(keys.values_list("epoch", flat=True))


def _everybody_is_found(tenant: Tenant) -> bool:
    return all(
        [one["userId"] for one in found(tenant, **{name: value})] == [user]
        for user in (f"user-{at}" for at in range(12))
        for name, value in (("userId", user), ("sessionId", f"s-{user}"), ("target", f"order:{user}"))
    )


def _statements(tenant: Tenant) -> list[dict[str, Any]]:
    rows = Statement.objects.filter(organization_id=tenant.organization.id, type="key-rotation").order_by("seq")
    return [details_of(bytes(body)) for body in rows.values_list("body", flat=True)]


def test_everything_is_taken_over_and_found_as_before(tenant: Tenant, rotate: Rotate) -> None:
    done = rotate()
    assert (done.epoch, done.subjects) == (2, 14)  # twelve users, a session without one, and who made the organization
    assert _epochs(tenant) == {2}
    assert _everybody_is_found(tenant)
    assert len(found(tenant, ipAddress="192.0.2.7")) == 12


def test_records_that_come_afterwards_are_of_the_same_people(
    tenant: Tenant, rotate: Rotate, record_all: Callable[[], None]
) -> None:
    rotate(destroy=True)
    accepted(tenant, [_record("user-3"), session_record(id="again", sessionId="s-alone", userId=None)])
    record_all()
    assert len({one["subject"] for one in found(tenant, userId="user-3")}) == 1
    assert len({one["subject"] for one in found(tenant, sessionId="s-alone")}) == 1
    assert Subject.objects.filter(organization_id=tenant.organization.id).count() == 14


def test_rotation_and_destruction_are_stated(tenant: Tenant, rotate: Rotate, record_all: Callable[[], None]) -> None:
    rotate(destroy=True)
    record_all()
    taken_over, destroyed = _statements(tenant)
    assert taken_over == {"keys": "epoch", "from": 1, "to": 2, "subjects": 14, "values": taken_over["values"]}
    assert destroyed == {"keys": "epoch", "destroyedBelow": 2}


def test_destroyed_keys_open_nothing_that_was_kept_of_before(tenant: Tenant, rotate: Rotate) -> None:
    uid = tenant.organization.uid
    row = SubjectKey.objects.filter(subject__organization_id=tenant.organization.id).first()
    assert row is not None
    old_copy, old_keys = bytes(row.wrapped), wiring.keyring().epoch(uid, 1)
    assert sealing.unwrap(old_copy, old_keys.wrapping)
    rotate(destroy=True)
    with pytest.raises(KeyDestroyed):
        wiring.keyring().epoch(uid, 1)
    with pytest.raises(CannotOpen):
        sealing.unwrap(old_copy, wiring.keyring().epoch(uid, 2).wrapping)


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("steps", [1, 2, 5, 9, 13])
def test_rotation_is_taken_up_where_it_was_interrupted(
    tenant: Tenant, rotate: Rotate, record_all: Callable[[], None], steps: int
) -> None:
    told: list[int] = []

    def interrupt(done: Rotated) -> None:
        told.append(done.subjects + done.values)
        if len(told) == steps:
            raise Interrupted

    with pytest.raises(Interrupted):
        rotate(told=interrupt)
    assert _epochs(tenant) == {1, 2}
    assert _everybody_is_found(tenant)
    accepted(tenant, [_record("user-5", id="meanwhile"), _record("a-new-one")])
    record_all()
    assert len({one["subject"] for one in found(tenant, userId="user-5")}) == 1
    assert rotate().epoch == 2
    assert _epochs(tenant) == {2}
    assert len(found(tenant, userId="user-5")) == 2
    assert len(found(tenant, userId="a-new-one")) == 1


@pytest.mark.usefixtures("few_at_once")
def test_recording_and_searching_go_on_meanwhile(
    tenant: Tenant, rotate: Rotate, recorder: Recorder, run_as: RunAs
) -> None:
    """Between each two steps the recorder records, from a thread of its own as in a process of its own."""
    sent: list[str] = []

    def record_between(done: Rotated) -> None:
        sent.append(f"during-{len(sent)}")
        with run_as("web"):
            accepted(tenant, [_record("user-1", id=sent[-1])])
        thread = threading.Thread(target=recorder.record_batch, args=(datetime.now(UTC),))
        thread.start()
        thread.join()

    rotate(told=record_between)
    while recorder.record_batch(datetime.now(UTC)):
        pass
    assert _epochs(tenant) == {2}
    assert {one["id"] for one in found(tenant, userId="user-1")} >= set(sent)
    assert len({one["subject"] for one in found(tenant, userId="user-1")}) == 1


def test_command_says_what_it_did_and_refuses_unknown_organizations(tenant: Tenant, run_as: RunAs) -> None:
    out = io.StringIO()
    with run_as("retention"):
        call_command("rotate_keys", "--organization", tenant.organization.slug, "--destroy-old", stdout=out)
        with pytest.raises(CommandError, match="no organization 'nowhere'"):
            call_command("rotate_keys", "--organization", "nowhere")
    assert out.getvalue().startswith("epoch 2: 14 subjects and ")
    assert "the keys of 1 earlier epoch(s) are destroyed" in out.getvalue()


@pytest.mark.usefixtures("few_at_once")
def test_rotation_that_is_taken_up_is_followed_by_another_before_keys_are_destroyed(
    tenant: Tenant, rotate: Rotate
) -> None:
    """Whoever was erased between the two stood under the keys of the first one already."""

    def interrupt(_: Rotated) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        rotate(told=interrupt)
    assert rotate(destroy=True).epoch == 3
    for gone in (1, 2):
        with pytest.raises(KeyDestroyed):
            wiring.keyring().epoch(tenant.organization.uid, gone)
    assert _everybody_is_found(tenant)


def test_keys_are_not_destroyed_while_another_rotation_needs_them(
    tenant: Tenant, rotate: Rotate, run_as: RunAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else begins the next rotation just when this one has finished."""
    finish = rotating._finish

    def finish_and_begin(*arguments: Any) -> None:
        finish(*arguments)
        monkeypatch.setattr(rotating, "_finish", finish)
        rotating._begin(arguments[0], arguments[2], arguments[3])

    monkeypatch.setattr(rotating, "_finish", finish_and_begin)
    with pytest.raises(CannotRotate, match="in use still"):
        rotate(destroy=True)
    assert wiring.keyring().epoch(tenant.organization.uid, 1).number == 1
    assert rotate(destroy=True).epoch == 4
    assert _everybody_is_found(tenant)


def test_recorder_with_nothing_to_do_keeps_no_key(tenant: Tenant, recorder: Recorder) -> None:
    accepted(tenant, [_record("user-1", id="once more")])
    now = datetime.now(UTC)
    while recorder.record_batch(now):
        pass
    recorder.record_batch(now + timedelta(seconds=9))
    assert recorder.references
    recorder.record_batch(now + timedelta(seconds=11))
    assert not recorder.references


def test_second_rotation_goes_on_from_the_first(tenant: Tenant, rotate: Rotate) -> None:
    assert [rotate().epoch, rotate(destroy=True).epoch] == [2, 3]
    for gone in (1, 2):
        with pytest.raises(KeyDestroyed):
            wiring.keyring().epoch(tenant.organization.uid, gone)
    assert Organization.objects.get(id=tenant.organization.id).old_epoch is None
    assert _everybody_is_found(tenant)


def test_everything_opens_while_the_keys_change_and_when_the_old_ones_are_gone(
    tenant: Tenant, rotate: Rotate, few_at_once: None
) -> None:
    def interrupt(_: Rotated) -> None:
        raise Interrupted

    slug = tenant.organization.slug
    with pytest.raises(Interrupted):
        rotate(told=interrupt)
    assert _epochs(tenant) == {1, 2}
    call_command("verify", "--organization", slug, "--open")
    rotate(destroy=True)
    call_command("verify", "--organization", slug, "--open")
