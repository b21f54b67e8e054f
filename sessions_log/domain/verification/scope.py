"""What a verification is to look at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sessions_log.domain.verification.leaves import Part, parts, some_parts
from sessions_log.domain.verification.tree import StoredNote


class VerifiedLedger(NamedTuple):
    """Which ledger is verified."""

    organization_id: int
    uid: UUID
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """All of a ledger, or what is named here.

    rows_from: rows of entries before it are passed over. seqs: the bundles of these entries alone, and the ledger's
    end; the tree above is looked at as a whole. opens: whether sealed parts are opened. references: whether subjects,
    sessions, targets, addresses and counters are looked at, all of them. kept: checkpoints from elsewhere.
    """

    rows_from: int = 0
    seqs: range | None = None
    opens: bool = False
    references: bool = False
    kept: tuple[StoredNote, ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Whether what goes through all of a ledger is looked at: with all of it, or with the last of many steps."""
        return self.seqs is None or self.references

    def parts(self, size: int, accounted: tuple[range, ...]) -> Iterator[Part]:
        """The parts of a ledger of this size.

        accounted: entries whose rows a statement says to be purged; whatever else is missing is a fault.
        """
        if self.seqs is None:
            return parts(size, rows_from=self.rows_from, accounted=accounted)
        return some_parts(size, self.seqs, accounted=accounted)
