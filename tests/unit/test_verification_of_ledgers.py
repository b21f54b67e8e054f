"""A ledger's leaves, rows, tree and checkpoints held against each other, without a database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.leaf import bundle
from sessions_log.domain.merkle import Frontier, Node, leaf_hash
from sessions_log.domain.signed_note import SignerKey, signed
from sessions_log.domain.verification.leaves import PART_BUNDLES, CheckedPart, Part, StoredEntry, check_part
from sessions_log.domain.verification.results import MOST_FAULTS, Verified
from sessions_log.domain.verification.scope import Scope
from sessions_log.domain.verification.tree import StoredLedger, StoredNote, verify

ORIGIN = "audit.example/org1"
SIGNER = SignerKey.of_seed(ORIGIN, bytes(range(32)))
SIZE = 1_000
LEVELS = (8, 16, 24)


def _leaf(seq: int) -> bytes:
    return b"leaf %d" % seq


def _frontier(leaves: Iterable[bytes]) -> tuple[Frontier, list[Node]]:
    return Frontier().grown(map(leaf_hash, leaves))


def _note(size: int, place: str = "kept", root: bytes | None = None) -> StoredNote:
    own_root = _frontier(map(_leaf, range(size)))[0].root()
    return StoredNote(place, str(signed(Checkpoint(ORIGIN, size, root or own_root).text(), [SIGNER])).encode())


@dataclass
class Ledger:
    """A stored ledger in memory, whole until a test takes something away."""

    size: int = SIZE
    rows: dict[int, StoredEntry] = field(default_factory=dict)
    bundles: dict[int, bytes] = field(default_factory=dict)
    tail: list[tuple[int, bytes]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    notes: list[list[StoredNote]] = field(default_factory=list)
    head: Frontier | None = None

    def __post_init__(self) -> None:
        leaves = [_leaf(seq) for seq in range(self.size)]
        full = self.size // 256
        self.rows = {seq: StoredEntry(seq, seq.to_bytes(16, "big"), leaf) for seq, leaf in enumerate(leaves)}
        self.bundles = {number: bundle(leaves[number * 256 : number * 256 + 256]) for number in range(full)}
        rest = leaves[full * 256 :]
        self.tail = [(full * 256 + at, bundle(rest[at : at + 100])) for at in range(0, len(rest), 100)]
        self.head, self.nodes = _frontier(leaves)

    def verify(self, scope: Scope = Scope(), *, accounted: tuple[range, ...] = ()) -> Verified:  # noqa: B008 -- frozen
        nodes = {level: iter(sorted(node for node in self.nodes if node.level == level)) for level in LEVELS}
        stored = StoredLedger(frozenset({ORIGIN}), self.head, self.size, nodes, [*self.notes], [SIGNER.verifier])
        *_, result = verify(stored, scope.parts(self.size, accounted), self._check)
        return result

    def _check(self, parts: Iterable[Part]) -> Iterator[CheckedPart]:
        for part in parts:
            end = part.end if not part.is_last else 10**9
            bundles = [(number, packed) for number, packed in self.bundles.items() if part.first <= number < end]
            lowest = part.lowest if part.lowest is not None else -(10**9)
            beyond = part.beyond if part.beyond is not None else 10**9
            rows = [self.rows[at] for at in sorted(self.rows) if lowest <= self.rows[at].seq < beyond]
            yield check_part(part, bundles, self.tail if part.is_last else [], sorted(rows))

    def faults(self, scope: Scope = Scope(), *, accounted: tuple[range, ...] = ()) -> list[str]:  # noqa: B008
        return [f"{fault.place}: {fault.words}" for fault in self.verify(scope, accounted=accounted).faults]


def _named(seq: int) -> str:
    return f"entry {seq} ({UUID(int=seq)})"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 1_000, 256 * PART_BUNDLES, 256 * PART_BUNDLES + 5])
def test_whole_ledger_is_well_with_a_checkpoint_at_any_size(size: int) -> None:
    ledger = Ledger(size)
    ledger.notes = [[_note(at) for at in sorted({0, 1, 255, 256, 300, size}) if at <= size], [_note(size)]]
    result = ledger.verify()
    assert result.faults == []
    assert (result.size, result.entries, result.root) == (size, size, _frontier(map(_leaf, range(size)))[0].root())
    assert result.checkpoints == len(ledger.notes[0]) + 1


def test_missing_row_is_a_fault_unless_a_statement_accounts_for_it() -> None:
    ledger = Ledger()
    del ledger.rows[300], ledger.rows[301]
    assert ledger.faults() == ["entry 300: its row is missing", "entry 301: its row is missing"]
    assert ledger.faults(accounted=(range(300, 301),)) == ["entry 301: its row is missing"]
    assert ledger.faults(accounted=(range(10), range(300, 302)))[0] == (
        f"{_named(0)}: its row is there, and a statement says that it was purged"
    )
    assert ledger.faults(accounted=(range(300, 302),)) == []


def test_row_of_another_leaf_or_without_any_is_named_and_so_is_what_is_wrong_within() -> None:
    ledger = Ledger()
    ledger.rows[5] = StoredEntry(5, ledger.rows[5].id, b"other")
    ledger.rows[6] = StoredEntry(6, ledger.rows[6].id, None)
    ledger.rows[7] = ledger.rows[7]._replace(fault="it does not open")
    assert ledger.faults() == [
        f"{_named(5)}: its row does not give the leaf that the ledger holds",
        f"{_named(6)}: its row holds values that no entry has",
        f"{_named(7)}: it does not open",
    ]


@pytest.mark.parametrize("seq", [-1, 700, SIZE, SIZE + 300])
def test_row_too_many_has_no_place(seq: int) -> None:
    ledger = Ledger()
    own_id = 77
    ledger.rows[10**6] = StoredEntry(seq, own_id.to_bytes(16, "big"), b"slipped in")
    faults = ledger.faults()
    assert f"entry {seq} ({UUID(int=own_id)}): its row has no place in the ledger" in faults or (
        f"entry {seq} ({UUID(int=own_id)}): its row does not give the leaf that the ledger holds" in faults
    )


def test_missing_bundle_does_not_keep_the_rest_from_being_checked() -> None:
    ledger = Ledger()
    del ledger.bundles[1]
    ledger.rows[800] = StoredEntry(800, ledger.rows[800].id, b"other")
    ledger.notes = [[_note(100), _note(300), _note(900, root=bytes(32))]]
    assert ledger.faults() == [
        "bundle 1: it is missing, or not of 256 leaves",
        f"{_named(800)}: its row does not give the leaf that the ledger holds",
        "kept: its root is not that of the first 900 entries",
    ]


def test_bundle_and_node_too_many_have_no_place() -> None:
    ledger = Ledger()
    ledger.bundles[9] = ledger.bundles[0]
    ledger.nodes.append(Node(8, 3, bytes(32)))
    assert ledger.faults() == [
        "bundle 9: it has no place in the ledger",
        "tree node 8/3: it has no place in the tree",
    ]


def test_tail_that_was_lost_is_told_once() -> None:
    ledger = Ledger()
    ledger.tail = ledger.tail[:1]
    ledger.notes = [[_note(SIZE)]]
    assert ledger.faults() == [
        "leaf 868: it is missing",
        f"the ledger's head: it counts {SIZE} entries, and there are 868 leaves",
        f"kept: it counts {SIZE} entries, and there are 868 leaves",
    ]


def test_checkpoint_of_more_entries_or_out_of_order_is_named() -> None:
    ledger = Ledger()
    ledger.notes = [[_note(700), _note(500, "earlier"), _note(SIZE + 1, "later", bytes(32))]]
    assert ledger.faults() == [
        "earlier: it is smaller than one that was signed before it",
        f"later: it counts {SIZE + 1} entries, and there are {SIZE} leaves",
    ]


def test_part_is_checked_alone_with_the_tree_above_and_the_end() -> None:
    ledger = Ledger(2_000)
    del ledger.rows[10], ledger.rows[600], ledger.rows[1_990]
    ledger.bundles[0] = b""
    ledger.rows[10**6] = StoredEntry(2_000, bytes(16), b"slipped in")
    assert ledger.faults(Scope(seqs=range(512, 768))) == [
        "entry 600: its row is missing",
        f"entry 2000 ({UUID(int=0)}): its row has no place in the ledger",
    ]
    assert "entry 1990: its row is missing" in ledger.faults(Scope(seqs=range(1_800, 2_000)))
    ledger.nodes = [node if node.number != 1 else node._replace(hash=bytes(32)) for node in ledger.nodes]
    assert "the ledger's head: its hashes are not those of the leaves" in ledger.faults(Scope(seqs=range(512, 768)))


def test_rows_of_the_past_may_be_passed_over_and_leaves_may_not() -> None:
    ledger = Ledger()
    del ledger.rows[10]
    assert ledger.faults(Scope(rows_from=11)) == []
    ledger.bundles[0] = bundle([b"other", *(_leaf(seq) for seq in range(1, 256))])
    assert ledger.faults(Scope(rows_from=11))[0] == "tree node 8/0: it is not the hash of the leaves below"


def test_faults_are_counted_up_to_a_bound() -> None:
    ledger = Ledger()
    ledger.rows.clear()
    assert len(ledger.faults()) == MOST_FAULTS


@given(st.integers(0, 1_500), st.lists(st.integers(0, 1_500), max_size=8), st.data())
def test_any_changed_leaf_is_found(size: int, heads: list[int], data: st.DataObject) -> None:
    ledger = Ledger(size)
    ledger.notes = [[_note(at) for at in sorted(heads) if at <= size]]
    assert ledger.faults() == []
    if size:
        seq = data.draw(st.integers(0, size - 1))
        leaves = [_leaf(at) if at != seq else b"changed" for at in range(size)]
        full = size // 256
        ledger.bundles = {number: bundle(leaves[number * 256 : number * 256 + 256]) for number in range(full)}
        ledger.tail = [(full * 256, bundle(leaves[full * 256 :]))]
        faults = ledger.faults()
        assert faults[0] == f"{_named(seq)}: its row does not give the leaf that the ledger holds"
        assert "the ledger's head: its hashes are not those of the leaves" in faults
        assert sum("its root is not that" in fault for fault in faults) == sum(seq < at <= size for at in heads)
