"""What runs without people: jobs by the clock, trailers' gateways, the accounting connector, deploys."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from sessions_log.domain.demo.deploys import DEPLOYED, night_deploy
from sessions_log.domain.demo.devices import CONNECTOR_AGENT, SERVICE_AGENTS, trailer_address
from sessions_log.domain.demo.form import Deed, Step, Visit, money, session_token, short_token, took, trace_id
from sessions_log.domain.demo.sites import Site, World
from sessions_log.domain.demo.telling import hour_of, machine_visit


@dataclass(frozen=True, slots=True)
class Job:
    """A scheduled job. `counted` is what it says it did, with the usual number."""

    service: str
    name: str
    every: timedelta
    typical_ms: float
    counted: tuple[str, int]


JOBS = (
    Job("permits", "jurisdiction-poll", timedelta(minutes=45), 21_000, ("statuses", 63)),
    Job("site-ops", "weather-refresh", timedelta(hours=2), 2_600, ("sites", 12)),
    Job("identity", "directory-sync", timedelta(hours=2), 8_400, ("accounts", 184)),
    Job("vendor-hub", "remittance-inbox", timedelta(hours=3), 5_100, ("files", 2)),
    Job("build-copilot", "drawing-index", timedelta(hours=8), 190_000, ("sheets", 41)),
    Job("vendor-hub", "insurance-expiry-scan", timedelta(hours=24), 14_000, ("certificates", 211)),
    Job("site-ops", "nightly-snapshot", timedelta(hours=24), 410_000, ("tables", 96)),
    Job("portal-web", "digest-mail", timedelta(hours=24), 33_000, ("messages", 38)),
)
_TRAILERS_BEAT = timedelta(hours=3)


def machine_steps(rng: Random, world: World, days: list[date]) -> Iterator[Step]:
    begin = datetime.combine(days[0], time(), tzinfo=UTC)
    end = begin + timedelta(days=len(days))
    for job in JOBS:
        yield from _job_runs(rng, job, begin, end)
    for site in world.sites[::3]:
        yield from _trailer_beats(rng, site, begin, end)
    for day in days:
        yield from _connector_calls(rng, day)
        if day.weekday() < 4:
            yield from night_deploy(rng, day, service=rng.choice(DEPLOYED))


def _job_runs(rng: Random, job: Job, begin: datetime, end: datetime) -> Iterator[Step]:
    at = begin + timedelta(minutes=rng.randrange(int(job.every.total_seconds()) // 60))
    run = rng.randrange(9_000, 60_000)
    while at < end:
        late = timedelta(seconds=rng.expovariate(1 / 2.5))
        yield from _job_run(rng, job, at + late, run, attempt=1)
        at, run = at + job.every, run + 1


def _job_run(rng: Random, job: Job, at: datetime, run: int, *, attempt: int) -> Iterator[Step]:
    """Start and finish; one in eighty fails and is run again."""
    visit = machine_visit(rng, job.service, None)
    target = ("job", job.name)
    length_ms = took(rng, job.typical_ms)
    finish = at + timedelta(milliseconds=length_ms)
    begun = {
        "run": run,
        "attempt": attempt,
        "trigger": "schedule" if attempt == 1 else "retry",
        "worker": f"w{rng.randrange(1, 7)}",
    }
    yield Step(at, visit, Deed(service=job.service, action="job.start", target=target, metadata=begun))
    if attempt == 1 and rng.random() < 1 / 80:
        fault = {"run": run, "attempt": attempt, "error": {"code": "upstream_timeout", "after_ms": length_ms}}
        failed = Deed(
            service=job.service,
            action="job.finish",
            target=target,
            metadata=fault,
            took_ms=length_ms,
            outcome="failure",
        )
        yield Step(finish, visit, failed)
        yield from _job_run(rng, job, finish + timedelta(minutes=5), run, attempt=2)
        return
    unit, usual = job.counted
    result = {
        unit: rng.randrange(usual * 3 // 4, usual + 1),
        "changed": rng.randrange(0, 6),
        "warnings": int(rng.random() < 0.05),
    }
    done = {"run": run, "attempt": attempt, "result": result}
    yield Step(
        finish,
        visit,
        Deed(service=job.service, action="job.finish", target=target, metadata=done, took_ms=length_ms),
    )


def _trailer_beats(rng: Random, site: Site, begin: datetime, end: datetime) -> Iterator[Step]:
    """A gateway in the trailer keeps one session for weeks."""
    visit = Visit(
        session_id=session_token(rng),
        user_id=None,
        address=trailer_address(site.number),
        agent=SERVICE_AGENTS["field-app"],
    )
    at, beat = begin + timedelta(seconds=rng.uniform(0, 600)), rng.randrange(300, 3_000)
    while at < end:
        metadata = {
            "gateway": f"gw-{site.code}",
            "uptime_h": beat * 3,
            "signal_dbm": -rng.randrange(58, 97),
            "queued": rng.choice((0, 0, 0, 3)),
        }
        deed = Deed(
            service="field-app",
            action="session.heartbeat",
            target=("gateway", f"gw-{site.code}"),
            metadata=metadata,
        )
        yield Step(at, visit, deed, beat)
        at, beat = at + _TRAILERS_BEAT + timedelta(milliseconds=rng.randrange(-900, 1900)), beat + 1


def _connector_calls(rng: Random, day: date) -> Iterator[Step]:
    """The accounting connector: one token a day, some calls every working hour."""
    if day.weekday() >= 5:
        return
    at = hour_of(day, 7, 5)
    visit = Visit(
        session_id=session_token(rng),
        user_id="ledgerbridge@connector.harborfork.example",
        address="203.0.113.40",
        agent=CONNECTOR_AGENT,
    )
    token = {
        "grant": "client_credentials",
        "client": "ledgerbridge",
        "scopes": ["invoices:read", "payments:write"],
        "expires_in": 43_200,
    }
    yield Step(
        at,
        visit,
        Deed(
            service="identity",
            action="auth.token_issue",
            target=("client", "ledgerbridge"),
            metadata=token,
            took_ms=71,
        ),
    )
    for _ in range(rng.randrange(22, 38)):
        at += timedelta(seconds=rng.expovariate(1 / 1150))
        yield Step(at, visit, _connector_call(rng))


def _connector_call(rng: Random) -> Deed:
    method, path, status = rng.choice(
        (
            ("GET", "/v2/invoices", 200),
            ("GET", "/v2/payments", 200),
            ("POST", "/v2/payments", 201),
            ("PATCH", "/v2/invoices/{id}", 200),
        )
    )
    throttled = rng.random() < 0.03
    answer: dict[str, object] = (
        {"status": 429, "error": {"code": "rate_limited", "retry_after_s": 20}}
        if throttled
        else {"status": status, "items": rng.randrange(0, 51), "total": money(rng.randrange(0, 9_000_000))}
    )
    return Deed(
        service="vendor-hub",
        action="api.call",
        target=("endpoint", path),
        took_ms=took(rng, 85),
        trace_id=trace_id(rng),
        outcome="failure" if throttled else "success",
        metadata={
            "rid": short_token(rng, 12),
            "method": method,
            "path": path,
            "bytes": rng.randrange(120, 48_000),
            **answer,
        },
    )
