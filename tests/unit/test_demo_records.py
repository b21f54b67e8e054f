"""The demo's fortnight: the same every time, within the limits of the API, and as lively as it claims."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from itertools import pairwise
from time import process_time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from sessions_log.domain.actions import is_action
from sessions_log.domain.demo import demo_records
from sessions_log.domain.demo.people import everybody
from sessions_log.domain.demo.training import training_parts

Record = dict[str, Any]

UNTIL = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
HEADQUARTERS = ZoneInfo("America/Chicago")
SERVICES = {
    "portal-web",
    "site-ops",
    "permits",
    "vendor-hub",
    "field-app",
    "build-copilot",
    "deploy-bot",
    "identity",
}
PLAIN_RANGES = [
    ip_network(text)
    for text in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
]
WIRE_FIELDS = {
    "id",
    "userId",
    "sessionId",
    "timestamp",
    "action",
    "metadata",
    "ipAddress",
    "userAgent",
    "duration",
    "aiModelUsed",
    "sensitive",
    "outcome",
    "target",
    "traceId",
    "sequence",
}


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, Record]]:
    return list(demo_records(until=UNTIL, seed=7))


@pytest.fixture(scope="module")
def records(pairs: list[tuple[str, Record]]) -> list[Record]:
    return [record for _, record in pairs]


@pytest.fixture(scope="module")
def sessions(records: list[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record["sessionId"]].append(record)
    return found


def at(record: Record) -> datetime:
    return datetime.fromisoformat(record["timestamp"])


def only(records: Iterable[Record], **wanted: object) -> list[Record]:
    return [record for record in records if all(record.get(name) == value for name, value in wanted.items())]


def one(records: Iterable[Record], where: Callable[[Record], bool]) -> Record:
    found = [record for record in records if where(record)]
    assert len(found) == 1
    return found[0]


def test_equal_arguments_give_equal_records(pairs: list[tuple[str, Record]]) -> None:
    assert list(demo_records(until=UNTIL, seed=7)) == pairs


def test_another_seed_gives_other_records(records: list[Record]) -> None:
    other = [record for _, record in demo_records(until=UNTIL, seed=8)]
    assert not {record["id"] for record in other} & {record["id"] for record in records}
    assert not {record["sessionId"] for record in other} & {record["sessionId"] for record in records}


@pytest.mark.parametrize(
    "until",
    [
        datetime(2026, 11, 28, 4, 10, tzinfo=UTC),
        datetime(2027, 3, 15, 12, tzinfo=UTC),
        datetime(2027, 7, 4, 0, 0, tzinfo=UTC),
    ],
    ids=["saturday night", "after the clocks change", "sunday midnight"],
)
def test_a_fortnight_has_some_twenty_thousand_records(until: datetime) -> None:
    assert 18_000 <= sum(1 for _ in demo_records(until=until, seed=3)) <= 22_000


def test_a_fortnight_is_made_in_under_three_seconds() -> None:
    begin = process_time()
    list(demo_records(until=UNTIL, seed=11))
    assert process_time() - begin < 3


def test_a_window_without_a_whole_working_day_still_has_records() -> None:
    assert sum(1 for _ in demo_records(until=UNTIL, days=1, seed=7)) > 100


def test_records_come_in_time_order_within_the_window(records: list[Record]) -> None:
    times = [at(record) for record in records]
    assert all(earlier <= later for earlier, later in pairwise(times))
    # Times are sent in milliseconds: the first may be rounded down by less than one.
    assert times[0] > UNTIL - timedelta(days=14, milliseconds=1)
    assert times[-1] <= UNTIL
    assert UNTIL - times[-1] < timedelta(hours=1)


def test_working_days_are_busy_and_weekends_quiet(records: list[Record]) -> None:
    by_day = Counter(at(record).date() for record in records)
    whole = [day for day in by_day if UNTIL.date() > day > (UNTIL - timedelta(days=14)).date()]
    weekend = [by_day[day] for day in whole if day.weekday() >= 5]
    working = [by_day[day] for day in whole if day.weekday() < 5]
    assert len(weekend) == 4
    assert min(working) > 2 * max(weekend)


def test_every_action_is_in_the_vocabulary(records: list[Record]) -> None:
    assert [record["action"] for record in records if not is_action(record["action"])] == []
    assert len({record["action"] for record in records}) > 40


def test_every_record_has_an_id_of_its_own(records: list[Record]) -> None:
    ids = [record["id"] for record in records]
    assert len(set(ids)) == len(ids)
    assert all(str(UUID(text)) == text for text in ids)


def test_every_record_is_within_the_limits_of_the_wire(records: list[Record]) -> None:
    for record in records:
        assert set(record) <= WIRE_FIELDS
        assert len(json.dumps(record["metadata"]).encode()) <= 32 * 1024
        assert 1 <= len(record["sessionId"]) <= 256
        assert len(record.get("userId", "")) <= 256
        assert len(record.get("ipAddress", "")) <= 255
        assert len(record.get("userAgent", "")) <= 1024
        assert type(record.get("duration", 0)) is int
        assert record.get("duration", 0) >= 0
        assert record["outcome"] in ("success", "failure", "denied")
        assert set(record.get("target", {"type": 0, "id": 0})) == {"type", "id"}


def test_every_address_is_for_documentation_or_private_use(records: list[Record]) -> None:
    addresses = {ip_address(record["ipAddress"]) for record in records if "ipAddress" in record}
    assert [one for one in addresses if not any(one in network for network in PLAIN_RANGES)] == []
    assert {address.version for address in addresses} == {4, 6}
    assert len(addresses) > 150


def test_every_user_is_at_an_example_domain(records: list[Record]) -> None:
    users = {record["userId"] for record in records if "userId" in record}
    assert [user for user in users if not user.endswith(".example")] == []
    assert {person.user_id for person in everybody()} <= users
    assert 38 <= len(everybody()) <= 48


def test_all_services_take_part_and_each_action_family_has_its_service(
    pairs: list[tuple[str, Record]],
) -> None:
    assert {service for service, _ in pairs} == SERVICES
    families = {(service, record["action"].partition(".")[0]) for service, record in pairs}
    assert {service for service, family in families if family == "auth"} == {"identity"}
    assert {service for service, family in families if family == "ai"} == {"build-copilot"}
    assert {service for service, family in families if family == "deploy"} == {"deploy-bot"}


def test_most_succeeds_some_fails_a_little_is_denied(records: list[Record]) -> None:
    outcomes = Counter(record["outcome"] for record in records)
    assert 0.005 < outcomes["failure"] / len(records) < 0.04
    assert 10 <= outcomes["denied"] < 0.01 * len(records)
    assert all(record["metadata"]["error"]["status"] == 403 for record in only(records, outcome="denied"))


def test_a_tenth_of_the_records_at_least_is_traced(records: list[Record]) -> None:
    traced = [record["traceId"] for record in records if "traceId" in record]
    assert 0.1 < len(traced) / len(records) < 0.6
    assert all(len(trace) == 32 for trace in traced)


def test_metadata_is_varied(records: list[Record]) -> None:
    assert len({tuple(record["metadata"]) for record in records}) > 100
    assert max(len(json.dumps(record["metadata"])) for record in records) > 2_000


def test_ai_records_name_the_model_and_carry_no_text(records: list[Record]) -> None:
    talk = [record for record in records if record["action"].startswith("ai.")]
    assert len(talk) > 500
    assert all(record["aiModelUsed"] for record in talk)
    assert not any({"prompt", "text", "content", "answer"} & set(record["metadata"]) for record in talk)


def test_payroll_identity_papers_and_bank_details_are_sensitive(records: list[Record]) -> None:
    kinds = {"payroll_run", "timesheet", "certified_payroll", "identity_document", "bank_account", "tax_form"}
    touched = [record for record in records if record.get("target", {}).get("type") in kinds]
    done = [record for record in touched if record["outcome"] == "success"]
    assert {record["target"]["type"] for record in done} == kinds
    assert all(record.get("sensitive") is True for record in done)
    assert 0.003 < sum(record.get("sensitive", False) for record in records) / len(records) < 0.05


def test_telephones_roam_within_a_session_under_one_agent(sessions: dict[str, list[Record]]) -> None:
    roaming = [session for session in sessions.values() if len({record.get("ipAddress") for record in session}) >= 3]
    assert len(roaming) >= 20
    assert all(len({record["userAgent"] for record in session}) == 1 for session in roaming)
    assert max(len({record["ipAddress"] for record in session}) for session in roaming) >= 7


def test_the_field_app_numbers_its_records_and_writes_local_time(pairs: list[tuple[str, Record]]) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for service, record in pairs:
        if service == "field-app" and "sequence" in record:
            numbers[record["sessionId"]].append(record["sequence"])
    assert len(numbers) > 150
    assert all(later == earlier + 1 for seen in numbers.values() for earlier, later in pairwise(seen))
    local = {service for service, record in pairs if not record["timestamp"].endswith("Z")}
    assert local == {"field-app"}


def test_sign_ins_are_mistyped_then_right(sessions: dict[str, list[Record]]) -> None:
    ends = []
    for session in sessions.values():
        wrong = only(session, action="auth.login_failed")
        right = only(session, action="auth.login")
        if wrong and right:
            ends.append(timedelta(0) < at(right[0]) - at(wrong[0]) < timedelta(minutes=5))
    assert len(ends) >= 15
    assert all(ends)


def test_deploys_run_at_night_at_headquarters(records: list[Record]) -> None:
    starts = only(records, action="deploy.start")
    assert len(starts) >= 6
    assert all(1 <= at(record).astimezone(HEADQUARTERS).hour < 5 for record in starts)
    assert len(only(records, action="deploy.rollback")) == 1
    assert len(only(records, action="deploy.finish")) == len(starts)


def test_the_bulk_export_is_approved_by_another_before_it_runs(records: list[Record]) -> None:
    export = one(only(records, action="record.export"), lambda record: record["metadata"].get("rows", 0) > 10_000)
    number, ticket = export["metadata"]["approval"], export["metadata"]["ticket"]
    request = {"type": "export_request", "id": number}
    asked = one(only(records, action="record.create"), lambda record: record["target"] == request)
    approved = one(only(records, action="record.approve"), lambda record: record["target"] == request)
    assert at(asked) < at(approved) < at(export)
    assert asked["userId"] == export["userId"] != approved["userId"]
    assert asked["metadata"]["ticket"] == approved["metadata"]["ticket"] == ticket
    assert export["sensitive"] is True


def test_a_forgotten_session_lives_all_night(sessions: dict[str, list[Record]]) -> None:
    ended = [s for s in sessions.values() if s[-1]["metadata"].get("reason") == "maximum age"]
    assert len(ended) == 1
    session = ended[0]
    assert at(session[-1]) - at(session[0]) > timedelta(hours=13)
    assert len(only(session, action="session.heartbeat")) > 20


def test_a_password_is_changed_and_the_other_sessions_revoked(sessions: dict[str, list[Record]]) -> None:
    session = next(s for s in sessions.values() if only(s, action="auth.password_change"))
    assert [record["action"] for record in session] == [
        "auth.login",
        "auth.mfa",
        "auth.password_change",
        "session.revoke",
    ]


def test_a_right_is_granted_with_reason_and_ticket_and_taken_back(records: list[Record]) -> None:
    grant = one(records, lambda record: record["action"] == "permission.grant")
    revoke = one(records, lambda record: record["action"] == "permission.revoke")
    assert grant["metadata"]["reason"]
    assert grant["metadata"]["grant"]["ticket"].startswith("HELP-")
    assert grant["metadata"]["grant"] == revoke["metadata"]["grant"]
    assert at(grant) < at(revoke)


def test_people_join_and_leave_and_keys_rotate(records: list[Record]) -> None:
    actions = {record["action"] for record in records}
    assert {"user.invite", "user.create", "user.disable", "auth.token_revoke", "secret.rotate"} <= actions


def test_jobs_beat_day_and_night_and_finish(records: list[Record]) -> None:
    polls = only(records, target={"type": "job", "id": "jurisdiction-poll"})
    starts = [at(record) for record in only(polls, action="job.start")]
    assert max(later - earlier for earlier, later in pairwise(starts)) < timedelta(minutes=50)
    assert abs(len(starts) - len(only(polls, action="job.finish"))) <= 2
    gateways = [r for r in only(records, action="session.heartbeat") if r.get("target", {}).get("type") == "gateway"]
    assert len(gateways) > 300


def test_the_permit_gateway_is_down_once_for_half_an_hour(pairs: list[tuple[str, Record]]) -> None:
    down = [at(record) for _, record in pairs if record["metadata"].get("error", {}).get("code") == "unavailable"]
    assert len(down) > 20
    assert timedelta(minutes=20) < down[-1] - down[0] < timedelta(minutes=30)
    during = [record for service, record in pairs if service == "permits" and down[0] <= at(record) <= down[-1]]
    assert during
    assert all(record["outcome"] == "failure" for record in during)


def test_a_few_notes_hold_a_mail_address_or_a_test_card(records: list[Record]) -> None:
    notes = [record["metadata"]["note"] for record in only(records, target_type=None) if "note" in record["metadata"]]
    assert sum("@" in note for note in notes) == 4
    assert sum("4111 1111 1111 1111" in note for note in notes) == 1


@pytest.fixture(scope="module")
def parts() -> list[Record]:
    return list(training_parts(1_200, seed=5))


def test_training_parts_are_repeatable_and_as_many_as_asked_for(parts: list[Record]) -> None:
    assert len(parts) == 1_200
    assert list(training_parts(300, seed=5)) == parts[:300]


def test_half_of_the_training_parts_are_of_the_demo_world(parts: list[Record]) -> None:
    assert sum(".example" in str(part.get("userId", ".example")) for part in parts[::2]) == 600
    assert sum(".example" in str(part.get("userId", ".example")) for part in parts[1::2]) == 0
    assert sum("eventSource" in part["metadata"] for part in parts) == 400


def test_training_parts_are_records_in_wire_form(parts: list[Record]) -> None:
    for part in parts:
        assert set(part) <= WIRE_FIELDS
        assert is_action(part["action"])
        assert len(json.dumps(part["metadata"])) <= 32 * 1024
        assert at(part).tzinfo is not None


def test_training_addresses_are_documentation_private_or_a_services_name(parts: list[Record]) -> None:
    addresses = {part["ipAddress"] for part in parts if "ipAddress" in part}
    named = {address for address in addresses if address.endswith(".amazonaws.com")}
    numbers = [ip_address(address) for address in addresses - named]
    assert named
    assert all(any(number in network for network in PLAIN_RANGES) for number in numbers)
