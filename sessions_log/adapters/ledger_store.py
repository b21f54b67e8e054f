"""The ledgers in the recorder's transaction: sizes, trees, and the leaf bytes in bundles."""

from typing import Any

from psycopg import Connection

from sessions_log.domain.leaf import BUNDLE_LEAVES, bundle, unbundle
from sessions_log.domain.merkle import Frontier, Node, leaf_hash
from sessions_log.ports import EntriesRefused


class PostgresLedgers:
    """Works within the transaction of its connection; a ledger's head stays locked until that ends."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def head(self, organization_id: int) -> Frontier:
        """The ledger as it stands, locked: who comes second waits, and then sees what the first has added."""
        row = self._connection.execute(
            "SELECT size, frontier FROM sessions_log_ledgerhead WHERE organization_id = %s FOR NO KEY UPDATE",
            (organization_id,),
        ).fetchone()
        if row is not None:
            return _frontier(*row)
        self._connection.execute(
            "INSERT INTO sessions_log_ledgerhead (organization_id, size, frontier) VALUES (%s, 0, '')"
            " ON CONFLICT DO NOTHING",
            (organization_id,),
        )
        return self.head(organization_id)

    def append(self, organization_id: int, head: Frontier, leaves: list[bytes]) -> None:
        """Add the leaves after `head`. Raises EntriesRefused where the ledger does not stand there."""
        grown, completed = head.grown(map(leaf_hash, leaves))
        moved = self._connection.execute(
            "UPDATE sessions_log_ledgerhead SET size = %s, frontier = %s WHERE organization_id = %s AND size = %s",
            (grown.size, grown.packed(), organization_id, head.size),
        )
        if moved.rowcount != 1:
            raise EntriesRefused("the ledger's head has moved")
        self._add_nodes(organization_id, completed)
        self._add_leaves(organization_id, head.size, leaves)

    def _add_nodes(self, organization_id: int, completed: list[Node]) -> None:
        if completed:
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO sessions_log_treenode (organization_id, level, number, hash) VALUES (%s, %s, %s, %s)",
                    [(organization_id, *node) for node in completed],
                )

    def _add_leaves(self, organization_id: int, first_seq: int, leaves: list[bytes]) -> None:
        """Fill bundles of 256; what is left over stays in the tail."""
        begun = first_seq % BUNDLE_LEAVES
        if begun + len(leaves) < BUNDLE_LEAVES:
            self._insert_tail(organization_id, first_seq, leaves)
            return
        all_leaves = (self._take_tail(organization_id) if begun else []) + leaves
        number = (first_seq - begun) // BUNDLE_LEAVES
        full = len(all_leaves) // BUNDLE_LEAVES
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO sessions_log_leafbundle (organization_id, number, leaves) VALUES (%s, %s, %b)",
                [
                    (
                        organization_id,
                        number + at,
                        bundle(all_leaves[at * BUNDLE_LEAVES : (at + 1) * BUNDLE_LEAVES]),
                    )
                    for at in range(full)
                ],
            )
        if rest := all_leaves[full * BUNDLE_LEAVES :]:
            self._insert_tail(organization_id, (number + full) * BUNDLE_LEAVES, rest)

    def _insert_tail(self, organization_id: int, first_seq: int, leaves: list[bytes]) -> None:
        self._connection.execute(
            "INSERT INTO sessions_log_leaftail (organization_id, first_seq, leaves) VALUES (%s, %s, %s)",
            (organization_id, first_seq, bundle(leaves)),
        )

    def _take_tail(self, organization_id: int) -> list[bytes]:
        rows = self._connection.execute(
            "WITH taken AS (DELETE FROM sessions_log_leaftail WHERE organization_id = %s RETURNING first_seq, leaves)"
            " SELECT leaves FROM taken ORDER BY first_seq",
            (organization_id,),
        ).fetchall()
        return [leaf for (leaves,) in rows for leaf in unbundle(leaves)]


def _frontier(size: int, packed: bytes) -> Frontier:
    try:
        return Frontier.unpacked(size, packed)
    except ValueError:
        raise EntriesRefused("the ledger's head does not belong to its size") from None
