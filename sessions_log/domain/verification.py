"""Verification: everything that is stored of a ledger, computed anew and compared, in one pass and bounded memory.

The entries' rows give their leaves, the leaves the bundles and the tree, the tree the roots of all checkpoints, those
that are stored and those that were kept elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from sessions_log.domain.checkpoint import Checkpoint, parse_checkpoint
from sessions_log.domain.leaf import BUNDLE_LEAVES, unbundle
from sessions_log.domain.merkle import Frontier, Node, leaf_hash
from sessions_log.domain.signed_note import InvalidNote, VerifierKey, parse_note, verified

MOST_FAULTS = 100


class StoredEntry(NamedTuple):
    """An entry's place, its id, and the leaf that its row gives; None where the row cannot give one."""

    seq: int
    id: UUID
    leaf: bytes | None


class StoredNote(NamedTuple):
    """A checkpoint as it was kept, and where."""

    place: str
    note: bytes


@dataclass(frozen=True, slots=True)
class StoredLedger:
    """All that is stored of a ledger, of one moment. Each iterable is taken once, in the order that is said.

    bundles: (number, leaves in bundle form), by number. tail: (first seq, leaves), by seq. nodes: level to its nodes,
    by number. entries: by seq, from `first_entry` on. notes: checkpoints in any order. keys: those that may have
    signed them.
    """

    origins: frozenset[str]
    head: Frontier | None
    size: int
    bundles: Iterable[tuple[int, bytes]]
    tail: Iterable[tuple[int, bytes]]
    nodes: dict[int, Iterator[Node]]
    entries: Iterable[StoredEntry]
    first_entry: int
    notes: Iterable[StoredNote]
    keys: list[VerifierKey]


class Fault(NamedTuple):
    """What is wrong, and where: `entry 17 (0193…)`, `bundle 3`, `checkpoint of 512 entries`."""

    place: str
    words: str


@dataclass(slots=True)
class Verified:
    """What a verification came to; `faults` holds the first MOST_FAULTS, in the order in which they were met."""

    size: int = 0
    root: bytes = b""
    entries: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, words: str) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(place, words))


def verify(ledger: StoredLedger) -> Iterator[Verified]:
    """Verify a ledger; yields what is known after each bundle, the last time with everything."""
    result = Verified()
    signed = _by_size(ledger, result)
    entries = _Entries(ledger, result)
    frontier = Frontier()
    _check_roots(signed, frontier, [], result)
    for number, leaves in _lots(ledger, result):
        hashes = [leaf_hash(leaf) for leaf in leaves]
        _check_roots(signed, frontier, hashes, result)
        frontier, completed = frontier.grown(hashes)
        for node in completed:
            _check_node(next(ledger.nodes.get(node.level, iter(())), None), node, result)
        entries.check(number * BUNDLE_LEAVES, leaves)
        result.size = frontier.size
        yield result
    _check_end(ledger, signed, frontier, result)
    entries.check_end()
    result.root = frontier.root()
    yield result


def _lots(ledger: StoredLedger, result: Verified) -> Iterator[tuple[int, list[bytes]]]:
    """The leaves by bundle, the tail last; ends where leaves are wanting."""
    expected = 0
    for number, packed in ledger.bundles:
        leaves = _unbundled(f"bundle {number}", packed, result)
        if number != expected or len(leaves) != BUNDLE_LEAVES:
            result.fault(f"bundle {expected}", "it is missing, or not of 256 leaves")
            return
        expected += 1
        yield number, leaves
    rest: list[bytes] = []
    for first_seq, packed in ledger.tail:
        if first_seq != expected * BUNDLE_LEAVES + len(rest):
            result.fault(f"leaf {expected * BUNDLE_LEAVES + len(rest)}", "it is missing")
            break
        rest += _unbundled(f"leaf {first_seq}", packed, result)
    if rest:
        yield expected, rest


def _unbundled(place: str, packed: bytes, result: Verified) -> list[bytes]:
    try:
        return unbundle(packed)
    except ValueError:
        result.fault(place, "its leaves cannot be read")
        return []


class _Entries:
    """Holds the entries' rows against the leaves, both in the order of seq."""

    def __init__(self, ledger: StoredLedger, result: Verified) -> None:
        self._rows = chain(ledger.entries, [None])
        self._next = next(self._rows)
        self._first = ledger.first_entry
        self._result = result

    def check(self, first_seq: int, leaves: list[bytes]) -> None:
        for seq, leaf in enumerate(leaves, first_seq):
            if seq >= self._first:
                self._check_one(seq, leaf)

    def _check_one(self, seq: int, leaf: bytes) -> None:
        self._pass_over(seq)
        row = self._next
        if row is None or row.seq != seq:
            self._result.fault(f"entry {seq}", "its row is missing")
            return
        if row.leaf is None:
            self._result.fault(_named(row), "its row holds values that no entry has")
        elif row.leaf != leaf:
            self._result.fault(_named(row), "its row does not give the leaf that the ledger holds")
        self._result.entries += 1
        self._next = next(self._rows)

    def check_end(self) -> None:
        self._pass_over(None)

    def _pass_over(self, seq: int | None) -> None:
        """Rows that have no place before this seq, or where there is None none at all."""
        while (row := self._next) is not None and (seq is None or row.seq < seq):
            self._result.fault(_named(row), "its row has no place in the ledger")
            self._next = next(self._rows)


def _named(row: StoredEntry) -> str:
    return f"entry {row.seq} ({row.id})"


def _by_size(ledger: StoredLedger, result: Verified) -> list[tuple[StoredNote, Checkpoint]]:
    """The checkpoints that are rightly signed, the largest first."""
    good: list[tuple[StoredNote, Checkpoint]] = []
    for stored in ledger.notes:
        result.checkpoints += 1
        try:
            note = parse_note(stored.note)
            checkpoint = parse_checkpoint(note.text)
            verified(note, ledger.keys)
        except InvalidNote as error:
            result.fault(stored.place, str(error))
            continue
        if checkpoint.origin not in ledger.origins:
            result.fault(stored.place, "it is of another ledger")
            continue
        good.append((stored, checkpoint))
    return sorted(good, key=lambda one: one[1].size, reverse=True)


def _check_roots(
    signed: list[tuple[StoredNote, Checkpoint]], frontier: Frontier, hashes: list[bytes], result: Verified
) -> None:
    """Compare the checkpoints whose size lies within these leaves, and take them off the list."""
    while signed and signed[-1][1].size <= frontier.size + len(hashes):
        stored, checkpoint = signed.pop()
        tree, _ = frontier.grown(hashes[: checkpoint.size - frontier.size])
        if tree.root() != checkpoint.root:
            result.fault(stored.place, f"its root is not that of the first {checkpoint.size} entries")


def _check_node(stored: Node | None, node: Node, result: Verified) -> None:
    if stored != node:
        place = f"tree node {node.level}/{node.number}"
        result.fault(place, "it is missing" if stored is None else "it is not the hash of the leaves below")


def _check_end(
    ledger: StoredLedger, signed: list[tuple[StoredNote, Checkpoint]], frontier: Frontier, result: Verified
) -> None:
    if frontier.size != ledger.size:
        result.fault("the ledger's head", f"it counts {ledger.size} entries, and there are {frontier.size} leaves")
    elif ledger.head != frontier:
        result.fault("the ledger's head", "its hashes are not those of the leaves")
    for level, nodes in ledger.nodes.items():
        if (more := next(nodes, None)) is not None:
            result.fault(f"tree node {level}/{more.number}", "it has no place in the tree")
    for stored, checkpoint in signed:
        result.fault(stored.place, f"it counts {checkpoint.size} entries, and there are {frontier.size} leaves")
