"""What a verification comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_FAULTS = 100


class Fault(NamedTuple):
    """What is wrong, and where: `entry 17 (0193…)`, `bundle 3`, `checkpoint of 512 entries`."""

    place: str
    words: str


@dataclass(slots=True)
class Verified:
    """What is known so far; `faults` holds the first MOST_FAULTS, in the order of the ledger.

    entries: how many rows were looked at. opened: of how many the sealed part was opened; erased: of how many it
    cannot be any more, as an erasure says.
    """

    size: int = 0
    root: bytes = b""
    entries: int = 0
    opened: int = 0
    erased: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, words: str) -> None:
        """Note a fault."""
        self.take([Fault(place, words)])

    def take(self, faults: Iterable[Fault]) -> None:
        """Note faults that were found elsewhere."""
        for one in faults:
            if len(self.faults) < MOST_FAULTS:
                self.faults.append(one)
