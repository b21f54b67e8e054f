"""Ledgers as they are served: checkpoints with their cosignatures, tiles, entry bundles and proofs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.db import connection

from sessions_log.domain.cosignature import Cosigned, cosigned
from sessions_log.domain.leaf import bundle, unbundle
from sessions_log.domain.merkle import TILE_LEVELS, Subtree, leaf_hash
from sessions_log.domain.signed_note import InvalidNote
from sessions_log.domain.tiles import TILE_WIDTH, TilePlace, subtree_of_tiles, width_of
from sessions_log.domain.witness_policy import WitnessPolicy
from sessions_log.models import Checkpoint, Cosignature, SessionLog, Statement, TreeNode

_SIZES_TRIED = 100


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint and what the policy's witnesses signed of it, verified anew.

    is_witnessed: whether these are the policy's quorum. Nothing else makes a checkpoint witnessed.
    """

    checkpoint: Checkpoint
    cosigned: tuple[Cosigned, ...]
    is_witnessed: bool

    @property
    def note(self) -> str:
        """The checkpoint as it is served, the cosignatures under the ledger's own signatures."""
        return self.checkpoint.note + "".join(one.line for one in self.cosigned)


def latest_checkpoint(organization_id: int) -> Checkpoint | None:
    """The ledger's newest checkpoint, None before there is one."""
    return Checkpoint.objects.filter(organization_id=organization_id).order_by("-id").first()


def with_cosignatures(checkpoint: Checkpoint, policy: WitnessPolicy | None) -> CosignedCheckpoint:
    """A checkpoint with its cosignatures; without a policy nobody's count. A stored line that does not hold is none."""
    if policy is None:
        return CosignedCheckpoint(checkpoint, (), False)
    stored = Cosignature.objects.filter(organization_id=checkpoint.organization_id, size=checkpoint.size)
    text = checkpoint.note.rpartition("\n\n")[0] + "\n"
    found: dict[bytes, Cosigned] = {}
    for line in stored.order_by("id").values_list("line", flat=True):
        found |= {one.key.public: one for one in _holding(line, text, policy)}
    keys = [one.key for one in found.values()]
    return CosignedCheckpoint(checkpoint, tuple(found.values()), policy.is_met_by(keys))


def latest_witnessed_checkpoint(organization_id: int, policy: WitnessPolicy | None) -> CosignedCheckpoint | None:
    """The newest checkpoint that the policy's quorum has cosigned; None where there is none, or no policy."""
    if policy is None:
        return None
    for checkpoint_id in _cosigned_by_enough(organization_id, policy):
        checkpoint = Checkpoint.objects.filter(organization_id=organization_id, id=checkpoint_id).first()
        if checkpoint is not None and (one := with_cosignatures(checkpoint, policy)).is_witnessed:
            return one
    return None


def _cosigned_by_enough(organization_id: int, policy: WitnessPolicy) -> Iterator[int]:
    """Checkpoints that so many have cosigned that they may be witnessed, the largest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT max(c.checkpoint_id) FROM sessions_log_cosignature c
            JOIN unnest(%s::text[], %s::bytea[]) AS w(name, key_id) ON (c.witness, c.key_id) = (w.name, w.key_id)
            WHERE c.organization_id = %s GROUP BY c.size HAVING count(*) >= %s ORDER BY c.size DESC LIMIT %s
            """,
            [
                [key.name for key in policy.keys],
                [key.id for key in policy.keys],
                organization_id,
                policy.fewest(),
                _SIZES_TRIED,
            ],
        )
        rows = cursor.fetchall()
    return (checkpoint_id for (checkpoint_id,) in rows)


def _holding(line: str, text: str, policy: WitnessPolicy) -> list[Cosigned]:
    try:
        return cosigned(line, text, policy.keys)
    except InvalidNote:
        return []


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
