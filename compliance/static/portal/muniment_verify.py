#!/usr/bin/env python3
"""Check what Muniment's ledgers prove, without Muniment: one file, Python 3.11 or later and `cryptography`.

    python muniment_verify.py proof ENTRY.tlog-proof --key VKEY [--leaf FILE]
    python muniment_verify.py growth OLD-CHECKPOINT CONSISTENCY --key VKEY [--old-key VKEY]
    python muniment_verify.py ledger FOLDER --key VKEY

`proof` checks that an entry stands in the ledger that a checkpoint has signed: the entry is in the proof itself, or its
leaf in a file. `growth` checks that an earlier checkpoint, which you kept, is the beginning of a later one. `ledger`
checks a folder that holds `checkpoint` and `tile/entries/…` as they are served: every leaf, up to the signed root.
VKEY is a verifier key, or a file with one a line: take it from a place that you trust. Where the ledger has changed its
key since, --old-key is one that may have signed the earlier checkpoint, and not the later one. No account, no network.
Exit status: 0 where everything holds, 1 where it does not (standard error says what), 2 for a wrong call.

The formats are RFC 6962's and C2SP's (signed-note, tlog-checkpoint, tlog-tiles, tlog-proof). This file is under
Apache-2.0 and shares no code with the server: read it, it is what you trust.
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1
BUNDLE = 256


class Wrong(Exception):
    """Something does not hold, or cannot be read."""


class Head(NamedTuple):
    """A checkpoint whose signature holds."""

    origin: str
    size: int
    root: bytes


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("something that should be base64 is not") from None


# --- checkpoints --------------------------------------------------------------------------------------------------


def read_keys(given: list[str]) -> dict[tuple[str, bytes], bytes]:
    """(name, key id) to public key, of Ed25519 keys given as vkeys or as files of them."""
    lines: list[str] = []
    for one in given:
        is_file = "+" not in one or Path(one).is_file()
        lines += read(Path(one)).decode().split() if is_file else [one]
    keys = {}
    for line in lines:
        name, hash_, key = [*line.split("+", 2), "", ""][:3]
        whole = decoded(key)
        own_id = sha256(name.encode() + b"\n" + whole).digest()[:4]
        if own_id.hex() != hash_:
            raise Wrong("a verifier key is damaged: its hash is not that of its key")
        if whole[0] == ED25519:
            keys[name, own_id] = whole[1:]
    return keys


def opened(note: str, keys: dict[tuple[str, bytes], bytes]) -> Head:
    """The checkpoint in a signed note. It must be signed by one of the keys, under the ledger's own name."""
    text, blank, signatures = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    if not blank or len(lines) < 4:
        raise Wrong("this is no checkpoint")
    origin, size, root = lines[:3]
    if not size.isascii() or not size.isdecimal() or str(int(size)) != size or len(decoded(root)) != 32:
        raise Wrong("this is no checkpoint: its size or root cannot be read")
    is_signed = False
    for line in signatures.splitlines():
        dash, name, signature = [*line.split(" "), "", ""][:3]
        whole = decoded(signature)
        key = keys.get((name, whole[:4]))
        if dash != "\N{EM DASH}" or key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(whole[4:], text.encode())
        except InvalidSignature:
            raise Wrong(f"the signature of {name} does not hold") from None
        is_signed = is_signed or name == origin
    if not is_signed:
        raise Wrong("the checkpoint is not signed by the ledger's key that you gave")
    return Head(origin, int(size), decoded(root))


# --- proofs -------------------------------------------------------------------------------------------------------


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a leaf's hash and its path lead to (RFC 9162, 2.1.3.2)."""
    if index >= size:
        raise Wrong("the entry lies beyond the checkpoint")
    node, last = index, size - 1
    for sibling in path:
        if last == 0:
            raise Wrong("the proof is too long")
        if node & 1 or node == last:
            leaf = node_hash(sibling, leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = node_hash(leaf, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong("the proof is too short")
    return leaf


def grew(old: Head, new: Head, path: list[bytes]) -> bool:
    """Whether the path shows the old tree to be the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if old.size == new.size:
        return old.root == new.root and not path
    if not 0 < old.size < new.size or not path:
        return old.size == 0 and not path and old.root == sha256(b"").digest()
    siblings = path if old.size & (old.size - 1) else [old.root, *path]
    node, last = old.size - 1, new.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    of_old = of_new = siblings[0]
    for sibling in siblings[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            of_old, of_new = node_hash(sibling, of_old), node_hash(sibling, of_new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            of_new = node_hash(of_new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and (of_old, of_new) == (old.root, new.root)


def leaf_of(entry: dict[str, Any]) -> bytes:
    """The leaf that an entry's own words give: kind, nonce, columns, and the digests of its sealed parts."""
    columns = json.dumps(entry["columns"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    leaf = bytes((1, entry["kind"])) + sha256(bytes.fromhex(entry["nonce"]) + columns.encode()).digest()
    for part, digest in sorted(entry["parts"].items(), key=lambda one: int(one[0])):
        leaf += bytes((int(part),)) + bytes.fromhex(digest)
    return leaf


def check_proof(file: Path, leaf_file: Path | None, keys: dict[tuple[str, bytes], bytes]) -> str:
    head, _, note = read(file).decode().partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Wrong("this is no proof of a form that is known here")
    extra = decoded(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else b""
    word, _, index = lines.pop(0).partition(" ") if lines else ("", "", "")
    if word != "index" or not index.isascii() or not index.isdecimal():
        raise Wrong("the proof does not say which entry it is of")
    checkpoint = opened(note, keys)
    if leaf_file is not None:
        leaf = read(leaf_file)
    elif extra:
        leaf = leaf_of(json.loads(extra))
    else:
        raise Wrong("the proof does not hold the entry; give its leaf by --leaf")
    if root_of(leaf_hash(leaf), int(index), checkpoint.size, [decoded(line) for line in lines]) != checkpoint.root:
        raise Wrong("the entry is not the one that stands in the ledger at this place")
    return f"entry {index} stands in the ledger {checkpoint.origin}, as signed at {checkpoint.size} entries"


def check_growth(
    old_file: Path, proof_file: Path, keys: dict[tuple[str, bytes], bytes], old_keys: dict[tuple[str, bytes], bytes]
) -> str:
    old = opened(read(old_file).decode(), keys | old_keys)
    head, _, note = read(proof_file).decode().partition("\n\n")
    lines = head.split("\n")
    new = opened(note, keys)
    if lines.pop(0) != f"old {old.size}":
        raise Wrong("the proof is of another old size than the checkpoint's")
    if old.origin != new.origin:
        raise Wrong("the two checkpoints are of different ledgers")
    if not grew(old, new, [decoded(line) for line in lines]):
        raise Wrong("the earlier ledger is not the beginning of the later one: something was changed or dropped")
    return f"the ledger {new.origin} only grew from {old.size} to {new.size} entries"


# --- whole ledgers ------------------------------------------------------------------------------------------------


def leaves_in(folder: Path, size: int) -> Iterator[bytes]:
    for number in range(-(-size // BUNDLE)):
        width = min(BUNDLE, size - number * BUNDLE)
        path = folder / "tile" / "entries" / tile_name(number)
        partial = path.with_name(f"{path.name}.p") / str(width)
        packed = read(partial if width < BUNDLE and partial.is_file() else path)
        at = 0
        for _ in range(width):
            length = int.from_bytes(packed[at : at + 2], "big")
            leaf = packed[at + 2 : at + 2 + length]
            if len(packed) < at + 2 or len(leaf) != length:
                raise Wrong(f"bundle {number} ends too early")
            at += 2 + length
            yield leaf


def tile_name(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves, however many (RFC 6962, 2.1)."""
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        node, bits = leaf_hash(leaf), size
        while bits & 1:
            node, bits = node_hash(peaks.pop(), node), bits >> 1
        peaks.append(node)
    if not peaks:
        return sha256(b"").digest()
    whole = peaks.pop()
    while peaks:
        whole = node_hash(peaks.pop(), whole)
    return whole


def check_ledger(folder: Path, keys: dict[tuple[str, bytes], bytes]) -> str:
    head = opened(read(folder / "checkpoint").decode(), keys)
    if root(leaves_in(folder, head.size)) != head.root:
        raise Wrong("the entries are not those that the checkpoint has signed")
    return f"all {head.size} entries of the ledger {head.origin} are those that were signed"


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Wrong(f"{path} cannot be read: {error.strerror}") from None


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description="Check what Muniment's ledgers prove, without Muniment.")
    commands = whole.add_subparsers(dest="what", required=True)
    proof = commands.add_parser("proof", help="an entry stands in a signed ledger")
    proof.add_argument("file", type=Path)
    proof.add_argument("--leaf", type=Path, help="the entry's leaf, where the proof does not hold the entry")
    growth = commands.add_parser("growth", help="a ledger only grew")
    growth.add_argument("old", type=Path, help="a checkpoint that was kept")
    growth.add_argument("file", type=Path, help="what /consistency answered")
    growth.add_argument("--old-key", action="append", default=[], metavar="VKEY", help="of the earlier one alone")
    ledger = commands.add_parser("ledger", help="all entries are those that were signed")
    ledger.add_argument("folder", type=Path)
    for command in (proof, growth, ledger):
        command.add_argument("--key", action="append", required=True, metavar="VKEY", help="or a file of them")
    return whole


def main() -> int:
    given = parser().parse_args()
    try:
        keys = read_keys(given.key)
        if given.what == "proof":
            words = check_proof(given.file, given.leaf, keys)
        elif given.what == "growth":
            words = check_growth(given.old, given.file, keys, read_keys(given.old_key))
        else:
            words = check_ledger(given.folder, keys)
    except Wrong as error:
        sys.stderr.write(f"NOT PROVEN: {error}\n")
        return 1
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        sys.stderr.write("NOT PROVEN: a file is not of the form that it should have\n")
        return 1
    sys.stdout.write(f"holds: {words}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
