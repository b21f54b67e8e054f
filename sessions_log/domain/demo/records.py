"""The demo's fortnight as a stream of session logs."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from operator import itemgetter

from sessions_log.domain.demo.form import Step, record_uuid, stream, wire
from sessions_log.domain.demo.machines import machine_steps
from sessions_log.domain.demo.outage import during_outage, outage_begin, outage_calls
from sessions_log.domain.demo.scenes import scene_steps
from sessions_log.domain.demo.sites import build_world
from sessions_log.domain.demo.visits import working_days


def demo_records(*, until: datetime, days: int = 14, seed: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Session logs of the `days` before `until`, oldest first, each beside the service that sends it.

    until: aware. About 1,450 records a day, working days more, weekends fewer; the same for equal arguments.
    A fortnight has every scene of `scenes`; a window without a whole working day has none.
    """
    rng = stream(seed, "ids")
    for step in _steps(until - timedelta(days=days), until, seed):
        yield step.deed.service, wire(step, record_uuid(rng))


def _steps(since: datetime, until: datetime, seed: int) -> list[Step]:
    world = build_world(seed, until.year)
    days = _days(since, until)
    workdays = [day for day in days[2:-2] if day.weekday() < 5]
    begin = outage_begin(workdays)
    everyday = chain(
        working_days(stream(seed, "visits"), world, days),
        machine_steps(stream(seed, "machines"), world, days),
        scene_steps(stream(seed, "scenes"), world, workdays),
    )
    steps = chain(during_outage(everyday, begin), outage_calls(stream(seed, "outage"), begin)) if begin else everyday
    return sorted((step for step in steps if since <= step.at <= until), key=itemgetter(0))


def _days(since: datetime, until: datetime) -> list[date]:
    """Every day that is a local day somewhere within the window."""
    first = since.date() - timedelta(days=1)
    return [first + timedelta(days=number) for number in range((until.date() - first).days + 2)]
