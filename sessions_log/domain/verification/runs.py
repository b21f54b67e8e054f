"""Runs of the verification: what each looked at, and how one goes on where the last step ended."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from sessions_log.domain.verification.results import Fault, Verified

STEP_ENTRIES = 65_536


class Kind(IntEnum):
    """How deep a run looks; each sees all that those before it see, but for AGAINST, which opens nothing."""

    PART = 1
    WHOLE = 2
    OPENED = 3
    AGAINST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run over the entries from `first_seq` to before `end_seq`; `fault` is the first of `faults`."""

    organization_id: int
    kind: Kind
    first_seq: int
    end_seq: int
    started_at: datetime
    finished_at: datetime
    entries: int = 0
    opened: int = 0
    checkpoints: int = 0
    faults: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A run on its way: what it has seen before `next_seq`."""

    organization_id: int
    kind: Kind
    started_at: datetime
    next_seq: int = 0
    entries: int = 0
    opened: int = 0
    checkpoints: int = 0
    faults: int = 0
    fault: Fault | None = None

    def step(self, size: int) -> range:
        """What comes next in a ledger of `size` entries; its beginning, where the end was reached."""
        first = self.next_seq if self.next_seq < size else 0
        return range(first, min(first + STEP_ENTRIES, size))

    def moved(self, seqs: range, result: Verified) -> "Position":
        """The position after a step."""
        return replace(
            self,
            next_seq=seqs.stop,
            entries=self.entries + result.entries,
            opened=self.opened + result.opened,
            checkpoints=self.checkpoints + result.checkpoints,
            faults=self.faults + len(result.faults),
            fault=self.fault or next(iter(result.faults), None),
        )

    def finished(self, at: datetime) -> Run:
        """All steps as one run."""
        return Run(
            organization_id=self.organization_id,
            kind=self.kind,
            first_seq=0,
            end_seq=self.next_seq,
            started_at=self.started_at,
            finished_at=at,
            entries=self.entries,
            opened=self.opened,
            checkpoints=self.checkpoints,
            faults=self.faults,
            fault=self.fault,
        )


def run_of(
    organization_id: int, kind: Kind, seqs: range, result: Verified, *, started_at: datetime, finished_at: datetime
) -> Run:
    """A run that took one step."""
    position = Position(organization_id=organization_id, kind=kind, started_at=started_at).moved(seqs, result)
    return replace(position.finished(finished_at), first_seq=seqs.start)
