"""The Merkle tree of a ledger: RFC 6962 (2.1) hashes, grown a batch at a time, and the proofs that it yields.

A perfect subtree is named by its level (0 for a leaf) and its number among those of its level, from the left; it
covers the leaves from `number << level` on. Hashes have 32 bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
TILE_LEVELS = 8

Subtree = Callable[[int, int], bytes]
"""(level, number) -> the hash of a perfect subtree."""


class Node(NamedTuple):
    """A perfect subtree that was just completed."""

    level: int
    number: int
    hash: bytes


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two neighbouring subtrees."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a tree needs to grow: its size, and the hashes of the perfect subtrees it consists of, largest first.

    There is one for each bit that is set in the size.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError where hashes and size do not belong together."""
        if len(self.hashes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} peaks, not {len(self.hashes)}")

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> "Frontier":
        """The inverse of `packed`. Raises ValueError."""
        return cls(size, tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)))

    def packed(self) -> bytes:
        """The hashes as they are stored, joined."""
        return b"".join(self.hashes)

    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.hashes:
            return EMPTY_ROOT
        smaller = self.hashes[-1]
        for larger in reversed(self.hashes[:-1]):
            smaller = node_hash(larger, smaller)
        return smaller

    def grown(self, leaf_hashes: Iterable[bytes]) -> tuple["Frontier", list[Node]]:
        """The frontier after these leaves, and the subtrees of whole tiles that they completed.

        Those have levels 8, 16, ...: what the tiles above the leaves' own consist of. One pass, level by level; each
        leaf costs one hash beside its own.
        """
        row = list(leaf_hashes)
        peaks = dict(zip(_set_bits(self.size), reversed(self.hashes), strict=True))
        size, begin, level = self.size + len(row), self.size, 0
        completed: list[Node] = []
        while row:
            if begin & 1:  # the first belongs to a left neighbour that was there before
                row.insert(0, peaks.pop(level))
                begin -= 1
            if len(row) & 1:
                peaks[level] = row.pop()
            pairs = iter(row)
            row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            begin >>= 1
            level += 1
            if level % TILE_LEVELS == 0:
                completed += [Node(level, begin + at, one) for at, one in enumerate(row)]
        return Frontier(size, tuple(peaks[level] for level in sorted(peaks, reverse=True))), completed


def subtree_within(hashes: Sequence[bytes]) -> bytes:
    """The hash over 1, 2, 4, ... neighbouring subtrees of equal size. Raises ValueError for another number."""
    if not hashes or len(hashes) & (len(hashes) - 1):
        raise ValueError("not a power of two")
    row = list(hashes)
    while len(row) > 1:
        pairs = iter(row)
        row = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    return row[0]


def range_hash(begin: int, end: int, subtree: Subtree) -> bytes:
    """The hash over the leaves [begin, end), as the tree of `end` leaves has it; `begin` is where a subtree begins."""
    size = end - begin
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, begin >> level)
    middle = begin + _split(size)
    return node_hash(range_hash(begin, middle, subtree), range_hash(middle, end, subtree))


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of a leaf in the tree of `size` leaves, from leaf to root (RFC 6962, 2.1.1).

    Raises ValueError where there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(range_hash(begin, middle, subtree))
            begin = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `old` leaves is the beginning of that of `new` (RFC 6962, 2.1.2).

    Empty where they are the same or the old one is empty. Raises ValueError where the old one is larger.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is not the beginning of one of {new}")
    if old in (0, new):
        return []
    path: list[bytes] = []
    begin, end, is_whole = 0, new, True  # is_whole: what is left of the old tree is a subtree the verifier knows
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(range_hash(begin, middle, subtree))
            begin, is_whole = middle, False
    if not is_whole:
        path.append(range_hash(begin, end, subtree))
    return path[::-1]


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a leaf's hash and its audit path lead to (RFC 9162, 2.1.3.2). Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the proof shows the old tree to be the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if old == new:
        return old_root == new_root and not path
    if not 0 <= old < new or (old == 0) != (not path):
        return False
    if old == 0:
        return old_root == EMPTY_ROOT
    siblings = list(path) if old & (old - 1) else [old_root, *path]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    of_old = of_new = siblings[0]
    for sibling in siblings[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            of_old, of_new = node_hash(sibling, of_old), node_hash(sibling, of_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            of_new = node_hash(of_new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root


def _split(size: int) -> int:
    """The largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _set_bits(number: int) -> list[int]:
    """The places of the bits that are set, lowest first."""
    return [place for place in range(number.bit_length()) if number >> place & 1]
