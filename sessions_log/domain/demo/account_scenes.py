"""Scenes of accounts: a session forgotten, passwords mistyped and renewed, people who come and go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from sessions_log.domain.demo.devices import mobile_address
from sessions_log.domain.demo.envelopes import identity
from sessions_log.domain.demo.form import Deed, Step, Visit, session_token, took, trace_id
from sessions_log.domain.demo.sites import World
from sessions_log.domain.demo.telling import DEPLOY_BOT, hour_of, machine_visit, office_visit, told
from sessions_log.domain.demo.visits import mistyped


def forgotten_session(rng: Random, world: World, day: date) -> Iterator[Step]:
    """A browser left open over night, ended by the longest age a session may have."""
    person = world.the("Kwame Brightwater")
    visit = replace(office_visit(rng, world, person), address=world.desks[person.user_id].home)
    begin = hour_of(day, 17, 35)
    yield from told(
        visit,
        begin,
        identity(rng, "auth.login", ("account", person.account), client="portal-web", method="password"),
        Deed(
            service="portal-web",
            action="session.start",
            metadata={"client": "portal-web", "keep_signed_in": True},
            took_ms=41,
        ),
        Deed(
            service="portal-web",
            action="record.view",
            target=("dashboard", "portfolio"),
            metadata={"route": "/dashboard"},
            took_ms=377,
        ),
    )
    for beat in range(1, 28):
        metadata = {"open_minutes": beat * 30, "visible": False}
        yield Step(
            begin + timedelta(minutes=beat * 30, seconds=rng.random()),
            visit,
            Deed(service="portal-web", action="session.heartbeat", metadata=metadata),
        )
    ended = Deed(
        service="portal-web",
        action="session.end",
        metadata={"reason": "maximum age", "limit_hours": 14},
        took_ms=14 * 3_600_000,
    )
    yield Step(begin + timedelta(hours=14), visit, ended)


def typing_trouble(rng: Random, world: World, day: date) -> Iterator[Step]:
    """A letter missing in the name, three wrong passwords, then both right."""
    person = world.the("Bo Szymanski")
    visit, begin = office_visit(rng, world, person), hour_of(day, 7, 58)
    misspelt = replace(visit, user_id=person.user_id.replace("szy", "sy"))
    unknown = identity(rng, "auth.login_failed", outcome="failure", client="portal-web", reason="unknown_user")
    yield from told(misspelt, begin, unknown)
    account = ("account", person.account)
    wrong = [mistyped(rng, account, client="portal-web", attempt=attempt) for attempt in (1, 2, 3)]
    risk = {"score": 21, "signals": ["recent_failures"]}
    right = identity(rng, "auth.login", account, client="portal-web", method="password", risk=risk)
    yield from told(visit, begin + timedelta(seconds=20), *wrong, right)


def new_password(rng: Random, world: World, day: date) -> Iterator[Step]:
    person = world.the("Camille Desrosiers")
    account = ("account", person.account)
    yield from told(
        office_visit(rng, world, person),
        hour_of(day, 9, 12),
        identity(
            rng,
            "auth.login",
            account,
            client="portal-web",
            method="password",
            notice="password expires in 2 days",
        ),
        identity(rng, "auth.mfa", account, client="portal-web", factor="webauthn"),
        identity(
            rng,
            "auth.password_change",
            account,
            pause_s=75,
            sensitive=True,
            reason="expiry",
            strength=4,
            breached=False,
        ),
        identity(rng, "session.revoke", account, pause_s=2, reason="password changed", revoked=2, kept="this one"),
    )


def granted_for_a_reason(rng: Random, world: World, day: date) -> Iterator[Step]:
    """A right for six hours, with reason and ticket, taken back when due."""
    lead = world.the("Graham Ostrowski")
    right: dict[str, object] = {
        "right": "site:budget:read",
        "object": "site/lax-025",
        "holder": "corinne.ashgrove",
        "ticket": "HELP-9127",
    }
    target = ("account", "corinne.ashgrove")
    begin = hour_of(day, 11, 5)
    yield from told(
        office_visit(rng, world, lead),
        begin,
        identity(
            rng,
            "permission.grant",
            target,
            grant=right,
            reason="Budget page shows wrong totals, needs to see what the customer sees",
            hours=6,
        ),
    )
    yield from told(
        office_visit(rng, world, lead),
        begin + timedelta(hours=6),
        identity(rng, "permission.revoke", target, grant=right, reason="end of the grant", by="schedule"),
    )


def newcomer(rng: Random, world: World, day: date) -> Iterator[Step]:
    """A contractor's estimator is invited and joins from his telephone."""
    host = world.the("Priya Raghunathan")
    guest = "lorna.achterberg@saltmarsh-plumbing.example"
    target = ("account", "lorna.achterberg")
    begin = hour_of(day, 13, 20)
    yield from told(
        office_visit(rng, world, host),
        begin,
        identity(
            rng,
            "user.invite",
            target,
            role="contractor",
            vendor="V-0508",
            sites=["aus-014", "aus-016"],
            expires_hours=72,
        ),
    )
    joining = Visit(
        session_id=session_token(rng),
        user_id=guest,
        address=mobile_address(rng),
        agent="HarborforkField/4.18.2 (Android 16; Pixel 9)",
    )
    yield from told(
        joining,
        begin + timedelta(minutes=38),
        identity(rng, "user.create", target, source="invitation", terms="2026-02", locale="en-US"),
        identity(rng, "auth.mfa", target, pause_s=50, factor="totp", enrolled=True),
        identity(rng, "auth.login", target, client="field-app", method="password"),
    )


def leaver(rng: Random, world: World, day: date) -> Iterator[Step]:
    """Someone leaves: account off, tokens and sessions gone, in this order."""
    lead = world.the("Saoirse Kinnane")
    target, ticket = ("account", "perry.oldcastle"), "HR-0586"
    yield from told(
        office_visit(rng, world, lead),
        hour_of(day, 15, 48),
        identity(rng, "user.disable", target, ticket=ticket, reason="last working day", effective="now"),
        identity(
            rng,
            "auth.token_revoke",
            target,
            ticket=ticket,
            tokens=3,
            kinds=["refresh", "refresh", "field-device"],
        ),
        identity(rng, "session.revoke", target, ticket=ticket, revoked=1),
        identity(rng, "role.update", ("role", "project_manager"), ticket=ticket, members={"from": 8, "to": 7}),
    )


def key_rotation(rng: Random, world: World, day: date) -> Iterator[Step]:
    target = ("secret", "permits/gateway-client")
    visit = machine_visit(rng, "deploy-bot", DEPLOY_BOT)
    trace = trace_id(rng)

    def deed(action: str, pause_s: float, **more: object) -> Deed:
        return Deed(
            service="deploy-bot",
            action=action,
            target=target,
            metadata={"policy": "90 days", **more},
            took_ms=took(rng, 60),
            pause_s=pause_s,
            sensitive=True,
            trace_id=trace,
        )

    yield from told(
        visit,
        hour_of(day, 3, 2),
        deed("secret.read", 2, version=17),
        deed("secret.create", 3, version=18, bits=256),
        deed("secret.rotate", 40, version={"from": 17, "to": 18}, overlap_hours=24, consumers=3),
    )
