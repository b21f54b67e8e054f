"""Twenty-six minutes without the permit gateway."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from sessions_log.domain.demo.form import Deed, Step, short_token, took, trace_id
from sessions_log.domain.demo.mishaps import failed
from sessions_log.domain.demo.telling import hour_of, machine_visit

SERVICE = "permits"
LENGTH = timedelta(minutes=26)


def outage_begin(workdays: list[date]) -> datetime | None:
    """When the permit gateway goes down: the middle working day, mid-morning at headquarters."""
    return hour_of(workdays[len(workdays) // 2], 10, 17) if workdays else None


def outage_calls(rng: Random, begin: datetime) -> Iterator[Step]:
    """The front end's calls to the gateway while it is down, and the first good one after."""
    visit = machine_visit(rng, "portal-web", "portal-web@svc.harborfork.example")
    at, end, attempt = begin + timedelta(seconds=8), begin + LENGTH, 1
    while at < end:
        yield Step(
            at,
            visit,
            _gateway_call(rng, attempt, {"status": 503, "error": {"code": "unavailable", "upstream": "permits-api"}}),
        )
        at, attempt = at + timedelta(seconds=rng.uniform(12, 70)), attempt + 1
    yield Step(
        end + timedelta(seconds=31),
        visit,
        _gateway_call(rng, attempt, {"status": 200, "recovered_after_s": int(LENGTH.total_seconds())}),
    )


def _gateway_call(rng: Random, attempt: int, answer: dict[str, object]) -> Deed:
    return Deed(
        service="portal-web",
        action="api.call",
        target=("endpoint", "permits/v3/status"),
        trace_id=trace_id(rng),
        took_ms=took(rng, 10_000 if answer["status"] == 503 else 240),
        outcome="failure" if answer["status"] == 503 else "success",
        metadata={"requestId": short_token(rng, 16), "method": "GET", "attempt": attempt, **answer},
    )


def during_outage(steps: Iterable[Step], begin: datetime) -> Iterator[Step]:
    """While the gateway is down, what it is asked fails."""
    down: dict[str, object] = {
        "status": 503,
        "code": "unavailable",
        "retry_after_s": 30,
        "upstream": f"{SERVICE}-api",
    }
    for step in steps:
        hit = step.deed.service == SERVICE and begin <= step.at < begin + LENGTH
        yield step._replace(deed=replace(failed(step.deed, down), took_ms=10_000)) if hit else step
