#!/usr/bin/env python3
"""Check what Muniment's ledgers prove, without Muniment: one file, Python 3.11 or later and `cryptography`.

    python muniment_verify.py entry EVIDENCE.json --key VKEY
    python muniment_verify.py proof ENTRY.tlog-proof --leaf FILE --key VKEY
    python muniment_verify.py growth OLD-CHECKPOINT CONSISTENCY --key VKEY
    python muniment_verify.py ledger FOLDER-OR-ZIP --key VKEY [--against OLD-CHECKPOINT]

`entry`: the columns and sealed parts of an evidence file give its leaf, and this stands in the ledger that a checkpoint
has signed. `proof`: the same of a leaf in a file. `growth`: a checkpoint that you kept is the beginning of a later one.
`ledger`: every leaf of an export bundle gives the signed root, hash tiles and rows of entries fit where there are any,
and so do checkpoints that you kept.

VKEY is a verifier key, or a file with one a line: take it from a place that you trust. With `--witness VKEY` a witness
must have signed, too; with several all of them, or as many as `--quorum` says. `--old-key VKEY` is one that may have
signed a checkpoint that you kept, and not the later one: a ledger may change its key. No account, no network.
Exit status: 0 where everything holds, 1 where it does not (standard error says what), 2 for a wrong call.
Formats: RFC 6962, C2SP (signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof), and docs/api.md of
Muniment. This file is under Apache-2.0 and shares no code with the server: read it, it is what you trust.
"""

import argparse
import base64
import json
import sys
import zipfile
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519, COSIGNATURE, STATEMENT = 1, 4, 4  # types of keys; the kind of entry whose leaf holds words and no hashes
WIDTH, LARGEST_FILE = 256, 64 * 1024 * 1024  # of a full tile or bundle; in bytes
Keys = dict[tuple[str, bytes], tuple[int, bytes]]
Folder = Path | zipfile.Path
decoded = partial(base64.b64decode, validate=True)


class Wrong(Exception):
    """Something does not hold, or cannot be read."""


class Trust(NamedTuple):
    """What the caller trusts: keys of ledgers and of witnesses, and how many of these must have signed."""

    ledgers: Keys
    witnesses: Keys
    quorum: int


class Head(NamedTuple):
    """A checkpoint whose signature holds, and what its witnesses say in words."""

    origin: str
    size: int
    root: bytes
    witnessed: str


def refuse(is_wrong: bool, words: str) -> None:
    if is_wrong:
        raise Wrong(words)


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def read_keys(given: list[str]) -> Keys:
    """(name, key id) to type and public key, given as vkeys or as files of them."""
    keys = {}
    for one in given:
        for line in read(Path(one)).split() if "+" not in one or Path(one).is_file() else [one]:
            name, hash_, key = line.split("+", 2)
            own_id = sha256(name.encode() + b"\n" + decoded(key)).digest()[:4]
            refuse(own_id.hex() != hash_, "a verifier key is damaged: its hash is not that of its key")
            keys[name, own_id] = (decoded(key)[0], decoded(key)[1:])
    return keys


def opened(note: str, trust: Trust) -> Head:
    """The checkpoint in a signed note: signed by a ledger's key under the ledger's own name, and witnessed as asked."""
    text, blank, signatures = note.rpartition("\n\n")
    text, lines = f"{text}\n", text.split("\n")
    is_form = blank and len(lines) > 2 and str(int(lines[1])) == lines[1] and len(decoded(lines[2])) == 32
    refuse(not is_form, "this is no checkpoint")
    is_signed, seen = False, {}
    for line in signatures.splitlines():
        name, signature = line.removeprefix("\N{EM DASH} ").split(" ")
        whole = decoded(signature)
        if own := trust.ledgers.get((name, whole[:4])):
            check_signature(own, ED25519, whole[4:], text, name)
            is_signed = is_signed or name == lines[0]
        if witness := trust.witnesses.get((name, whole[:4])):
            at = int.from_bytes(whole[4:12], "big")
            check_signature(witness, COSIGNATURE, whole[12:], f"cosignature/v1\ntime {at}\n{text}", name)
            seen[name] = f"{name} at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    refuse(not is_signed, "the checkpoint is not signed by the ledger's key that you gave")
    refuse(len(seen) < trust.quorum, f"{len(seen)} of your witnesses have signed the checkpoint, {trust.quorum} must")
    return Head(lines[0], int(lines[1]), decoded(lines[2]), "".join(f", witnessed by {one}" for one in seen.values()))


def check_signature(key: tuple[int, bytes], expected: int, signature: bytes, text: str, name: str) -> None:
    refuse(key[0] != expected, f"the key of {name} is of a type that does not sign so")
    try:
        Ed25519PublicKey.from_public_bytes(key[1]).verify(signature, text.encode())
    except InvalidSignature:
        raise Wrong(f"the signature of {name} does not hold") from None


def split(size: int) -> int:
    """The largest power of two below a size of at least 2: where a tree parts (RFC 6962, 2.1)."""
    return 1 << (size - 1).bit_length() - 1


def root(hashes: list[bytes]) -> bytes:
    """The hash over a row of subtrees, of which the last alone may be smaller (RFC 6962, 2.1)."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    left = split(len(hashes))
    return node_hash(root(hashes[:left]), root(hashes[left:]))


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a leaf's hash and its path lead to (RFC 6962, 2.1.1)."""
    refuse(not 0 <= index < size or (size == 1) != (not path), "the proof is of another size than its checkpoint")
    if size == 1:
        return leaf
    left = split(size)
    if index < left:
        return node_hash(root_of(leaf, index, left, path[:-1]), path[-1])
    return node_hash(path[-1], root_of(leaf, index - left, size - left, path[:-1]))


def roots_of(old: int, new: int, known: bytes | None, path: list[bytes]) -> tuple[bytes, bytes]:
    """Both roots that a consistency proof leads to (RFC 6962, 2.1.2). known: the old one, where it needs no proof."""
    rest = path if known is None else [known, *path]
    refuse(len(rest) != 1 if old == new else not path, "the proof is of another size than its checkpoint")
    if old == new:
        return rest[0], rest[0]
    left = split(new)
    if old <= left:
        of_old, of_new = roots_of(old, left, known, path[:-1])
        return of_old, node_hash(of_new, path[-1])
    of_old, of_new = roots_of(old - left, new - left, None, path[:-1])
    return node_hash(path[-1], of_old), node_hash(path[-1], of_new)


def check_proof(proof: str, leaf: bytes, trust: Trust) -> tuple[int, str]:
    """The place of a leaf by a tlog-proof of it, and what this shows in words."""
    head, _, note = proof.partition("\n\n")
    version, index, *path = [line for line in head.split("\n") if not line.startswith("extra ")]
    is_other = version != "c2sp.org/tlog-proof@v1" or index[:6] != "index "
    refuse(is_other, "this is no proof of a form that is known here")
    place, checkpoint = int(index[6:]), opened(note, trust)
    proven = root_of(leaf_hash(leaf), place, checkpoint.size, [decoded(line) for line in path])
    refuse(proven != checkpoint.root, "the entry is not the one that stands in the ledger at this place")
    signed = f"as signed at {checkpoint.size} entries{checkpoint.witnessed}"
    return place, f"entry {place} stands in the ledger {checkpoint.origin}, {signed}"


def check_growth(old_note: str, proof: str, earlier: Trust, trust: Trust) -> str:
    head, _, note = proof.partition("\n\n")
    (first, *lines), old, new = head.split("\n"), opened(old_note, earlier), opened(note, trust)
    refuse(old.origin != new.origin, "the two checkpoints are of different ledgers")
    is_other = first != f"old {old.size}" or not 0 < old.size <= new.size
    refuse(is_other, "the proof is not of the old checkpoint's size")
    is_other = roots_of(old.size, new.size, old.root, [decoded(line) for line in lines]) != (old.root, new.root)
    refuse(is_other, "the earlier ledger is not the beginning of the later one: something changed or is gone")
    return f"the ledger {new.origin} only grew from {old.size} to {new.size} entries{new.witnessed}"


def loaded(text: str) -> Any:
    """JSON in which no name stands twice: a reader might see the one and a program the other."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        refuse(len({name for name, _ in pairs}) < len(pairs), "a name stands twice in the same JSON object")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def canonical(value: Any) -> bytes:
    """RFC 8785, of the values that leaves stand for: ASCII, whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def check_leaf(told: dict[str, Any], leaf: bytes) -> dict[str, Any]:
    """What an entry says in words, if its leaf stands for it; nothing where that was removed."""
    own = f"entry {told['seq']!r}"
    refuse((leaf[0], leaf[1]) != (1, told["kind"]), f"{own}: the leaf is of another version or kind")
    if leaf[1] == STATEMENT:
        refuse(leaf[2:] != canonical(told["statement"]), f"{own}: the statement is not the one that its leaf holds")
        return dict(told["statement"])
    if told["columns"] is None:
        return {}
    digest = sha256(bytes.fromhex(told["nonce"]) + canonical(told["columns"])).digest()
    refuse(leaf[2:34] != digest, f"{own}: the columns are not those that the leaf stands for")
    return dict(told["columns"])


def check_parts(told: dict[str, Any], leaf: bytes) -> int:
    """How many sealed parts are in the file; the hashes of all must be those that the leaf holds."""
    held = {str(leaf[at]): leaf[at + 1 : at + 33].hex() for at in range(34, len(leaf), 33)}
    hashes = {part: one["sha256"] for part, one in told.items()}
    refuse(hashes != held, "the hashes of the sealed parts are not those in the leaf")
    sealed = {part: decoded(one["sealed"]) for part, one in told.items() if "sealed" in one}
    for part, content in sealed.items():
        refuse(sha256(content).hexdigest() != held[part], "a sealed part is not the one that the leaf stands for")
    return len(sealed)


def check_entry(told: dict[str, Any], trust: Trust) -> str:
    refuse(told["format"] != "muniment-evidence@v1", "this is no evidence file of a form that is known here")
    leaf, said = decoded(told["leaf"]), check_leaf(told, decoded(told["leaf"]))
    sealed = 0 if leaf[1] == STATEMENT else check_parts(told["parts"], leaf)
    place, words = check_proof(told["proof"], leaf, trust)
    plain = told["entry"].replace("-", "")
    is_other = (place, leaf_hash(leaf).hex(), said.get("id", plain)) != (told["seq"], told["leafHash"], plain)
    refuse(is_other, "the file names another entry than the one that it proves")
    lines = [words, *(f"  {name}: {json.dumps(value)}" for name, value in said.items())]
    if not said:
        lines.append("  its columns are not in the file: what the leaf stands for is not shown")
    if sealed:
        lines.append(f"sealed parts in the file: {sealed}, recorded with the entry as they are")
    if "opened" in told:
        lines.append("not checked: what stands under `opened`; only who has the key can open the sealed parts")
    return "\n".join(lines)


def bundle_at(path: Path) -> Folder:
    """The folder of an export bundle, which may lie in a zip file, or in a folder of its own there."""
    if path.is_dir():
        return path
    top = zipfile.Path(path)
    inside = list(top.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else top


def tile(folder: Folder, level: str, number: int, width: int) -> bytes:
    """A tile of this width: the partial one, or the beginning of the full one; empty where there is neither."""
    name = f"tile/{level}/{tile_name(number)}"
    partial = found(folder / f"{name}.p/{width}") if width < WIDTH else b""
    return partial or found(folder / name)


def tile_name(number: int, mark: str = "") -> str:
    above = f"{tile_name(number // 1000, 'x')}/" if number >= 1000 else ""
    return f"{above}{mark}{number % 1000:03d}"


def leaves_of(folder: Folder, number: int, width: int) -> list[bytes]:
    packed, leaves, at = tile(folder, "entries", number, width), [], 0
    for _ in range(width):
        length = int.from_bytes(packed[at : at + 2], "big")
        leaf = packed[at + 2 : at + 2 + length]
        at += 2 + length
        refuse(len(packed) < at, f"entry bundle {number} is missing or ends too early")
        leaves.append(leaf)
    return leaves


class Tree:
    """A tree that grows by bundles. rows: per level of tiles above the leaves, the hashes that fill no tile yet."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.rows: dict[int, list[bytes]] = {}

    def add(self, level: int, number: int, hashes: list[bytes]) -> None:
        """The hashes of a tile, held against the stored one where there is one."""
        whole, stored = b"".join(hashes), tile(self.folder, str(level), number, len(hashes)) if hashes else b""
        is_other = stored != b"" and stored[: len(whole)] != whole
        refuse(is_other, f"tile {level}/{number} does not hold the hashes of the entries below it")
        if len(hashes) == WIDTH:
            row = self.rows.setdefault(level, [])
            row.append(root(hashes))
            if len(row) == WIDTH:
                self.add(level + 1, number // WIDTH, row)
                row.clear()

    def root_with(self, hashes: list[bytes]) -> bytes:
        """The root over all full tiles and some further leaves."""
        for row in self.rows.values():  # a level is begun when the one below it has filled a tile
            hashes = [*row, root(hashes)] if hashes else row
        return root(hashes)


def check_ledger(path: Path, kept: list[Path], earlier: Trust, trust: Trust) -> str:
    folder = bundle_at(path)
    head = opened(found(folder / "checkpoint").decode(), trust)
    olds = [opened(read(file), earlier) for file in kept]
    for old in olds:
        refuse(old.origin != head.origin, "the checkpoint that you kept is of another ledger")
        refuse(old.size > head.size, f"the checkpoint that you kept counts {old.size} entries, the bundle {head.size}")
    tree, rows, hashes = Tree(folder), 0, list[bytes]()
    for number in range(head.size // WIDTH + 1):
        first = number * WIDTH
        leaves = leaves_of(folder, number, min(WIDTH, head.size - first))
        hashes = [leaf_hash(leaf) for leaf in leaves]
        for old in olds:
            is_here = first <= old.size < first + WIDTH
            is_other = is_here and tree.root_with(hashes[: old.size - first]) != old.root
            refuse(is_other, f"the first {old.size} entries are not those of the checkpoint that you kept")
        rows += check_rows(folder, number, leaves)
        tree.add(0, number, hashes)
    for level, row in tree.rows.items():
        tree.add(level + 1, head.size >> 8 * level + 16, row)
    refuse(tree.root_with(hashes) != head.root, "the entries are not those that the checkpoint has signed")
    words = [f"all {head.size} entries of the ledger {head.origin} are those that were signed{head.witnessed}"]
    if rows:
        words.append(f"rows in the bundle: {rows} of {head.size}, each is the one that its leaf stands for")
    return "\n".join(words + [f"it only grew since the checkpoint of {old.size} entries" for old in olds])


def check_rows(folder: Folder, number: int, leaves: list[bytes]) -> int:
    seen = set()
    for line in found(folder / f"rows/{tile_name(number)}.ndjson").decode().splitlines():
        row = loaded(line)
        place = row["seq"] - number * WIDTH
        is_here = 0 <= place < len(leaves) and place not in seen
        refuse(not is_here, f"the row of entry {row['seq']} stands at a wrong place, or twice")
        seen.add(place)
        check_leaf(row, leaves[place])
    return len(seen)


def found(path: Folder) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        content = bytes(file.read(LARGEST_FILE + 1))
    refuse(len(content) > LARGEST_FILE, f"{path.name} is larger than any file of a ledger")
    return content


def read(path: Path) -> str:
    return path.read_bytes().decode()


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description="Check what Muniment's ledgers prove, without Muniment.")
    commands = whole.add_subparsers(dest="what", required=True)
    entry = commands.add_parser("entry", help="the entry of an evidence file stands in a signed ledger")
    proof = commands.add_parser("proof", help="a leaf stands in a signed ledger")
    growth = commands.add_parser("growth", help="a ledger only grew")
    ledger = commands.add_parser("ledger", help="all entries of an export bundle are those that were signed")
    growth.add_argument("old", type=Path, help="a checkpoint that was kept")
    for command in (growth, ledger):
        command.add_argument("--old-key", action="append", default=[], metavar="VKEY", help="of what was kept alone")
    for command in (entry, proof, growth, ledger):
        command.add_argument("file", type=Path)
        command.add_argument("--key", action="append", required=True, metavar="VKEY", help="or a file of them")
        command.add_argument("--witness", action="append", default=[], metavar="VKEY", help="or a file of them")
        command.add_argument("--quorum", type=int, metavar="N", help="how many witnesses must have signed (all)")
    proof.add_argument("--leaf", type=Path, required=True, help="the entry's leaf")
    ledger.add_argument("--against", type=Path, action="append", default=[], help="a checkpoint that was kept")
    return whole


def checked(given: argparse.Namespace) -> str:
    witnesses = read_keys(given.witness)
    quorum = len({name for name, _ in witnesses}) if given.quorum is None else given.quorum
    trust = Trust(read_keys(given.key), witnesses, quorum)
    if given.what == "entry":
        return check_entry(loaded(read(given.file)), trust)
    if given.what == "proof":
        return check_proof(read(given.file), given.leaf.read_bytes(), trust)[1]
    earlier = Trust(trust.ledgers | read_keys(given.old_key), {}, 0)
    if given.what == "growth":
        return check_growth(read(given.old), read(given.file), earlier, trust)
    return check_ledger(given.file, given.against, earlier, trust)


def main() -> int:
    given = parser().parse_args()
    try:
        sys.stdout.write(f"holds: {checked(given)}\n")
        return 0
    except Wrong as error:
        fault = str(error)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RuntimeError, zipfile.BadZipFile):
        fault = "a file is not of the form that it should have"
    except OSError as error:
        fault = f"{error.filename} cannot be read: {error.strerror}"
    sys.stderr.write(f"NOT PROVEN: {fault}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
