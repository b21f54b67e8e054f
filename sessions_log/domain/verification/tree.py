"""The tree of a ledger grown from its parts, held against the stored one, its head, and every checkpoint."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import merge
from operator import attrgetter
from typing import NamedTuple

from sessions_log.domain.checkpoint import Checkpoint, parse_checkpoint
from sessions_log.domain.leaf import BUNDLE_LEAVES
from sessions_log.domain.merkle import TILE_LEVELS, Frontier, Node
from sessions_log.domain.signed_note import InvalidNote, VerifierKey, parse_note, verified
from sessions_log.domain.verification.leaves import CheckedBundle, CheckedPart, Part
from sessions_log.domain.verification.results import Verified

_NOTES_KEPT = 1_000


class StoredNote(NamedTuple):
    """A checkpoint as it was kept, and where."""

    place: str
    note: bytes


@dataclass(frozen=True, slots=True)
class StoredLedger:
    """What is stored of a ledger beside leaves and rows, of one moment. Each iterable is taken once.

    nodes: level to its nodes, by number. notes: checkpoints by where they are kept, in the order of signing.
    keys: those that may have signed them.
    """

    origins: frozenset[str]
    head: Frontier | None
    size: int
    nodes: dict[int, Iterator[Node]]
    notes: list[Iterable[StoredNote]]
    keys: list[VerifierKey]


Check = Callable[[Iterable[Part]], Iterator[CheckedPart]]
"""Checks parts, and gives what it found in their order; takes the next when it wants to."""


def verify(ledger: StoredLedger, wanted: Iterable[Part], check: Check) -> Iterator[Verified]:
    """Verify a ledger; yields what is known after each part, the last time with everything.

    wanted: parts in rising order. Of bundles between them nothing is read: the tree grows on with the stored hash.
    """
    result = Verified()
    heads = _Heads(ledger, result)
    tree = _Tree(ledger, result)
    waiting: deque[tuple[_Signed, ...]] = deque()
    larger: Iterable[_Signed] = ()

    def with_heads() -> Iterator[Part]:
        for part in wanted:
            waiting.append(heads.until(ledger.size if part.is_last else part.end * BUNDLE_LEAVES - 1))
            yield replace(part, heads=tuple(one.size for one in waiting[-1]))

    for part in check(with_heads()):
        result.take(part.faults)
        result.entries += part.entries
        result.opened += part.opened
        result.erased += part.erased
        larger = tree.add(part.bundles, deque(waiting.popleft()))
        result.size = tree.size
        yield result
    tree.check_end()
    for one in (*larger, *heads.rest()):
        result.fault(one.place, f"it counts {one.size} entries, and there are {tree.size} leaves")
    result.root = tree.head().root()
    yield result


class _Signed(NamedTuple):
    place: str
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        return self.checkpoint.size


class _Heads:
    """The checkpoints that are rightly signed, the smallest first, read as they are needed."""

    def __init__(self, ledger: StoredLedger, result: Verified) -> None:
        self._ledger = ledger
        self._result = result
        self._known: dict[bytes, Checkpoint] = {}
        self._all = merge(*map(self._signed, ledger.notes), key=attrgetter("size"))
        self._next = next(self._all, None)

    def until(self, size: int) -> tuple[_Signed, ...]:
        """The next ones, up to this size."""
        taken: list[_Signed] = []
        while self._next is not None and self._next.size <= size:
            taken.append(self._next)
            self._next = next(self._all, None)
        return tuple(taken)

    def rest(self) -> Iterator[_Signed]:
        """All that are left."""
        while self._next is not None:
            yield self._next
            self._next = next(self._all, None)

    def _signed(self, notes: Iterable[StoredNote]) -> Iterator[_Signed]:
        largest = 0
        for stored in notes:
            self._result.checkpoints += 1
            try:
                checkpoint = self._checkpoint(stored.note)
            except InvalidNote as error:
                self._result.fault(stored.place, str(error))
                continue
            if checkpoint.origin not in self._ledger.origins:
                self._result.fault(stored.place, "it is of another ledger")
            elif checkpoint.size < largest:
                self._result.fault(stored.place, "it is smaller than one that was signed before it")
            else:
                largest = checkpoint.size
                yield _Signed(stored.place, checkpoint)

    def _checkpoint(self, whole: bytes) -> Checkpoint:
        """Raises InvalidNote. Each is kept twice, beside the entries and beside the keys, and verified once."""
        if (known := self._known.pop(whole, None)) is not None:
            return known
        note = parse_note(whole)
        checkpoint = parse_checkpoint(note.text)
        verified(note, self._ledger.keys)
        if len(self._known) >= _NOTES_KEPT:
            self._known.clear()
        self._known[whole] = checkpoint
        return checkpoint


class _Nodes:
    """The stored nodes of a level, in order."""

    def __init__(self, level: int, nodes: Iterator[Node], result: Verified) -> None:
        self._level = level
        self._nodes = nodes
        self._result = result
        self._next = next(nodes, None)

    def at(self, number: int) -> Node | None:
        """The node of this number; those before it have no place."""
        while self._next is not None and self._next.number < number:
            self._refuse_next()
        if self._next is None or self._next.number != number:
            return None
        node, self._next = self._next, next(self._nodes, None)
        return node

    def check_end(self) -> None:
        """Nothing may be left."""
        if self._next is not None:
            self._refuse_next()

    def _refuse_next(self) -> None:
        if self._next is not None:
            self._result.fault(f"tree node {self._level}/{self._next.number}", "it has no place in the tree")
            self._next = next(self._nodes, None)


class _Tree:
    """Grows bundle by bundle: `_bundles` is a tree whose leaves are the bundles' hashes."""

    def __init__(self, ledger: StoredLedger, result: Verified) -> None:
        self._ledger = ledger
        self._result = result
        self._nodes = {level: _Nodes(level, nodes, result) for level, nodes in ledger.nodes.items()}
        self._bundles = Frontier()
        self._rest = Frontier()

    @property
    def size(self) -> int:
        return self._bundles.size * BUNDLE_LEAVES + self._rest.size

    def head(self) -> Frontier:
        """All of it. What a damaged ledger has beyond a bundle in its unfinished one stays out of it."""
        return self._with(self._rest) if self._rest.size < BUNDLE_LEAVES else self._with(Frontier())

    def add(self, bundles: Iterable[CheckedBundle], heads: deque[_Signed]) -> Iterable[_Signed]:
        """Add a part's bundles. Returns the heads that lie beyond them."""
        for bundle in bundles:
            if self._reach(bundle.number, heads):
                self._check_heads(bundle, heads)
            if bundle.tree.size == BUNDLE_LEAVES and bundle.number < self._ledger.size // BUNDLE_LEAVES:
                node = Node(TILE_LEVELS, bundle.number, bundle.tree.root())
                self._check_node(self._stored(TILE_LEVELS, bundle.number), node)
                if self._bundles.size == bundle.number:
                    self._grow(node.hash)
            elif self._bundles.size == bundle.number:
                self._rest = bundle.tree
        return heads

    def check_end(self) -> None:
        self._reach(self._ledger.size // BUNDLE_LEAVES, deque())
        head, size = self._ledger.head, self._ledger.size
        if self.size != size:
            self._result.fault("the ledger's head", f"it counts {size} entries, and there are {self.size} leaves")
        elif head != self.head():
            self._result.fault("the ledger's head", "its hashes are not those of the leaves")
        for nodes in self._nodes.values():
            nodes.check_end()

    def _with(self, rest: Frontier) -> Frontier:
        return Frontier(self._bundles.size * BUNDLE_LEAVES + rest.size, self._bundles.hashes + rest.hashes)

    def _reach(self, number: int, heads: deque[_Signed]) -> bool:
        """Grow up to a bundle with what is stored of those before it. False where a hash is wanting."""
        while self._bundles.size < number:
            node = self._stored(TILE_LEVELS, self._bundles.size)
            if node is None:
                return False
            self._grow(node.hash)
        while heads and heads[0].size < number * BUNDLE_LEAVES:  # within bundles that are not at hand
            heads.popleft()
        return True

    def _grow(self, hash_: bytes) -> None:
        self._bundles, completed = self._bundles.grown([hash_])
        for above in completed:
            node = Node(above.level + TILE_LEVELS, above.number, above.hash)
            self._check_node(self._stored(node.level, node.number), node)

    def _check_heads(self, bundle: CheckedBundle, heads: deque[_Signed]) -> None:
        while heads and heads[0].size in bundle.heads:
            signed = heads.popleft()
            if self._with(bundle.heads[signed.size]).root() != signed.checkpoint.root:
                self._result.fault(signed.place, f"its root is not that of the first {signed.size} entries")

    def _stored(self, level: int, number: int) -> Node | None:
        nodes = self._nodes.get(level)
        return nodes.at(number) if nodes else None

    def _check_node(self, stored: Node | None, node: Node) -> None:
        if stored != node:
            place = f"tree node {node.level}/{node.number}"
            self._result.fault(place, "it is missing" if stored is None else "it is not the hash of the leaves below")
