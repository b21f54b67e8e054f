"""Support, platform engineers and other caretakers: accounts, settings, secrets, dashboards."""

from collections.abc import Iterator

from sessions_log.domain.demo.envelopes import Hand, identity, portal
from sessions_log.domain.demo.form import Deed, change, short_token, took, trace_id
from sessions_log.domain.demo.people import everybody

_ACCOUNTS = tuple(person.account for person in everybody())
_SERVICES = ("portal-web", "site-ops", "permits", "vendor-hub", "field-app", "build-copilot")
_ASKED = (
    "Cannot open sheet M501 on tablet",
    "Second factor lost with old phone",
    "Invoice approved twice by mistake",
    "Inspection shows the wrong day",
    "Push messages do not arrive",
    "Export has empty column",
    "Wrong site in daily log",
    "Contractor cannot see punch list",
)
_FLAGS = (
    "sheet-compare",
    "punch-offline-sync",
    "copilot-citations",
    "fee-payments-ach",
    "gantt-drag",
    "vendor-scorecard",
)
_SETTINGS = (
    ("session.idleMinutes", 30, 45),
    ("upload.maxMegabytes", 80, 120),
    ("permits.poll.seconds", 1800, 900),
    ("copilot.maxTurns", 12, 16),
    ("rateLimit.exportsPerHour", 6, 4),
    ("mail.digest.hour", 6, 7),
)
_SECRETS = (
    "permits/gateway-client",
    "vendor-hub/bank-file-key",
    "site-ops/db-readonly",
    "copilot/model-gateway",
)


def work_tickets(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    for _ in range(rng.randrange(1, 4)):
        ticket = ("ticket", f"HELP-{rng.randrange(8100, 9990)}")
        yield portal(
            hand,
            "record.view",
            "/support/tickets/[id]",
            ticket,
            pause_s=50,
            subject=rng.choice(_ASKED),
            priority=rng.choice(("low", "normal", "normal", "high")),
            waiting_minutes=rng.randrange(2, 700),
        )
        if rng.random() < 0.6:
            yield portal(
                hand,
                "record.update",
                "/support/tickets/[id]",
                ticket,
                method="PATCH",
                pause_s=130,
                changes=[change("state", "open", rng.choice(("solved", "waiting", "solved")))],
                reply=True,
            )


def help_with_account(hand: Hand) -> Iterator[Deed]:
    rng = hand.rng
    account = ("account", rng.choice(_ACCOUNTS))
    ticket = f"HELP-{rng.randrange(8100, 9990)}"
    yield identity(rng, "record.search", None, by="user id", hits=1, ticket=ticket)
    yield identity(rng, "record.view", account, pause_s=25, tabs=["profile", "factors", "sessions"], ticket=ticket)
    yield identity(
        rng,
        "user.update",
        account,
        pause_s=60,
        ticket=ticket,
        changes=[
            change(
                *rng.choice((("locked", True, False), ("phone_verified", False, True), ("locale", "en-US", "es-US")))
            )
        ],
        checked=rng.choice(("call back", "manager confirmed", "video call")),
    )


def watch_platform(hand: Hand) -> Iterator[Deed]:
    rng, service = hand.rng, hand.rng.choice(_SERVICES)
    yield portal(
        hand,
        "record.view",
        "/ops/services/[name]",
        ("service", service),
        pause_s=30,
        window=rng.choice(("1h", "6h", "24h")),
        p99_ms=rng.randrange(90, 1900),
        error_rate=round(rng.random() / 80, 4),
    )
    if rng.random() < 0.5:
        yield portal(
            hand,
            "record.search",
            "/ops/logs",
            None,
            typical_ms=1500,
            pause_s=40,
            service=service,
            level="error",
            hits=rng.randrange(0, 320),
            scanned_bytes=rng.randrange(10**8, 10**10),
        )
    if rng.random() < 0.25:
        yield Deed(
            service="deploy-bot",
            action="record.view",
            target=("pipeline", f"{service}/{rng.randrange(2000, 4800)}"),
            pause_s=20,
            took_ms=took(rng, 80),
            metadata={"stage": rng.choice(("build", "test", "canary")), "attempt": 1},
        )


def change_setting(hand: Hand) -> Iterator[Deed]:
    rng, service = hand.rng, hand.rng.choice(_SERVICES)
    if rng.random() < 0.5:
        flag, share = rng.choice(_FLAGS), rng.choice((5, 10, 25, 50))
        target, changed = ("feature_flag", flag), change("rollout", share, min(100, share * 2))
    else:
        name, before, after = rng.choice(_SETTINGS)
        target, changed = ("setting", name), change(name, before, after)
    yield Deed(
        service="deploy-bot",
        action="config.change",
        target=target,
        pause_s=90,
        took_ms=took(rng, 150),
        trace_id=trace_id(rng),
        metadata={
            "environment": rng.choice(("production", "staging", "staging")),
            "service": service,
            "changes": [changed],
            "review": {"change": f"CHG-{rng.randrange(4100, 4990)}", "approvals": rng.choice((1, 2))},
        },
    )


def read_secret(hand: Hand) -> Iterator[Deed]:
    rng, name = hand.rng, hand.rng.choice(_SECRETS)
    yield Deed(
        service="identity",
        action="secret.read",
        target=("secret", name),
        pause_s=60,
        took_ms=took(rng, 45),
        sensitive=True,
        metadata={
            "eventId": f"evt_{short_token(rng, 18)}",
            "version": rng.randrange(3, 40),
            "lease_s": 900,
            "justification": rng.choice(
                ("incident drill", "key check before rotation", "gateway handshake fails in staging")
            ),
        },
    )
