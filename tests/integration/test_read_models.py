"""Counters and the inventory of sessions: kept batch by batch or made anew, they are the same."""

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import close_old_connections, connection

from sessions_log import wiring
from sessions_log.adapters.inbox import insert
from sessions_log.commands.intake import put_records
from sessions_log.commands.recording import Recorder
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.session_record import SessionRecord
from sessions_log.followers.reading import Entries, Follower, follow, load, rebuild
from sessions_log.models import Facet, FollowerPosition, MinuteCounter, SessionSummary
from tests.conftest import RunAs, Servers
from tests.integration.api import accepted, found
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).replace(second=0, microsecond=0)


@pytest.fixture
def rebuild_all(run_as: RunAs) -> Callable[[], None]:
    """Make every read model anew, in the followers' role."""

    def run() -> None:
        with run_as("follower"):
            _rebuild_all()

    return run


def _sent(tenant: Tenant, *records: dict[str, Any]) -> None:
    accepted(
        tenant,
        [
            session_record(**{"timestamp": (HOUR_AGO + timedelta(seconds=at)).isoformat(), **one})
            for at, one in enumerate(records)
        ],
    )


def _counters(tenant: Tenant) -> list[dict[str, Any]]:
    rows = MinuteCounter.objects.filter(organization_id=tenant.organization.id).order_by("minute").values()
    return [
        {name: value for name, value in row.items() if value and name not in ("id", "organization_id")} for row in rows
    ]


def _of_the_service(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the minutes of what the portal recorded of making the organization, which is now."""
    return [row for row in rows if row["minute"] < HOUR_AGO + timedelta(minutes=30)]


def _sessions(tenant: Tenant) -> list[dict[str, Any]]:
    rows = SessionSummary.objects.filter(organization_id=tenant.organization.id).order_by("id").values()
    return [dict(row) for row in rows]


def _facets(tenant: Tenant) -> list[tuple[Any, ...]]:
    rows = Facet.objects.filter(organization_id=tenant.organization.id)
    return sorted(rows.values_list("service_id", "action", "outcome", "sensitive"))


def _state(tenant: Tenant) -> tuple[Any, ...]:
    return _counters(tenant), _sessions(tenant), _facets(tenant)


def test_counters_count_a_minute_by_outcome_and_family(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _sent(
        tenant,
        {"action": "auth.login"}, {"action": "auth.login_failed", "outcome": "failure"}, {"action": "session.start"},
        {"action": "record.export", "sensitive": True}, {"action": "file.download"}, {"action": "permission.grant"},
        {"action": "role.create", "outcome": "denied"}, {"action": "secret.read", "sensitive": True},
        {"action": "ai.prompt"},
        {"action": "record.view", "aiModelUsed": "gpt-x"}, {"action": "custom.oven"},
        {"action": "record.view", "metadata": {"to": "m.russo@trattoria.example"}},
        {"timestamp": (HOUR_AGO + timedelta(minutes=1)).isoformat()},
    )  # fmt: skip
    record_all()
    follow_all()
    assert _of_the_service(_counters(tenant)) == [
        {
            "minute": HOUR_AGO, "entries": 12, "success": 10, "failure": 1, "denied": 1, "sensitive": 2,
            "redacted": 1, "auth": 2,
            "auth_failed": 1, "session": 1, "record": 3, "file": 1, "export": 2, "permission": 2, "secret": 1,
            "ai": 2, "other": 1,
        },
        {"minute": HOUR_AGO + timedelta(minutes=1), "entries": 1, "success": 1, "record": 1},
    ]  # fmt: skip


def test_inventory_tells_a_session_s_course(record_all: Callable[[], None], follow_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    _sent(
        tenant,
        {"action": "session.start"}, {"outcome": "failure"}, {"outcome": "denied", "sensitive": True},
        {"action": "ai.prompt"},
        {"action": "session.end"}, {"sessionId": "session-two"},
    )  # fmt: skip
    record_all()
    follow_all()
    last, *_ = found(tenant, sessionId="session-one")
    (summary,) = (one for one in _sessions(tenant) if str(one["id"]) == last["session"])
    assert summary == {
        "id": summary["id"], "organization_id": tenant.organization.id, "subject_id": summary["subject_id"],
        "first_seen": HOUR_AGO, "last_seen": HOUR_AGO + timedelta(seconds=4), "entries": 5, "failures": 1, "denials": 1,
        "ai_uses": 1, "sensitive": 1, "ended_at": HOUR_AGO + timedelta(seconds=4),
    }  # fmt: skip
    assert str(summary["subject_id"]) == last["subject"]


def test_session_that_goes_on_after_its_end_keeps_its_first_end(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _sent(tenant, {"action": "auth.logout"}, {}, {"action": "session.end"})
    record_all()
    follow_all()
    assert SessionSummary.objects.get(id=found(tenant)[0]["session"]).ended_at == HOUR_AGO


def test_session_s_subject_is_that_of_its_latest_record_whichever_came_first(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    for offset, user in ((10, "m.russo"), (5, "a.conti"), (20, "l.bruno"), (15, "s.riva")):
        accepted(tenant, session_record(userId=user, timestamp=(HOUR_AGO + timedelta(seconds=offset)).isoformat()))
        record_all()
        follow_all()
    latest = found(tenant, userId="l.bruno")[0]
    assert str(SessionSummary.objects.get(id=latest["session"]).subject_id) == latest["subject"]


def test_late_records_are_counted_where_they_belong(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _sent(tenant, {}, {})
    record_all()
    follow_all()
    days_ago = HOUR_AGO - timedelta(days=6)
    _sent(tenant, {"timestamp": days_ago.isoformat()}, {}, {"timestamp": (HOUR_AGO - timedelta(seconds=1)).isoformat()})
    record_all()
    follow_all()
    assert [(row["minute"], row["entries"]) for row in _of_the_service(_counters(tenant))] == [
        (days_ago, 1), (HOUR_AGO - timedelta(minutes=1), 1), (HOUR_AGO, 3),
    ]  # fmt: skip
    assert SessionSummary.objects.get(id=found(tenant)[0]["session"]).first_seen == days_ago


def test_batch_is_applied_once_however_often_it_is_followed(
    record_all: Callable[[], None], follow_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    _sent(tenant, {}, {})
    record_all()
    follow_all()
    before = _state(tenant)
    follow_all()
    assert _state(tenant) == before


def test_follower_that_fails_moves_neither_model_nor_position(record_all: Callable[[], None], run_as: RunAs) -> None:
    tenant = make_tenant()
    _sent(tenant, {})
    record_all()
    (counters,) = (one for one in load(settings.FOLLOWERS) if one.name == "counters")
    with run_as("follower"):
        before = FollowerPosition.objects.filter(follower="counters").values_list("batch", flat=True).first()
        with pytest.raises(ZeroDivisionError):
            follow(_Failing(counters), 0)
        assert FollowerPosition.objects.filter(follower="counters").values_list("batch", flat=True).first() == before
    assert _of_the_service(_counters(tenant)) == []


@dataclasses.dataclass
class _Failing:
    """A follower that fails after it has written."""

    follower: Follower
    name: str = "counters"

    def apply(self, entries: Entries) -> None:
        self.follower.apply(entries)
        raise ZeroDivisionError

    def clear(self) -> None:
        self.follower.clear()


def test_rebuilt_models_equal_those_that_were_kept(
    record_all: Callable[[], None], follow_all: Callable[[], None], rebuild_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    for at in range(4):
        _sent(
            tenant,
            *({
                "sessionId": f"s-{one % 3}", "userId": f"user-{one % 5}", "action": ("auth.login", "record.view",
                "session.end", "ai.prompt")[one % 4],
                "outcome": ("success", "failure", "denied")[one % 3], "sensitive": one % 2 == 0,
                "timestamp": (HOUR_AGO + timedelta(seconds=one * 37 % 240, minutes=-at)).isoformat(),
            } for one in range(40)),
        )  # fmt: skip
        record_all()
        follow_all()
    kept = _state(tenant)
    rebuild_all()
    assert _state(tenant) == kept
    follow_all()
    assert _state(tenant) == kept


def test_rebuilt_inventory_equals_the_kept_one_where_two_users_act_in_the_same_millisecond(
    record_all: Callable[[], None], follow_all: Callable[[], None], rebuild_all: Callable[[], None]
) -> None:
    tenant = make_tenant()
    for session in range(8):
        for user in ("m.russo", "a.conti"):
            _sent(tenant, {"sessionId": f"s-{session}", "userId": user})
            record_all()
            follow_all()
    kept = _sessions(tenant)
    rebuild_all()
    assert _sessions(tenant) == kept


class KeptRequests:
    """An inbox that keeps requests for later."""

    def __init__(self) -> None:
        self.requests: list[InboxRequest] = []

    def put(self, request: InboxRequest) -> None:
        """See the port."""
        self.requests.append(request)


def test_model_is_rebuilt_while_recording_and_following_go_on(
    servers: Servers, recorder: Recorder, record_all: Callable[[], None], follow_all: Callable[[], None], run_as: RunAs
) -> None:
    tenant, kept = make_tenant(), KeptRequests()
    sender = wiring.ports().organizations.sender(tenant.organization.id, "orders")
    record = SessionRecord(session_id="s-1", timestamp=HOUR_AGO, action="record.view", user_id="m.russo")
    for _ in range(100):
        put_records([record] * 3, sender, None, datetime.now(UTC), wiring.keyring(), kept)
    failures: list[BaseException] = []
    done = threading.Event()
    record_all()
    with run_as("follower"):
        recording = threading.Thread(
            target=_guarded, args=(_recording(servers, recorder, kept.requests), failures, done)
        )
        following = threading.Thread(target=_guarded, args=(lambda: _following(done), failures, done))
        recording.start()
        following.start()
        while recording.is_alive():
            _rebuild_all()
        done.set()
        recording.join()
        following.join()
    assert failures == []
    record_all()
    follow_all()
    assert [(row["minute"], row["entries"]) for row in _of_the_service(_counters(tenant))] == [(HOUR_AGO, 300)]
    assert 300 in [one["entries"] for one in _sessions(tenant)]


def _recording(servers: Servers, recorder: Recorder, requests: list[InboxRequest]) -> Callable[[], None]:
    def work() -> None:
        with psycopg.connect(servers.url("web"), autocommit=True) as web:
            for request in requests:
                insert(web, [request])
                recorder.record_batch(datetime.now(UTC))

    return work


def _following(done: threading.Event) -> None:
    while not done.is_set():
        for follower in load(settings.FOLLOWERS):
            follow(follower, 0)


def _rebuild_all() -> None:
    for follower in load(settings.FOLLOWERS):
        rebuild(follower)


def _guarded(work: Callable[[], None], failures: list[BaseException], done: threading.Event) -> None:
    try:
        work()
    except BaseException as error:
        failures.append(error)
        done.set()
    finally:
        close_old_connections()
        connection.close()


def test_facets_are_the_combinations_that_occur(record_all: Callable[[], None], follow_all: Callable[[], None]) -> None:
    tenant = make_tenant()
    _sent(tenant, {}, {}, {"outcome": "denied"}, {"sensitive": True}, {"action": "file.view"})
    record_all()
    follow_all()
    assert [one for one in _facets(tenant) if one[0] == tenant.service_id] == [
        (tenant.service_id, "file.view", 1, False), (tenant.service_id, "record.view", 1, False),
        (tenant.service_id, "record.view", 1, True), (tenant.service_id, "record.view", 3, False),
    ]  # fmt: skip
