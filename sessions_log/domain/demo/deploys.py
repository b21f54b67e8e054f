"""Releases in the small hours of headquarters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from sessions_log.domain.demo.form import Deed, Step, trace_id
from sessions_log.domain.demo.telling import DEPLOY_BOT, hour_of, machine_visit

DEPLOYED = ("portal-web", "site-ops", "vendor-hub", "permits", "field-app")


def night_deploy(rng: Random, day: date, *, service: str) -> Iterator[Step]:
    """One release: start, canary, finish."""
    yield from _steps(rng, day, service, (_start(rng), _canary(rng), _finish()))


def rolled_back_deploy(rng: Random, day: date, *, service: str) -> Iterator[Step]:
    """The canary shows too many errors: back to the image before."""
    bad = replace(_canary(rng), outcome="failure", metadata={"share": 5, "errors": 0.081, "p99_ms": 4120})
    back = {"reason": "error rate above 2 percent in canary", "to": f"{day:%Y.%V}.0", "automatic": True}
    rollback = Deed(service="deploy-bot", action="deploy.rollback", metadata=back, took_ms=48_210, pause_s=35)
    lost = replace(_finish(), outcome="failure", metadata={"state": "rolled back"})
    yield from _steps(rng, day, service, (_start(rng), bad, rollback, lost))


def _start(rng: Random) -> Deed:
    approved = {"approved_by": ["graham.ostrowski", "xiulan.feng"], "replicas": rng.choice((3, 4, 6))}
    return Deed(service="deploy-bot", action="deploy.start", metadata=approved)


def _canary(rng: Random) -> Deed:
    seen = {"share": 5, "errors": round(rng.random() / 900, 5), "p99_ms": rng.randrange(140, 900)}
    pause_s = rng.uniform(120, 600)
    return Deed(service="deploy-bot", action="custom.deploy.canary", metadata=seen, pause_s=pause_s)


def _finish() -> Deed:
    return Deed(service="deploy-bot", action="deploy.finish", metadata={"state": "live"}, pause_s=210)


def _steps(rng: Random, day: date, service: str, deeds: tuple[Deed, ...]) -> Iterator[Step]:
    begin = hour_of(day, 1, 30) + timedelta(minutes=rng.randrange(150))
    visit, trace = machine_visit(rng, "deploy-bot", DEPLOY_BOT), trace_id(rng)
    release = {
        "pipeline": f"{service}/{rng.randrange(2000, 4800)}",
        "commit": f"{rng.getrandbits(160):040x}",
        "image": f"registry.harborfork.example/{service}:{day:%Y.%V}.{rng.randrange(1, 9)}",
        "environment": "production",
        "change": f"CHG-{rng.randrange(4100, 4990)}",
    }
    at = begin
    for deed in deeds:
        at += timedelta(seconds=deed.pause_s)
        lasted_ms = int((at - begin).total_seconds() * 1000) if deed.action == "deploy.finish" else deed.took_ms
        metadata = {**release, **deed.metadata}
        yield Step(
            at,
            visit,
            replace(deed, metadata=metadata, target=("service", service), trace_id=trace, took_ms=lasted_ms),
        )
