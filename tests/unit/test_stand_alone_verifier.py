"""The verifier that auditors download: run as they run it, on the vectors, on what our code makes, and on forgeries."""

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.leaf import EntryColumns, bundle, canonical, leaf
from sessions_log.domain.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash, range_hash
from sessions_log.domain.proofs import consistency_text, inclusion_text
from sessions_log.domain.signed_note import SignerKey, signed
from sessions_log.domain.tiles import TilePlace
from tests.vectors import VECTORS, needs_vectors

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "compliance" / "static" / "portal" / "muniment_verify.py"
KEY = SignerKey.of_seed("audit.example/org1", bytes(range(32)))
VKEY = str(KEY.verifier)
WHEN = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)


def run(*arguments: object) -> tuple[int, str]:
    """Exit status, and what it said."""
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, (done.stdout + done.stderr).strip()


@cache
def leaves(size: int) -> list[bytes]:
    return [b"entry-%d" % at for at in range(size)]


def subtree(level: int, number: int) -> bytes:
    whole = [leaf_hash(one) for one in leaves(1024)]
    return Frontier().grown(whole[number << level : (number + 1) << level])[0].root()


def checkpoint(size: int, key: SignerKey = KEY, word: bytes = b"") -> str:
    tree, _ = Frontier().grown(leaf_hash(one + word) for one in leaves(size))
    return str(signed(Checkpoint(KEY.name, size, tree.root()).text(), [key]))


def mirrored(folder: Path, size: int) -> Path:
    """A ledger's folder as it is served."""
    folder.mkdir()
    (folder / "checkpoint").write_text(checkpoint(size))
    for number in range(-(-size // 256)):
        lot = leaves(size)[number * 256 : number * 256 + 256]
        path = folder / "tile" / TilePlace(None, number, len(lot)).path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bundle(lot))
    return folder


def test_it_needs_the_standard_library_and_cryptography_alone() -> None:
    tree = ast.parse(VERIFIER.read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} - sys.stdlib_module_names == {"cryptography"}


@needs_vectors
@pytest.mark.parametrize(("proof", "entry"), [("incl-5-13", "entry-5"), ("incl-69999-70000", "entry-69999")])
def test_proofs_of_the_vectors_hold(proof: str, entry: str) -> None:
    file = VECTORS / f"{proof}.tlog-proof"
    status, words = run("proof", file, "--leaf", VECTORS / entry, "--key", VKEY)
    assert (status, words.partition(":")[0]) == (0, "holds")
    assert run("proof", file, "--leaf", VECTORS / "vectors.json", "--key", VKEY)[0] == 1


@needs_vectors
@pytest.mark.parametrize(("old", "new"), [(7, 13), (13, 70_000)])
def test_growth_of_the_vectors_holds(old: int, new: int, tmp_path: Path) -> None:
    hashes = (VECTORS / f"cons-{old}-{new}.txt").read_text()
    proof = tmp_path / "proof"
    proof.write_text(f"old {old}\n{hashes}\n{(VECTORS / f'checkpoint-{new}').read_text()}")
    assert run("growth", VECTORS / f"checkpoint-{old}", proof, "--key", VKEY)[0] == 0


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (6, 7), (299, 300), (255, 257), (256, 257)])
def test_our_proofs_hold_for_their_entry_alone(index: int, size: int, tmp_path: Path) -> None:
    proof, own, other = tmp_path / "proof", tmp_path / "own", tmp_path / "other"
    proof.write_text(inclusion_text(index, inclusion_proof(index, size, subtree), checkpoint(size)))
    own.write_bytes(leaves(size)[index])
    other.write_bytes(b"forged")
    assert run("proof", proof, "--leaf", own, "--key", VKEY)[0] == 0
    assert run("proof", proof, "--leaf", other, "--key", VKEY)[0] == 1


def test_entry_within_a_proof_gives_its_leaf(tmp_path: Path) -> None:
    columns = EntryColumns(
        "record.view", None, None, 1, 7, {"email": 2}, "0" * 32, "1" * 32, "success", 1, WHEN, False, "orders", "2" * 32,
        "3" * 32, None, None, WHEN,
    )  # fmt: skip
    own = leaf(1, bytes(16), canonical(columns), ((1, b"sealed"),))
    tree, _ = Frontier().grown([leaf_hash(own)])
    note = str(signed(Checkpoint(KEY.name, 1, tree.root()).text(), [KEY]))
    told = {
        "kind": 1, "nonce": bytes(16).hex(), "columns": json.loads(canonical(columns)),
        "parts": {"1": sha256(b"sealed").hexdigest()},
    }  # fmt: skip
    proof = tmp_path / "proof"
    proof.write_text(inclusion_text(0, [], note, extra=json.dumps(told).encode()))
    assert run("proof", proof, "--key", VKEY)[0] == 0
    told["columns"]["outcome"] = "denied"
    proof.write_text(inclusion_text(0, [], note, extra=json.dumps(told).encode()))
    assert run("proof", proof, "--key", VKEY)[0] == 1


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (256, 300), (255, 257), (7, 7)])
def test_our_growth_holds_and_a_forged_one_does_not(old: int, new: int, tmp_path: Path) -> None:
    kept, forged, proof = tmp_path / "kept", tmp_path / "forged", tmp_path / "proof"
    kept.write_text(checkpoint(old))
    forged.write_text(checkpoint(old, word=b"!"))
    proof.write_text(consistency_text(old, consistency_proof(old, new, subtree), checkpoint(new)))
    assert run("growth", kept, proof, "--key", VKEY)[0] == 0
    status, words = run("growth", forged, proof, "--key", VKEY)
    assert (status, "not the beginning" in words) == (1, True)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 1000])
def test_served_ledger_holds(size: int, tmp_path: Path) -> None:
    assert run("ledger", mirrored(tmp_path / "ledger", size), "--key", VKEY)[0] == 0
    assert range_hash(0, size, subtree) == Frontier().grown(map(leaf_hash, leaves(size)))[0].root() if size else True


def test_ledger_with_a_changed_leaf_does_not_hold(tmp_path: Path) -> None:
    folder = mirrored(tmp_path / "ledger", 300)
    path = folder / "tile" / "entries" / "000"
    path.write_bytes(path.read_bytes().replace(b"entry-7\x00", b"entry-8\x00"))
    assert run("ledger", folder, "--key", VKEY)[0] == 1
    path.write_bytes(path.read_bytes()[:-1])
    assert run("ledger", folder, "--key", VKEY) == (1, "NOT PROVEN: bundle 0 ends too early")


def test_another_key_is_not_enough(tmp_path: Path) -> None:
    forger = SignerKey.of_seed(KEY.name, bytes(32))
    folder = mirrored(tmp_path / "ledger", 3)
    (folder / "checkpoint").write_text(checkpoint(3, forger))
    assert run("ledger", folder, "--key", VKEY)[0] == 1
    assert run("ledger", folder, "--key", str(forger.verifier))[0] == 0


def test_retired_key_counts_for_the_earlier_checkpoint_alone(tmp_path: Path) -> None:
    new_key = SignerKey.of_seed(KEY.name, bytes(range(1, 33)))
    kept, proof = tmp_path / "kept", tmp_path / "consistency"
    kept.write_text(checkpoint(3))
    proof.write_text(consistency_text(3, consistency_proof(3, 7, subtree), checkpoint(7, new_key)))
    assert run("growth", kept, proof, "--key", new_key.verifier)[0] == 1
    assert run("growth", kept, proof, "--key", new_key.verifier, "--old-key", VKEY)[0] == 0
    proof.write_text(consistency_text(3, consistency_proof(3, 7, subtree), checkpoint(7)))
    assert run("growth", kept, proof, "--key", new_key.verifier, "--old-key", VKEY)[0] == 1


def test_keys_may_stand_in_a_file(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{SignerKey.of_seed('other.example', bytes(32)).verifier}\n{VKEY}\n")
    assert run("ledger", mirrored(tmp_path / "ledger", 3), "--key", keys)[0] == 0


@pytest.mark.parametrize(
    "content", ["", "\n\n", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\nindex x\n\nnote", "\0"]
)
def test_what_is_no_proof_is_said(content: str, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    proof.write_text(content)
    status, words = run("proof", proof, "--leaf", proof, "--key", VKEY)
    assert (status, words.startswith("NOT PROVEN: ")) == (1, True)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    status, words = run("proof", tmp_path / "nothing", "--key", VKEY)
    assert (status, "cannot be read" in words) == (1, True)
    assert run("proof")[0] == 2
