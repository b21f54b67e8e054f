"""The verifier that auditors download: run as they run it, on the vectors, on what our code makes, and on forgeries."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.leaf import bundle
from sessions_log.domain.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash, range_hash
from sessions_log.domain.proofs import consistency_text, inclusion_text
from sessions_log.domain.signed_note import SignerKey, signed
from sessions_log.domain.tiles import tiles_of
from tests.vectors import VECTORS, needs_vectors

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "compliance" / "static" / "portal" / "muniment_verify.py"
KEY = SignerKey.of_seed("audit.example/org1", bytes(range(32)))
VKEY = str(KEY.verifier)


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
    for place in tiles_of(size):
        first = place.number * 256
        if place.level is None:
            content = bundle(leaves(size)[first : first + place.width])
        else:
            content = b"".join(subtree(8 * place.level, number) for number in range(first, first + place.width))
        path = folder / "tile" / place.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
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


def test_extra_of_a_proof_is_passed_over(tmp_path: Path) -> None:
    proof, own = tmp_path / "proof", tmp_path / "own"
    text = inclusion_text(6, inclusion_proof(6, 7, subtree), checkpoint(7))
    proof.write_text(text.replace("\nindex 6\n", "\nextra bm90ZQ==\nindex 6\n"))
    own.write_bytes(leaves(7)[6])
    assert run("proof", proof, "--leaf", own, "--key", VKEY)[0] == 0


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
    assert run("ledger", folder, "--key", VKEY) == (1, "NOT PROVEN: entry bundle 0 is missing or ends too early")


def test_ledger_with_a_changed_tile_does_not_hold(tmp_path: Path) -> None:
    folder = mirrored(tmp_path / "ledger", 600)
    for name in ("0/000", "0/002.p/88", "1/000.p/2"):
        path = folder / "tile" / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes((whole[-1] ^ 1,)))
        status, words = run("ledger", folder, "--key", VKEY)
        assert (status, f"tile {name.partition('.')[0].replace('/00', '/')} does not hold" in words) == (1, True)
        path.write_bytes(whole)
    assert run("ledger", folder, "--key", VKEY)[0] == 0


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512])
def test_whole_ledger_is_held_against_a_checkpoint_that_was_kept(size: int, tmp_path: Path) -> None:
    folder, kept, forged = mirrored(tmp_path / "ledger", 512), tmp_path / "kept", tmp_path / "forged"
    kept.write_text(checkpoint(size))
    forged.write_text(checkpoint(size, word=b"!"))
    assert run("ledger", folder, "--key", VKEY, "--against", kept) == (
        0,
        "holds: all 512 entries of the ledger audit.example/org1 are those that were signed\n"
        f"it only grew since the checkpoint of {size} entries",
    )
    assert run("ledger", folder, "--key", VKEY, "--against", kept, "--against", forged)[0] == 1


def test_ledger_that_lost_its_end_does_not_hold(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(checkpoint(300))
    status, words = run("ledger", mirrored(tmp_path / "ledger", 299), "--key", VKEY, "--against", kept)
    assert (status, words) == (1, "NOT PROVEN: the checkpoint that you kept counts 300 entries, the bundle 299")


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
    status, words = run("proof", tmp_path / "nothing", "--leaf", tmp_path / "nothing", "--key", VKEY)
    assert (status, "cannot be read" in words) == (1, True)
    assert run("proof")[0] == 2
