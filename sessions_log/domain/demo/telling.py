"""How single events are told: who, from where, when, and the deeds one after another."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sessions_log.domain.demo.devices import SERVICE_AGENTS, cluster_address
from sessions_log.domain.demo.form import Deed, Step, Visit, session_token
from sessions_log.domain.demo.people import Person
from sessions_log.domain.demo.sites import World

HEADQUARTERS = ZoneInfo("America/Chicago")
DEPLOY_BOT = "deploy-bot@svc.harborfork.example"


def hour_of(day: date, hour: int, minute: int = 0) -> datetime:
    """That time of the day at headquarters, in UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=HEADQUARTERS).astimezone(UTC)


def office_visit(rng: Random, world: World, person: Person) -> Visit:
    desk = world.desks[person.user_id]
    return Visit(session_id=session_token(rng), user_id=person.user_id, address=desk.vpn, agent=desk.agent)


def machine_visit(rng: Random, service: str, user_id: str | None) -> Visit:
    return Visit(
        session_id=session_token(rng),
        user_id=user_id,
        address=cluster_address(rng),
        agent=SERVICE_AGENTS[service],
    )


def told(visit: Visit, begin: datetime, *deeds: Deed) -> Iterator[Step]:
    at = begin
    for deed in deeds:
        at += timedelta(seconds=deed.pause_s)
        yield Step(at, visit, deed)
