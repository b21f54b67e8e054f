"""Tiles (C2SP tlog-tiles): a tree's hashes and its leaves in lots of 256, by path.

Tile (level, number) holds the hashes of the perfect subtrees of tree level 8 * level, from number * 256 on. Entry
bundles have the same numbers and hold leaves.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sessions_log.domain.merkle import HASH_BYTES, TILE_LEVELS, Subtree, subtree_within

TILE_WIDTH = 256
HIGHEST_LEVEL = 63 // TILE_LEVELS
_NUMBER = r"(?P<number>(?:x[0-9]{3}/)*[0-9]{3})"
_PATH = re.compile(rf"(?P<level>[0-9]|entries)/{_NUMBER}(?:\.p/(?P<width>[1-9][0-9]{{0,2}}))?", re.ASCII)

Tile = Callable[[int, int], bytes]
"""(level, number) -> the tile's hashes, joined, as many as there are."""


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Which tile, or with `level` None which bundle of entries, and how wide (256 where it is full)."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """The path below `tile/`: `0/x001/067`, `entries/000.p/5`."""
        groups: list[str] = []
        rest = self.number
        while True:
            rest, group = divmod(rest, 1000)
            groups.append(f"{group:03d}" if not groups else f"x{group:03d}")
            if not rest:
                break
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"{level}/{'/'.join(reversed(groups))}{partial}"


def parse_tile_path(path: str) -> TilePlace | None:
    """The tile of a path below `tile/`; None for anything but the one way to write it."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    width = int(match["width"] or TILE_WIDTH)
    place = TilePlace(level, int(re.sub("[x/]", "", match["number"])), width)
    is_possible = width < TILE_WIDTH or match["width"] is None
    return place if is_possible and (level or 0) <= HIGHEST_LEVEL and place.path() == path else None


def width_of(place: TilePlace, size: int) -> int:
    """How many hashes or entries the tile has in a tree of `size` leaves: 0 to 256."""
    there = size >> TILE_LEVELS * (place.level or 0)
    return max(0, min(TILE_WIDTH, there - place.number * TILE_WIDTH))


def tiles_of(size: int) -> Iterator[TilePlace]:
    """Every tile of a ledger of `size` entries: its bundles, then its hashes from the lowest level up."""
    levels = [level for level in range(HIGHEST_LEVEL + 1) if size >> TILE_LEVELS * level]
    for level in [None, *levels] if size else []:
        there = size >> TILE_LEVELS * (level or 0)
        for first in range(0, there, TILE_WIDTH):
            yield TilePlace(level, first // TILE_WIDTH, min(TILE_WIDTH, there - first))


def subtree_of_tiles(tile: Tile) -> Subtree:
    """The hashes of perfect subtrees, made of the tiles that hold their parts."""

    def subtree(level: int, number: int) -> bytes:
        tile_level, above = divmod(level, TILE_LEVELS)
        first = number << above
        hashes = tile(tile_level, first // TILE_WIDTH)
        begin = first % TILE_WIDTH * HASH_BYTES
        part = hashes[begin : begin + (HASH_BYTES << above)]
        return subtree_within([part[at : at + HASH_BYTES] for at in range(0, len(part), HASH_BYTES)])

    return subtree
