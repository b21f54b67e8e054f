"""A sender's own count within a session: which of its numbers came, and which are missing between them.

Ranges hold whole numbers, both ends included; they rise and neither touch nor overlap.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from sessions_log.domain.entries import Recordable, Referred

Ranges = list[tuple[int, int]]

MOST_HOLES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettledSession:
    """A session whose missing numbers are not those that were last stated.

    missing: as it is now. waiting: what was missing when that was first seen. stated: None where the last statement
    does not count any more, because holes were given up since. truncated: whether that ever happened.
    """

    id: UUID
    organization_id: int
    organization_uid: UUID
    missing: Ranges
    waiting: Ranges
    stated: Ranges | None
    truncated: bool


@dataclass(frozen=True, slots=True)
class SettledSession:
    """What has been missing for the whole grace time, and what began to be missing within it."""

    session: UnsettledSession
    missing: Ranges
    begun: Ranges

    @property
    def is_news(self) -> bool:
        """Whether it is to be stated."""
        return self.missing != self.session.stated

    @property
    def details(self) -> dict[str, Any]:
        """What the statement says."""
        return {
            "count": sum(last - first + 1 for first, last in self.missing),
            "missing": self.missing,
            "session": self.session.id.hex,
            "truncated": self.session.truncated,
        }


def settled(session: UnsettledSession) -> SettledSession:
    """A session at the end of its grace time.

    Numbers that are on their way come and go; what is stated was missing at the beginning and at the end. A hole only
    ever gets smaller, so each one now lies within one of the beginning or was not there at all.
    """
    before = iter(session.waiting)
    around = next(before, None)
    missing: Ranges = []
    begun: Ranges = []
    for hole in session.missing:
        while around is not None and around[1] < hole[0]:
            around = next(before, None)
        (missing if around is not None and around[0] <= hole[0] else begun).append(hole)
    return SettledSession(session, missing, begun)


def numbers_of(records: Iterable[tuple[Recordable, Referred]]) -> dict[bytes, Ranges]:
    """The numbers that records carry, by session; a session whose records carry none is left out."""
    numbers: defaultdict[bytes, set[int]] = defaultdict(set)
    for one, known in records:
        if (number := one.record.sequence) is not None:
            numbers[known.session].add(number)
    return {session: ranges_of(own) for session, own in numbers.items()}


def ranges_of(numbers: set[int]) -> Ranges:
    """Numbers as ranges."""
    ranges: Ranges = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def holes(ranges: Ranges) -> Ranges:
    """What is missing between ranges. Nothing is missing before the first: a count may begin anywhere."""
    return [(before + 1, after - 1) for (_, before), (after, _) in pairwise(ranges)]


def given_up(ranges: Ranges) -> tuple[int, int]:
    """From where to where the holes are given up of a session that has more than MOST_HOLES.

    Half of them are kept, the highest, so that a session full of holes is not looked at with each record.
    """
    return ranges[0][0], ranges[-1 - MOST_HOLES // 2][1]
