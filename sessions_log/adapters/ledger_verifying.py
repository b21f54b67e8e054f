"""Verifications of ledgers as they are stored: rows, leaves, tree, checkpoints and what the keys can tell."""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import psycopg
from psycopg import Connection

from sessions_log.adapters.counter_reading import counter_faults
from sessions_log.adapters.ledger_checkers import Checkers, checkers
from sessions_log.adapters.ledger_reading import Place
from sessions_log.adapters.statement_reading import erased_subjects, statements
from sessions_log.domain.leaf import BUNDLE_LEAVES
from sessions_log.domain.merkle import TILE_LEVELS, Frontier, Node
from sessions_log.domain.signed_note import VerifierKey
from sessions_log.domain.tiles import HIGHEST_LEVEL
from sessions_log.domain.verification.digests import digest_faults
from sessions_log.domain.verification.opening import Keys
from sessions_log.domain.verification.results import MOST_FAULTS, Fault, Verified
from sessions_log.domain.verification.scope import Scope, VerifiedLedger
from sessions_log.domain.verification.tree import StoredLedger, StoredNote, verify
from sessions_log.ports import KeyDestroyed, Keyring, LedgerSigner

_AT_ONCE = 2_000
_LEVELS = range(TILE_LEVELS, TILE_LEVELS * (HIGHEST_LEVEL + 1), TILE_LEVELS)


@dataclass(frozen=True, slots=True)
class LedgerVerifier:
    """Verifies with as many processes as it is given; more than one cannot be had within a job.

    worth_spreading: a ledger of fewer entries is done before other processes have begun.
    """

    conninfo: str = field(repr=False)
    keyring: Keyring
    signer: LedgerSigner
    origin: str
    signature_faults: Callable[[VerifiedLedger], Iterable[Fault]]
    processes: int = 1
    worth_spreading: int = 50_000

    def run(self, ledger: VerifiedLedger, scope: Scope) -> Iterator[tuple[Verified, int]]:
        """What is known after each step, and the ledger's size; the last time everything.

        All of it is of one moment: rows that come in meanwhile are not missed. Raises KeyringUnavailable, and what
        psycopg raises.
        """
        # Counted before that moment: what is signed after it may be of entries that came after it.
        signed = sum(1 for _ in self.signer.signed(ledger.uid))
        with psycopg.connect(self.conninfo, autocommit=True, connect_timeout=3, application_name="verify") as own:
            own.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            stored = self._stored(own, ledger, scope, signed)
            place = self._place(own, ledger, scope)
            wanted = scope.parts(stored.size, _accounted(own, ledger.organization_id))
            processes = self.processes if stored.size >= self.worth_spreading else 1
            with checkers(place, processes) as by:
                known = self._beside_the_ledger(own, place, scope, by)
                if scope.is_whole:
                    known.take(self.signature_faults(ledger) if stored.keys else ())
                    known.take(digest_faults(statements(own, ledger, "digest")))
                if not stored.keys:
                    known.fault("the organization's keys", "they are gone: no checkpoint can be verified")
                for result in verify(stored, wanted, by.parts):
                    yield result, stored.size
            # A row that was changed explains what is wrong with the entries that refer to it.
            result.faults[:] = (known.faults + result.faults)[:MOST_FAULTS]
            yield result, stored.size

    def _beside_the_ledger(self, own: Connection[Any], place: Place, scope: Scope, by: Checkers) -> Verified:
        known = Verified()
        if scope.opens and place.keys is None:
            known.fault("the organization's keys", "they are gone: nothing of it can be opened")
        if scope.references:
            for faults in by.references():
                known.take(faults)
            known.take(counter_faults(own, place.organization_id))
        return known

    def _stored(self, own: Connection[Any], ledger: VerifiedLedger, scope: Scope, signed: int) -> StoredLedger:
        row = own.execute(
            "SELECT size, frontier FROM sessions_log_ledgerhead WHERE organization_id = %s", (ledger.organization_id,)
        ).fetchone()
        size, packed = row or (0, b"")
        keys = self._verifiers(ledger)
        return StoredLedger(
            origins=frozenset(key.name for key in keys),
            head=_frontier(size, packed),
            size=size,
            nodes={level: _nodes(own, ledger.organization_id, level) for level in _LEVELS},
            notes=self._notes(own, ledger, scope, signed),
            keys=keys,
        )

    def _verifiers(self, ledger: VerifiedLedger) -> list[VerifierKey]:
        try:
            return self.signer.verifiers(ledger.uid, f"{self.origin}/{ledger.slug}")
        except KeyDestroyed:
            return []

    def _notes(
        self, own: Connection[Any], ledger: VerifiedLedger, scope: Scope, signed: int
    ) -> list[Iterable[StoredNote]]:
        """All checkpoints; with a part of the ledger those that lie in it, and the latest here and beside the keys.

        The latest, so that a ledger that was set back is too small for what it has signed whichever part is looked at.
        """
        sizes = _sizes(scope.seqs) if scope.seqs is not None else range(2**63 - 1)
        beside = (
            StoredNote(f"checkpoint beside the keys, line {line}", note)
            for line, note in islice(self.signer.signed(ledger.uid), signed)
            if scope.seqs is None or line == signed or _size_in(note) in sizes
        )
        return [*([one] for one in scope.kept), beside, _checkpoints(own, ledger.organization_id, sizes)]

    def _place(self, own: Connection[Any], ledger: VerifiedLedger, scope: Scope) -> Place:
        (snapshot,) = own.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        services = own.execute(
            "SELECT id, name FROM sessions_log_service WHERE organization_id = %s", (ledger.organization_id,)
        ).fetchall()
        place = Place(
            conninfo=self.conninfo,
            snapshot=snapshot,
            organization_id=ledger.organization_id,
            organization=ledger.uid,
            services=dict(services),
        )
        if not scope.opens:
            return place
        return replace(place, keys=self._keys(own, ledger), erased=erased_subjects(own, ledger))

    def _keys(self, own: Connection[Any], ledger: VerifiedLedger) -> Keys | None:
        """The keys that there are of all epochs: which one counts, each row says."""
        (epoch,) = own.execute(
            "SELECT epoch FROM sessions_log_organization WHERE id = %s", (ledger.organization_id,)
        ).fetchone() or (0,)
        try:
            id_key = self.keyring.id_key(ledger.uid)
        except KeyDestroyed:
            return None
        wrapping: dict[int, bytes] = {}
        search: dict[int, bytes] = {}
        for number in range(1, epoch + 1):
            try:
                keys = self.keyring.epoch(ledger.uid, number)
            except KeyDestroyed:
                continue
            wrapping[number], search[number] = keys.wrapping, keys.search
        return Keys(id_key, wrapping, search)


def _accounted(own: Connection[Any], organization_id: int) -> tuple[range, ...]:
    """Entries whose rows a purge removed, as its statement says. There are no purges yet: nothing may be missing."""
    return ()


def _frontier(size: int, packed: bytes) -> Frontier | None:
    try:
        return Frontier.unpacked(size, packed)
    except ValueError:
        return None


def _nodes(own: Connection[Any], organization_id: int, level: int) -> Iterator[Node]:
    statement = """
        SELECT level, number, hash FROM sessions_log_treenode WHERE organization_id = %s AND level = %s ORDER BY number
    """
    return (Node(*row) for row in _stream(own, f"nodes_{level}", statement, organization_id, level))


def _sizes(seqs: range) -> range:
    """The sizes that a ledger had within the bundles of these entries."""
    return range(seqs.start // BUNDLE_LEAVES * BUNDLE_LEAVES, -(-seqs.stop // BUNDLE_LEAVES) * BUNDLE_LEAVES)


def _size_in(note: bytes) -> int:
    """What a checkpoint says, before anything of it is believed; where that is no size, 0."""
    size = note.split(b"\n", 2)[1:2]
    return int(size[0]) if size and size[0].isdigit() else 0


def _checkpoints(own: Connection[Any], organization_id: int, sizes: range) -> Iterator[StoredNote]:
    """Those of these sizes and the latest, in the order of signing."""
    statement = """
        SELECT size, root, note FROM sessions_log_checkpoint c
        WHERE organization_id = %s AND (size >= %s AND size < %s
            OR id = (SELECT max(id) FROM sessions_log_checkpoint WHERE organization_id = c.organization_id))
        ORDER BY id
    """
    for size, root, note in _stream(own, "checkpoints", statement, organization_id, sizes.start, sizes.stop):
        # The columns beside the note are what pages read: they must say what the note says.
        is_same = note.split("\n")[1:3] == [str(size), base64.b64encode(root).decode()]
        yield StoredNote(f"checkpoint of {size} entries", note.encode() if is_same else b"")


def _stream(own: Connection[Any], name: str, statement: str, *values: object) -> Iterator[tuple[Any, ...]]:
    with own.cursor(name=name) as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(statement.encode(), values, binary=True)
        yield from cursor
