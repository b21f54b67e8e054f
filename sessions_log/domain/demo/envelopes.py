"""What each service wraps around its records: every team has its own habits of metadata."""

from dataclasses import dataclass
from random import Random

from sessions_log.domain.demo.devices import Desk
from sessions_log.domain.demo.form import Deed, record_uuid, short_token, sorted_id, took, trace_id
from sessions_log.domain.demo.people import Person
from sessions_log.domain.demo.sites import Paper, Site


@dataclass(frozen=True, slots=True)
class Hand:
    """Whoever does something now: person, tools, and the site it concerns."""

    rng: Random
    person: Person
    desk: Desk
    site: Site

    def paper(self, kind: str) -> Paper:
        return self.rng.choice(self.site.papers[kind])


Target = tuple[str, str] | None


def portal(
    hand: Hand,
    action: str,
    route: str,
    target: Target = None,
    *,
    method: str = "GET",
    typical_ms: float = 140,
    pause_s: float = 9,
    **more: object,
) -> Deed:
    """Next.js front end: request id, route pattern, status; a trace on a third of its records."""
    rng = hand.rng
    status = 201 if method == "POST" else 200
    return Deed(
        service="portal-web",
        action=action,
        target=target,
        metadata={
            "requestId": sorted_id(rng, "req"),
            "route": route,
            "method": method,
            "status": status,
            **more,
        },
        took_ms=took(rng, typical_ms),
        pause_s=_pause(rng, pause_s),
        trace_id=trace_id(rng) if rng.random() < 0.35 else None,
    )


def site_ops(
    hand: Hand,
    action: str,
    view: str,
    target: Target = None,
    *,
    typical_ms: float = 90,
    pause_s: float = 12,
    **more: object,
) -> Deed:
    """A Django application: snake case, the view's name, the site beside everything."""
    rng = hand.rng
    return Deed(
        service="site-ops",
        action=action,
        target=target,
        metadata={"request_id": record_uuid(rng).hex, "view": view, "site": hand.site.code, **more},
        took_ms=took(rng, typical_ms),
        pause_s=_pause(rng, pause_s),
    )


def permits(
    hand: Hand,
    action: str,
    target: Target = None,
    *,
    typical_ms: float = 320,
    pause_s: float = 18,
    **more: object,
) -> Deed:
    """A gateway to the building departments: slow, correlation ids, traced throughout."""
    rng = hand.rng
    return Deed(
        service="permits",
        action=action,
        target=target,
        metadata={
            "correlationId": f"{rng.getrandbits(64):016x}",
            "jurisdiction": f"{hand.site.city.lower().replace(' ', '-')}-building",
            "siteCode": hand.site.code,
            **more,
        },
        took_ms=took(rng, typical_ms),
        pause_s=_pause(rng, pause_s),
        trace_id=trace_id(rng),
    )


def vendor_hub(
    hand: Hand,
    action: str,
    target: Target = None,
    *,
    sensitive: bool = False,
    typical_ms: float = 160,
    pause_s: float = 15,
    **more: object,
) -> Deed:
    rng = hand.rng
    return Deed(
        service="vendor-hub",
        action=action,
        target=target,
        metadata={"rid": short_token(rng, 12), **more},
        took_ms=took(rng, typical_ms),
        pause_s=_pause(rng, pause_s),
        sensitive=sensitive,
    )


def field_app(
    hand: Hand,
    action: str,
    screen: str,
    target: Target = None,
    *,
    typical_ms: float = 240,
    pause_s: float = 25,
    **more: object,
) -> Deed:
    """The mobile app: device, network and how long a record waited for a signal."""
    rng = hand.rng
    waited = rng.randrange(200, 240_000) if rng.random() < 0.15 else 0
    return Deed(
        service="field-app",
        action=action,
        target=target,
        metadata={
            "screen": screen,
            "site": hand.site.code,
            "device": {
                "model": hand.desk.handset[1],
                "os": hand.desk.handset[2],
                "app": hand.desk.release,
            },
            "queuedMs": waited,
            **more,
        },
        took_ms=took(rng, typical_ms),
        pause_s=_pause(rng, pause_s),
    )


def identity(
    rng: Random,
    action: str,
    target: Target = None,
    *,
    outcome: str = "success",
    typical_ms: float = 210,
    pause_s: float = 4,
    sensitive: bool = False,
    **more: object,
) -> Deed:
    return Deed(
        service="identity",
        action=action,
        target=target,
        outcome=outcome,
        metadata={"eventId": sorted_id(rng, "evt"), "realm": "harborfork", **more},
        took_ms=took(rng, typical_ms),
        pause_s=_pause(rng, pause_s),
        sensitive=sensitive,
    )


def _pause(rng: Random, mean_s: float) -> float:
    return 0.4 + rng.expovariate(1 / mean_s)
