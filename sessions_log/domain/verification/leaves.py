"""A part of a ledger: the rows of its entries held against its leaves, and its leaves made into subtrees.

Parts depend on nothing outside them, so that they can be checked in several processes at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from sessions_log.domain import entry_id
from sessions_log.domain.leaf import BUNDLE_LEAVES, unbundle
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.verification.results import MOST_FAULTS, Fault

PART_BUNDLES = 64


class StoredEntry(NamedTuple):
    """An entry's place, its id (16 bytes), and the leaf that its row gives; None where the row cannot give one.

    fault: what else is wrong with it, in words.
    """

    seq: int
    id: bytes
    leaf: bytes | None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The bundles from `first` to before `end` of a ledger of `size` entries, and the rows of their entries.

    The last part of a ledger has the bundle that is not full, and all rows that lie beyond. rows_from: rows of entries
    before it are passed over. heads: sizes of the ledger at which its tree is wanted. accounted: entries whose rows a
    statement says to be purged.
    """

    first: int
    end: int
    size: int
    rows_from: int = 0
    heads: tuple[int, ...] = ()
    accounted: tuple[range, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether the bundle that is not full belongs to it."""
        return self.end > self.size // BUNDLE_LEAVES

    @property
    def lowest(self) -> int | None:
        """The lowest seq whose row is read; None where there is no bound."""
        lowest = max(self.first * BUNDLE_LEAVES, self.rows_from)
        return lowest or None

    @property
    def beyond(self) -> int | None:
        """The seq before which rows are read; None where there is no bound."""
        return None if self.is_last else self.end * BUNDLE_LEAVES


class CheckedBundle(NamedTuple):
    """The tree over a bundle's leaves alone, and the trees over its first leaves, by the size that the ledger had."""

    number: int
    tree: Frontier
    heads: Mapping[int, Frontier]


@dataclass(slots=True)
class CheckedPart:
    """What the check of a part gives; bundles that are missing are left out. The first MOST_FAULTS are kept."""

    bundles: list[CheckedBundle] = field(default_factory=list)
    entries: int = 0
    opened: int = 0
    erased: int = 0
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, words: str) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(place, words))


def parts(size: int, *, rows_from: int = 0, accounted: tuple[range, ...] = ()) -> Iterator[Part]:
    """A whole ledger in parts."""
    full = size // BUNDLE_LEAVES
    for first in range(0, full + 1, PART_BUNDLES):
        end = min(first + PART_BUNDLES, full + 1)
        yield Part(first=first, end=end, size=size, rows_from=rows_from, accounted=accounted)


def some_parts(size: int, seqs: range, *, accounted: tuple[range, ...] = ()) -> Iterator[Part]:
    """The whole bundles that these entries stand in, and the ledger's end, whose leaves the tree needs in any case."""
    full = size // BUNDLE_LEAVES
    last = min(full, -(-seqs.stop // BUNDLE_LEAVES))
    for first in range(seqs.start // BUNDLE_LEAVES, last, PART_BUNDLES):
        yield Part(first=first, end=min(first + PART_BUNDLES, last), size=size, accounted=accounted)
    rows_from = 0 if seqs.stop > full * BUNDLE_LEAVES else size
    yield Part(first=full, end=full + 1, size=size, rows_from=rows_from, accounted=accounted)


def check_part(
    part: Part, bundles: Iterable[tuple[int, bytes]], tail: Iterable[tuple[int, bytes]], rows: Iterable[StoredEntry]
) -> CheckedPart:
    """Check a part.

    bundles: (number, leaves in bundle form); tail, for the last part: (first seq, leaves), by seq; rows: by seq.
    """
    checked = CheckedPart()
    entries = _Entries(part, rows, checked)
    for number, leaves in _lots(part, dict(bundles), tail, checked):
        if leaves is None:
            entries.pass_over((number + 1) * BUNDLE_LEAVES)
            continue
        entries.check(number * BUNDLE_LEAVES, leaves)
        checked.bundles.append(_bundle(part, number, [leaf_hash(leaf) for leaf in leaves]))
    if part.is_last:
        entries.pass_over(part.size)
    entries.check_end()
    return checked


def _bundle(part: Part, number: int, hashes: list[bytes]) -> CheckedBundle:
    begin = number * BUNDLE_LEAVES
    within = [size for size in part.heads if begin <= size < begin + BUNDLE_LEAVES and size <= begin + len(hashes)]
    heads = {size: Frontier().grown(hashes[: size - begin])[0] for size in within}
    return CheckedBundle(number, Frontier().grown(hashes)[0], heads)


def _lots(
    part: Part, bundles: dict[int, bytes], tail: Iterable[tuple[int, bytes]], checked: CheckedPart
) -> Iterator[tuple[int, list[bytes] | None]]:
    """The part's leaves by bundle, the unfinished one last; None for a bundle that is missing."""
    full = part.size // BUNDLE_LEAVES
    for number in range(part.first, min(part.end, full)):
        packed = bundles.pop(number, None)
        leaves = [] if packed is None else _unbundled(f"bundle {number}", packed, checked)
        if len(leaves) != BUNDLE_LEAVES:
            checked.fault(f"bundle {number}", "it is missing, or not of 256 leaves")
            yield number, None
        else:
            yield number, leaves
    for number in sorted(bundles):
        checked.fault(f"bundle {number}", "it has no place in the ledger")
    if part.is_last:
        yield full, _rest(part.size, tail, checked)


def _rest(size: int, tail: Iterable[tuple[int, bytes]], checked: CheckedPart) -> list[bytes]:
    """The leaves of the bundle that is not full; ends where one is wanting."""
    begin = size // BUNDLE_LEAVES * BUNDLE_LEAVES
    rest: list[bytes] = []
    for first_seq, packed in tail:
        if first_seq != begin + len(rest):
            break
        rest += _unbundled(f"leaf {first_seq}", packed, checked)
    if len(rest) < size - begin:
        checked.fault(f"leaf {begin + len(rest)}", "it is missing")
    return rest


def _unbundled(place: str, packed: bytes, checked: CheckedPart) -> list[bytes]:
    try:
        return unbundle(packed)
    except ValueError:
        checked.fault(place, "its leaves cannot be read")
        return []


class _Entries:
    """Holds the entries' rows against the leaves, both in the order of seq."""

    def __init__(self, part: Part, rows: Iterable[StoredEntry], checked: CheckedPart) -> None:
        self._rows = chain(rows, [None])
        self._next = next(self._rows)
        self._part = part
        self._checked = checked

    def check(self, first_seq: int, leaves: list[bytes]) -> None:
        for seq, leaf in enumerate(leaves, first_seq):
            if seq >= self._part.rows_from:
                self._check_one(seq, leaf)

    def _check_one(self, seq: int, leaf: bytes) -> None:
        self._refuse_before(seq)
        row = self._next
        if row is None or row.seq != seq:
            if not self._is_accounted(seq):
                self._checked.fault(f"entry {seq}", "its row is missing")
            return
        if row.leaf is None:
            self._fault(row, "its row holds values that no entry has")
        elif row.leaf != leaf:
            self._fault(row, "its row does not give the leaf that the ledger holds")
        elif row.fault is not None:
            self._fault(row, row.fault)
        elif self._part.accounted and self._is_accounted(seq):
            self._fault(row, "its row is there, and a statement says that it was purged")
        self._checked.entries += 1
        self._next = next(self._rows)

    def pass_over(self, end: int) -> None:
        """Rows before `end`, whose leaves are missing: there is nothing to hold them against."""
        while (row := self._next) is not None and row.seq < end:
            self._next = next(self._rows)

    def check_end(self) -> None:
        self._refuse_before(None)

    def _refuse_before(self, seq: int | None) -> None:
        """Rows that have no place before this seq, or where there is None none at all."""
        while (row := self._next) is not None and (seq is None or row.seq < seq):
            self._fault(row, "its row has no place in the ledger")
            self._next = next(self._rows)

    def _is_accounted(self, seq: int) -> bool:
        return any(seq in seqs for seqs in self._part.accounted)

    def _fault(self, row: StoredEntry, words: str) -> None:
        self._checked.fault(f"entry {row.seq} ({entry_id.text(row.id)})", words)
