"""How many records a second each side takes in and has recorded, the sides taking turns."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from math import ceil
from pathlib import Path

from tests.perf.load import Load, Outcome
from tests.perf.shape import Scenario
from tests.perf.sides import ROOT, Server, Side

HALVES = 2
WARM_UP_S = 3.0
_runs = count()


@dataclass(slots=True, kw_only=True)
class Rates:
    """One side's figures in one scenario, both halves together; rates are records a second."""

    side: str
    seconds: float = 0.0
    until_recorded_s: float = 0.0
    requests: int = 0
    acknowledged: int = 0
    lost: int = 0
    accepted_rate: float = 0.0
    recorded_rate: float = 0.0
    half_rates: list[float] = field(default_factory=list)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    generator_cpu_s: float = 0.0


def scenario_rates(
    scenario: Scenario, sides: Sequence[Side], *, server: Server, seconds: float, records_file: Path
) -> list[Rates]:
    """Warm both up, then let them take turns in halves of the time, so that the machine's drift cancels."""
    for side in sides:
        outcome = generate(scenario, side, seconds=min(WARM_UP_S, seconds), records_file=records_file)
        side.wait_until_recorded()
    server.checkpoint()
    rates = [Rates(side=side.name) for side in sides]
    latencies: list[list[int]] = [[] for _ in sides]
    for _ in range(HALVES):
        for side, figures, latency in zip(sides, rates, latencies, strict=True):
            before = side.stored()
            outcome = generate(scenario, side, seconds=seconds / HALVES, records_file=records_file)
            side.wait_until_recorded()
            recorded = outcome.ended if side.answers_when_recorded else time.monotonic()
            add(figures, outcome, recorded=recorded)
            figures.lost += outcome.acknowledged - (side.stored() - before)
            latency.extend(outcome.latencies_us)
    for figures, latency in zip(rates, latencies, strict=True):
        figures.accepted_rate = figures.acknowledged / figures.seconds
        figures.recorded_rate = figures.acknowledged / figures.until_recorded_s
        figures.p50_ms, figures.p99_ms = percentile(latency, 50) / 1000, percentile(latency, 99) / 1000
    return rates


def add(figures: Rates, outcome: Outcome, *, recorded: float) -> None:
    figures.seconds += outcome.ended - outcome.started
    figures.until_recorded_s += recorded - outcome.started
    figures.requests += outcome.requests
    figures.acknowledged += outcome.acknowledged
    figures.half_rates.append(outcome.acknowledged / (outcome.ended - outcome.started))
    figures.generator_cpu_s += outcome.cpu_s
    for kind, times in outcome.errors.items():
        figures.errors[kind] = figures.errors.get(kind, 0) + times


def generate(scenario: Scenario, side: Side, *, seconds: float, records_file: Path) -> Outcome:
    """One run of the load generator, in a process of its own."""
    load = Load(
        port=side.port,
        key=side.key,
        records_file=str(records_file),
        records_per_request=scenario.records_per_request,
        clients=scenario.clients,
        seconds=seconds,
        seed=f"{next(_runs) % 256:02x}",
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.perf.load"],
        cwd=ROOT,
        input=json.dumps(asdict(load)),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Outcome(**json.loads(done.stdout))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0
