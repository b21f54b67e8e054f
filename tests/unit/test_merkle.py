"""The tree grows, proves and is proven as RFC 6962 and the test vectors have it."""

import base64
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    Node,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    subtree_within,
)
from sessions_log.domain.tiles import TILE_WIDTH, TilePlace, parse_tile_path, subtree_of_tiles, tiles_of, width_of
from tests.vectors import VECTORS, needs_vectors, vectors

SIZE = 70_000


@cache
def leaves(size: int = SIZE) -> list[bytes]:
    return [leaf_hash(b"entry-%d" % at) for at in range(size)]


def hashes_of(path: Path) -> list[bytes]:
    return [base64.b64decode(line) for line in path.read_text().splitlines()]


def root_by_the_book(hashes: list[bytes]) -> bytes:
    """MTH as RFC 6962 (2.1) defines it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    middle = 1
    while middle * 2 < len(hashes):
        middle *= 2
    return node_hash(root_by_the_book(hashes[:middle]), root_by_the_book(hashes[middle:]))


class Tiles:
    """The tiles of a tree, kept as the product keeps them: leaves, and the nodes of whole tiles above."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.leaves: list[bytes] = []
        self.nodes: dict[tuple[int, int], bytes] = {}

    def grow(self, new: list[bytes]) -> None:
        self.frontier, completed = self.frontier.grown(new)
        self.leaves += new
        for node in completed:
            assert (node.level, node.number) not in self.nodes
            self.nodes[node.level, node.number] = node.hash

    def tile(self, level: int, number: int) -> bytes:
        begin = number * TILE_WIDTH
        width = width_of(TilePlace(level, number), self.frontier.size)
        if level == 0:
            return b"".join(self.leaves[begin : begin + width])
        return b"".join(self.nodes[8 * level, begin + at] for at in range(width))


@cache
def big_tree() -> Tiles:
    tiles = Tiles()
    for begin, end in pairwise([0, 1, 7, 300, 5_000, 5_001, 60_000, SIZE]):
        tiles.grow(leaves()[begin:end])
    return tiles


def test_empty_tree() -> None:
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()
    assert Frontier().grown([]) == (Frontier(), [])


@given(st.lists(st.integers(0, 700), max_size=6))
def test_any_batches_give_the_tree_of_the_book(batches: list[int]) -> None:
    tiles = Tiles()
    for batch in batches:
        size = tiles.frontier.size
        tiles.grow(leaves()[size : size + batch])
    assert tiles.frontier.size == sum(batches)
    assert tiles.frontier.root() == root_by_the_book(leaves()[: sum(batches)])
    assert set(tiles.nodes) == {(8, at) for at in range(sum(batches) // 256)}


@given(st.integers(0, 600))
def test_frontier_survives_its_storage(size: int) -> None:
    frontier, _ = Frontier().grown(leaves()[:size])
    assert Frontier.unpacked(size, frontier.packed()) == frontier


def test_frontier_of_another_size_is_refused() -> None:
    frontier, _ = Frontier().grown(leaves()[:3])
    with pytest.raises(ValueError, match="2 peaks"):
        Frontier.unpacked(5, frontier.packed()[:HASH_BYTES])


@given(st.integers(1, 600), st.data())
def test_every_leaf_is_proven_and_only_at_its_place(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    frontier, _ = Frontier().grown(leaves()[:size])
    path = inclusion_proof(index, size, subtree_of_tiles(big_tree().tile))
    leaf = leaves()[index]
    assert root_of_inclusion(leaf, index, size, path) == frontier.root()
    for wrong in {index - 1, index + 1} & set(range(size)):
        assert _root(leaf, wrong, size, path) != frontier.root()
    if path:
        with pytest.raises(ValueError, match="too short"):
            root_of_inclusion(leaf, index, size, path[:-1])
    with pytest.raises(ValueError, match="too long"):
        root_of_inclusion(leaf, index, size, [*path, leaf])


def _root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Where a path leads; None where it has not the length that the place asks for."""
    try:
        return root_of_inclusion(leaf, index, size, path)
    except ValueError:
        return None


@given(st.integers(0, 600), st.integers(0, 600), st.data())
def test_beginning_of_a_tree_is_proven_and_nothing_else(one: int, other: int, data: st.DataObject) -> None:
    old, new = sorted((one, other))
    old_root, new_root = (Frontier().grown(leaves()[:size])[0].root() for size in (old, new))
    path = consistency_proof(old, new, subtree_of_tiles(big_tree().tile))
    assert is_consistent(old, old_root, new, new_root, path)
    forged = leaf_hash(b"forged")
    if old:
        assert not is_consistent(old, forged, new, new_root, path)
    if 0 < old < new:
        assert not is_consistent(old, old_root, new, forged, path)
        at = data.draw(st.integers(0, len(path) - 1))
        assert not is_consistent(old, old_root, new, new_root, [*path[:at], forged, *path[at + 1 :]])
        assert not is_consistent(old, old_root, new, new_root, path[:-1])
    assert not is_consistent(old, old_root, new, new_root, [*path, forged])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, subtree_of_tiles(big_tree().tile))
    with pytest.raises(ValueError, match="no leaf"):
        root_of_inclusion(bytes(32), index, size, [])


def test_smaller_tree_is_no_successor() -> None:
    with pytest.raises(ValueError, match="not the beginning"):
        consistency_proof(6, 5, subtree_of_tiles(big_tree().tile))


def test_nodes_of_whole_tiles_are_told_once() -> None:
    _, completed = Frontier().grown(leaves()[:65_536])
    assert [(node.level, node.number) for node in completed] == [(8, at) for at in range(256)] + [(16, 0)]
    assert completed[-1] == Node(16, 0, subtree_within([node.hash for node in completed[:-1]]))


@needs_vectors
def test_roots_of_the_vectors() -> None:
    for size, root in vectors()["roots"].items():
        frontier, _ = Frontier().grown(leaves()[: int(size)])
        assert frontier.root().hex() == root


@needs_vectors
def test_proofs_of_the_vectors() -> None:
    subtree = subtree_of_tiles(big_tree().tile)
    assert [one.hex() for one in inclusion_proof(5, 13, subtree)] == vectors()["incl_5_13"]
    assert consistency_proof(7, 13, subtree) == hashes_of(VECTORS / "cons-7-13.txt")
    assert consistency_proof(13, SIZE, subtree) == hashes_of(VECTORS / "cons-13-70000.txt")


def test_tree_of_70000_leaves_has_273_full_tiles_and_three_partial_ones() -> None:
    tiles = big_tree()
    widths = {level: [width_of(TilePlace(level, number), SIZE) for number in range(300)] for level in range(4)}
    assert [widths[0].count(256), widths[0][273]] == [273, 112]
    assert [widths[1].count(256), widths[1][1]] == [1, 17]
    assert [widths[2].count(256), widths[2][0]] == [0, 1]
    assert not any(widths[3])
    assert len(tiles.tile(1, 1)) == 17 * HASH_BYTES
    assert len(tiles.tile(2, 0)) == HASH_BYTES


def test_all_tiles_of_a_tree_are_named_once_bundles_first() -> None:
    paths = [place.path() for place in tiles_of(SIZE)]
    assert paths == [
        *(f"entries/{number:03d}" for number in range(273)), "entries/273.p/112",
        *(f"0/{number:03d}" for number in range(273)), "0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1",
    ]  # fmt: skip
    assert [place.path() for place in tiles_of(256)] == ["entries/000", "0/000", "1/000.p/1"]
    assert list(tiles_of(0)) == []


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (TilePlace(0, 0), "0/000"),
        (TilePlace(0, 1_234_067), "0/x001/x234/067"),
        (TilePlace(3, 1000, 17), "3/x001/000.p/17"),
        (TilePlace(None, 273, 112), "entries/273.p/112"),
    ],
)
def test_paths_of_tiles(place: TilePlace, path: str) -> None:
    assert place.path() == path
    assert parse_tile_path(path) == place


@pytest.mark.parametrize(
    "path",
    ["", "0", "0/0", "0/0000", "0/x000/001", "8/000", "00/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "a/000",
     "0/001/000", "0/x001", "0/000.p/", "0/000/", "0/\N{ARABIC-INDIC DIGIT ZERO}00", "-1/000"],
)  # fmt: skip
def test_other_spellings_of_paths_are_refused(path: str) -> None:
    assert parse_tile_path(path) is None
