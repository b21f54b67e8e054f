"""Ledgers as they are served: checkpoints, tiles, entry bundles and proofs."""

from functools import cache
from uuid import UUID

from django.db import connection

from sessions_log.domain.leaf import bundle, unbundle
from sessions_log.domain.merkle import TILE_LEVELS, Subtree, leaf_hash
from sessions_log.domain.tiles import TILE_WIDTH, TilePlace, subtree_of_tiles, width_of
from sessions_log.models import Checkpoint, SessionLog, Statement, TreeNode


def latest_checkpoint(organization_id: int) -> Checkpoint | None:
    """The ledger's newest checkpoint, None before there is one."""
    return Checkpoint.objects.filter(organization_id=organization_id).order_by("-id").first()


def seq_of(organization_id: int, entry_id: UUID) -> int | None:
    """An entry's index in the ledger, of whatever kind it is."""
    for kind in (SessionLog, Statement):
        own = kind.objects.filter(organization_id=organization_id, id=entry_id)
        if (seq := own.values_list("seq", flat=True).first()) is not None:
            return int(seq)
    return None


def leaf_at(organization_id: int, seq: int) -> bytes:
    """The leaf bytes at an index below the ledger's size. Raises IndexError."""
    return _leaves(organization_id, seq // TILE_WIDTH)[seq % TILE_WIDTH]


def tile(organization_id: int, place: TilePlace, size: int) -> bytes | None:
    """A tile's hashes, or a bundle's entries, joined; None where a ledger of `size` entries has no such tile."""
    if place.width > width_of(place, size):
        return None
    if place.level is None:
        return bundle(_leaves(organization_id, place.number)[: place.width])
    return b"".join(_hashes(organization_id, place.level, place.number)[: place.width])


def subtrees(organization_id: int) -> Subtree:
    """The hashes of a ledger's perfect subtrees; each tile is read once."""

    @cache
    def whole(level: int, number: int) -> bytes:
        return b"".join(_hashes(organization_id, level, number))

    return subtree_of_tiles(whole)


def _hashes(organization_id: int, level: int, number: int) -> list[bytes]:
    if level == 0:
        return [leaf_hash(leaf) for leaf in _leaves(organization_id, number)]
    first = number * TILE_WIDTH
    nodes = TreeNode.objects.filter(
        organization_id=organization_id, level=level * TILE_LEVELS, number__range=(first, first + TILE_WIDTH - 1)
    )
    return [bytes(one) for one in nodes.order_by("number").values_list("hash", flat=True)]


def _leaves(organization_id: int, number: int) -> list[bytes]:
    """The leaves of a bundle, full or not. One statement: the recorder may fill it meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT leaves FROM (
                SELECT 0 AS first_seq, leaves FROM sessions_log_leafbundle
                WHERE organization_id = %(organization)s AND number = %(number)s
                UNION ALL
                SELECT first_seq, leaves FROM sessions_log_leaftail
                WHERE organization_id = %(organization)s AND first_seq >= %(number)s * 256
            ) kept ORDER BY first_seq
            """,
            {"organization": organization_id, "number": number},
        )
        pieces = [bytes(leaves) for (leaves,) in cursor.fetchall()]
    return unbundle(b"".join(pieces))
