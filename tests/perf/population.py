"""A month of an organization's records for the list pages: real contents, many people."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

DAYS = 28
ENTRIES_PER_USER = 500
ENTRIES_PER_SESSION = 21  # as in the real hour
ADDRESSES = 5_000
TARGETS = 20_000
MACHINE = "deploy-robot"
MACHINE_SESSION = "machine-key-0001"
MACHINE_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Visit:
    """One session of one user."""

    user: str
    session: str
    address: str


@dataclass(slots=True)
class Population:
    """Made up from a seed: people visit for a while from their usual address; one machine never stops.

    Users, addresses and targets are Zipf distributed, so that a search may find 120,000 entries or one.
    """

    templates: Sequence[dict[str, Any]]
    entries: int
    end: datetime
    seed: int = 20_260_101

    @property
    def users(self) -> int:
        return max(20, self.entries // ENTRIES_PER_USER)

    def records(self) -> Iterator[dict[str, Any]]:
        """The records in the wire form, oldest first."""
        random = Random(self.seed)
        moments = sorted(self._moments(random), key=lambda moment: moment[0])
        start = self.end - timedelta(days=DAYS)
        target_weights = zipf(TARGETS)
        targets = random.choices(range(TARGETS), cum_weights=target_weights, k=len(moments))
        for (at, visit, template), target in zip(moments, targets, strict=True):
            yield self._record(random, self.templates[template], visit, start + timedelta(seconds=at), target)

    def _moments(self, random: Random) -> Iterator[tuple[float, Visit, int]]:
        """Seconds from the start, whose visit, and which template, in no order."""
        span = DAYS * 86_400.0
        machine = Visit(MACHINE, MACHINE_SESSION, "10.0.0.1")
        of_machine = int(self.entries * MACHINE_SHARE)
        for n in range(of_machine):
            yield random.uniform(0, span), machine, n % len(self.templates)
        left = self.entries - of_machine
        weights = zipf(self.users)
        while left > 0:
            visit = self._visit(random, weights)
            at, template = self._working_time(random, span), random.randrange(len(self.templates))
            for _ in range(min(left, 1 + int(random.expovariate(1 / (ENTRIES_PER_SESSION - 1))))):
                yield min(at, span), visit, template
                at, template = at + random.expovariate(1 / 60), (template + 1) % len(self.templates)
                left -= 1

    def _visit(self, random: Random, weights: Sequence[float]) -> Visit:
        rank = random.choices(range(self.users), cum_weights=weights)[0]
        usual = random.random() < 0.8
        address = rank * 7 % ADDRESSES if usual else random.randrange(ADDRESSES)
        return Visit(user(rank), f"{random.getrandbits(80):020x}", f"10.20.{address // 250}.{address % 250}")

    def _working_time(self, random: Random, span: float) -> float:
        """Three visits of four begin between 7 and 19 o'clock."""
        at = random.uniform(0, span)
        return at // 86_400 * 86_400 + random.uniform(7, 19) * 3_600 if random.random() < 0.75 else at

    def _record(
        self, random: Random, template: dict[str, Any], visit: Visit, at: datetime, target: int
    ) -> dict[str, Any]:
        record = template | {
            "id": str(UUID(int=random.getrandbits(128), version=4)),
            "userId": visit.user,
            "sessionId": visit.session,
            "ipAddress": visit.address,
            "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if "target" in template:
            record["target"] = {"type": template["target"]["type"], "id": f"resource-{target:05d}"}
        return record


def user(rank: int) -> str:
    return f"person-{rank:04d}"


def zipf(count: int) -> list[float]:
    """Cumulative weights 1, 1/2, 1/3, ..."""
    return list(accumulate(1 / (rank + 1) for rank in range(count)))


def line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
