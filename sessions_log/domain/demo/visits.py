"""A working fortnight of the people: sessions with sign-in, work, mishaps and an end of some kind."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random

from sessions_log.domain.demo.devices import Desk, is_trailer, mobile_address, trailer_address
from sessions_log.domain.demo.envelopes import Hand, Target, identity
from sessions_log.domain.demo.form import Deed, Step, Visit, session_token, short_token
from sessions_log.domain.demo.habits import HABITS, Habit
from sessions_log.domain.demo.mishaps import with_mishaps
from sessions_log.domain.demo.people import Person
from sessions_log.domain.demo.sites import Site, World

_HEARTBEAT = timedelta(hours=1)
_FACTORS = ("webauthn", "webauthn", "push", "totp")


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit in the making: its people, place and time; addresses change while it lasts."""

    hand: Hand
    habit: Habit
    visit: Visit
    start: datetime
    end: datetime


def working_days(rng: Random, world: World, days: list[date]) -> Iterator[Step]:
    """All visits of all people on these local days, unsorted; may reach beyond them."""
    for person in world.people:
        for day in days:
            if rng.random() < 0.95:
                yield from _day(rng, world, person, day)


def _day(rng: Random, world: World, person: Person, day: date) -> Iterator[Step]:
    for habit in HABITS[person.role]:
        if rng.random() < _chance(habit, day):
            yield from visit_steps(rng, plan_visit(rng, world, person, habit=habit, day=day))


def _chance(habit: Habit, day: date) -> float:
    weekday = day.weekday()
    if weekday < 5:
        return habit.chance
    return habit.weekend if weekday == 5 else habit.weekend / 3


def plan_visit(rng: Random, world: World, person: Person, *, habit: Habit, day: date) -> Stay:
    start = local(day, habit.hour + rng.gauss(0, 0.3), person)
    end = start + timedelta(hours=habit.hours * rng.uniform(0.55, 1.3))
    desk = world.desks[person.user_id]
    on_phone = habit.door == "field-app"
    sites = world.sites_of[person.user_id]
    walkable = [site for site in sites if site.city == person.city]
    site = rng.choice(walkable if on_phone and walkable else sites)
    visit = Visit(
        session_id=session_token(rng),
        user_id=person.user_id,
        address=phone_address(rng, site) if on_phone else _desk_address(rng, desk, person),
        agent=desk.field_agent if on_phone else desk.agent,
        zone=person.zone if on_phone else UTC,
    )
    return Stay(Hand(rng, person, desk, site), habit, visit, start, end)


def local(day: date, hour: float, person: Person) -> datetime:
    """That hour of that day where the person is, in UTC."""
    midnight = datetime.combine(day, time(), tzinfo=person.zone)
    return (midnight + timedelta(hours=hour)).astimezone(UTC)


def _desk_address(rng: Random, desk: Desk, person: Person) -> str:
    """Office, home, or for staff the VPN."""
    weights = (6, 2, 2) if person.is_staff else (6, 0, 2)
    return rng.choices((desk.office, desk.vpn, desk.home), weights)[0]


def phone_address(rng: Random, site: Site) -> str:
    return trailer_address(site.number) if rng.random() < 0.35 else mobile_address(rng)


def visit_steps(rng: Random, stay: Stay) -> Iterator[Step]:
    """Sign-in, work and end. The field app numbers its own records and changes its address on the way."""
    visit, at, battery = stay.visit, stay.start, rng.randrange(45, 101)
    on_phone = stay.habit.door == "field-app"
    numbers = count(1)
    for deed in (*sign_in(rng, stay), *_work(rng, stay), *_ending(rng, stay)):
        at += timedelta(seconds=deed.pause_s)
        if on_phone and rng.random() < 0.06:
            visit = replace(visit, address=phone_address(rng, stay.hand.site))
        if on_phone and deed.service == "field-app":
            charge = battery - int((at - stay.start).total_seconds() / 500)
            yield Step(at, visit, _timed(_carried(deed, visit, charge), at - stay.start), next(numbers))
        else:
            yield Step(at, visit, _timed(deed, at - stay.start))
    if not on_phone:
        yield from _heartbeats(stay, at)


def _carried(deed: Deed, visit: Visit, battery: int) -> Deed:
    """What the telephone says of itself: wireless in the trailer, the carrier outside."""
    network = "wifi" if is_trailer(visit.address) else "lte"
    return replace(deed, metadata={**deed.metadata, "network": network, "battery": battery})


def sign_in(rng: Random, stay: Stay) -> Iterator[Deed]:
    """Password (now and then mistyped), second factor, session."""
    client, account = stay.habit.door, ("account", stay.hand.person.account)
    if rng.random() < 0.07:
        for attempt in range(1, rng.choice((2, 2, 2, 3))):
            yield mistyped(rng, account, client=client, attempt=attempt)
    risk = {"score": rng.randrange(0, 14), "signals": []}
    yield identity(rng, "auth.login", account, client=client, method="password", risk=risk)
    if rng.random() < 0.8:
        yield from _second_factor(rng, account, client)
    metadata = {
        "client": client,
        "idle_minutes": 45,
        "nonce": short_token(rng, 10),
        "site": stay.hand.site.code,
    }
    yield Deed(
        service=client,
        action="session.start",
        target=account,
        metadata=metadata,
        took_ms=rng.randrange(20, 160),
        pause_s=1.1,
    )


def _second_factor(rng: Random, account: Target, client: str) -> Iterator[Deed]:
    asked = {"client": client, "factor": rng.choice(_FACTORS)}
    if rng.random() < 0.025:
        yield identity(rng, "auth.mfa_failed", account, outcome="failure", pause_s=45, asked=asked, reason="timeout")
    yield identity(rng, "auth.mfa", account, pause_s=9, asked=asked, remembered=False)


def mistyped(rng: Random, account: Target, *, client: str, attempt: int) -> Deed:
    return identity(
        rng,
        "auth.login_failed",
        account,
        outcome="failure",
        pause_s=12,
        client=client,
        method="password",
        reason="bad_password",
        attempt=attempt,
        remaining=5 - attempt,
    )


def _work(rng: Random, stay: Stay) -> Iterator[Deed]:
    activities = [activity for _, activity in stay.habit.work]
    weights = [weight for weight, _ in stay.habit.work]
    spent, length = 0.0, (stay.end - stay.start).total_seconds()
    hand = stay.hand
    first = True
    while spent < length:
        activity = rng.choices(activities, weights)[0]
        gap_s = 3.0 if first else rng.expovariate(1 / (stay.habit.gap_minutes * 60))
        for place, deed in enumerate(with_mishaps(rng, hand.person, activity(hand))):
            pause_s = deed.pause_s + (gap_s if place == 0 else 0.0)
            spent += pause_s
            if spent > length:
                return
            yield replace(deed, pause_s=pause_s)
        first = False


def _heartbeats(stay: Stay, last: datetime) -> Iterator[Step]:
    """An open browser tells every hour that it is still there."""
    at = stay.start + _HEARTBEAT
    while at < last:
        yield Step(at, stay.visit, heartbeat(stay, at))
        at += _HEARTBEAT


def heartbeat(stay: Stay, at: datetime) -> Deed:
    minutes = int((at - stay.start).total_seconds() // 60)
    return Deed(
        service=stay.habit.door,
        action="session.heartbeat",
        metadata={"open_minutes": minutes, "visible": minutes % 90 != 0},
    )


def _ending(rng: Random, stay: Stay) -> Iterator[Deed]:
    """Most sign out, some let it lapse, some just close the lid."""
    luck = rng.random()
    account = ("account", stay.hand.person.account)
    if luck < 0.55:
        yield identity(rng, "auth.logout", account, pause_s=60, client=stay.habit.door)
        yield _end_of_session(stay, "signed out", pause_s=0.08 + rng.random())
    elif luck < 0.85:
        yield _end_of_session(stay, "idle", pause_s=45 * 60)


def _end_of_session(stay: Stay, reason: str, *, pause_s: float) -> Deed:
    metadata = {"reason": reason, "site": stay.hand.site.code}
    return Deed(service=stay.habit.door, action="session.end", metadata=metadata, pause_s=pause_s)


def _timed(deed: Deed, since_start: timedelta) -> Deed:
    """The end of a session tells how long it was."""
    if deed.action != "session.end":
        return deed
    return replace(deed, took_ms=int(since_start.total_seconds() * 1000))
