"""Verifications on their schedule, in short steps: no other job waits long, and a crash costs one step at most."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sessions_log.domain.verification.results import Verified
from sessions_log.domain.verification.runs import Kind, Position, Run, run_of
from sessions_log.domain.verification.scope import Scope, VerifiedLedger


class Verifier(Protocol):
    """Who looks at ledgers."""

    def run(self, ledger: VerifiedLedger, scope: Scope) -> Iterator[tuple[Verified, int]]:
        """What is known after each step, and the ledger's size; the last time everything."""


class Runs(Protocol):
    """Where runs and positions are kept."""

    def ledgers(self, kind: Kind) -> list[VerifiedLedger]:
        """All that have entries, those whose position of this kind was moved longest ago first."""

    def size(self, organization_id: int) -> int:
        """How many entries a ledger has."""

    def position(self, organization_id: int, kind: Kind) -> Position | None:
        """Where a run stands, None where none is on its way."""

    def is_done(self, organization_id: int, kind: Kind, since: datetime) -> bool:
        """Whether a run of this kind over the whole ledger was begun since then, and finished."""

    def note(self, runs: list[Run], position: Position, at: datetime, *, is_over: bool = False) -> None:
        """Add runs and move the position, or take it away where its run is over; all or nothing."""


@dataclass(frozen=True, slots=True)
class ScheduledVerification:
    """Looks at what is due; reads outside of any transaction that writes, and writes what came of it at once."""

    runs: Runs
    verifier: Verifier
    clock: Callable[[], datetime]

    def next_part(self, ledger: VerifiedLedger) -> Run:
        """Look at the next part of a ledger; after its end, at the first again."""
        began = self.clock()
        position = self.runs.position(ledger.organization_id, Kind.PART) or Position(
            organization_id=ledger.organization_id, kind=Kind.PART, started_at=began
        )
        seqs = position.step(self.runs.size(ledger.organization_id))
        result = self._look(ledger, Scope(seqs=seqs))
        run = run_of(ledger.organization_id, Kind.PART, seqs, result, started_at=began, finished_at=self.clock())
        self.runs.note([run], position.moved(seqs, result), run.finished_at)
        return run

    def next_step(self, ledger: VerifiedLedger, since: datetime) -> bool:
        """Take the next step of the look at everything that is due since then. Returns whether nothing is left.

        What a step finds is noted at once, and again with the whole run.
        """
        own, began = ledger.organization_id, self.clock()
        position = self.runs.position(own, Kind.OPENED)
        if position is None:
            if self.runs.is_done(own, Kind.OPENED, since):
                return True
            position = Position(organization_id=own, kind=Kind.OPENED, started_at=began)
        size = self.runs.size(own)
        seqs = position.step(size)
        is_over = seqs.stop == size
        result = self._look(ledger, Scope(seqs=seqs, opens=True, references=is_over))
        moved, now = position.moved(seqs, result), self.clock()
        done = [moved.finished(now)] if is_over else []
        if result.faults and not is_over:
            done = [run_of(own, Kind.OPENED, seqs, result, started_at=began, finished_at=now)]
        self.runs.note(done, moved, now, is_over=is_over)
        return is_over

    def _look(self, ledger: VerifiedLedger, scope: Scope) -> Verified:
        *_, (result, _) = self.verifier.run(ledger, scope)
        return result
