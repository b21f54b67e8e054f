"""Evidence of one entry: its place in the ledger and all that its leaf stands for, as a file that is checked elsewhere.

The proof is C2SP's; the document around it is ours. What it holds and how it is checked is in docs/api.md.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sessions_log.domain.checkpoint import parse_checkpoint
from sessions_log.domain.cosignature import Cosigned
from sessions_log.domain.entries import IdentityPart
from sessions_log.domain.leaf import LEAF_VERSION
from sessions_log.domain.merkle import leaf_hash, root_of_inclusion
from sessions_log.domain.proofs import inclusion_text
from sessions_log.domain.sealing import PART_CONTENT, PART_IDENTITY, PART_ORIGINAL
from sessions_log.domain.signed_note import parse_note

FORMAT = "muniment-evidence@v1"
PART_NAMES = {PART_IDENTITY: "identity", PART_CONTENT: "content", PART_ORIGINAL: "original"}
_HEAD_BYTES = 2
_HASH_BYTES = 32

PROVES = (
    "An entry with these columns and sealed parts, or with this statement, stands at this place of the ledger, under a"
    " checkpoint that its key has signed: with anything changed, the leaf and every hash above it would be others."
)
PROVES_NOT = (
    "It does not prove that what was sent or stated is true; nor, without a checkpoint that was kept elsewhere or a"
    " witness, that nobody who holds both database and keys has written the whole ledger anew."
)
OPENED = (
    "This is what Muniment opened of the sealed parts. The leaf stands for SHA-256 of the sealed bytes, which are here"
    " too; that they say this cannot be checked without the key, which leaves Muniment for nobody."
)


class NoLeaf(ValueError):
    """Bytes that are no entry's leaf."""


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint as proofs need it: its note, the size and root that stand in it, when and by whom it was signed."""

    size: int
    root: bytes
    note: str
    signed_at: datetime
    witnesses: tuple[Cosigned, ...] = ()

    @classmethod
    def of_note(cls, note: str, signed_at: datetime, witnesses: tuple[Cosigned, ...] = ()) -> "Head":
        """What a note says; its signatures are not looked at. Raises InvalidNote."""
        checkpoint = parse_checkpoint(parse_note(note.encode()).text)
        return cls(checkpoint.size, checkpoint.root, note, signed_at, witnesses)


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's place in its ledger, and the way from there to a checkpoint.

    head: None while no checkpoint covers the entry; `path` is empty then.
    """

    seq: int
    leaf: bytes
    head: Head | None
    path: Sequence[bytes] = ()

    @property
    def leaf_hash(self) -> bytes:
        """The hash that stands at the bottom of the tree."""
        return leaf_hash(self.leaf)

    def leads_to_head(self) -> bool:
        """Whether the path leads from the leaf to the checkpoint's root."""
        if self.head is None:
            return False
        try:
            return root_of_inclusion(self.leaf_hash, self.seq, self.head.size, self.path) == self.head.root
        except ValueError:
            return False

    def proof(self) -> str:
        """The `.tlog-proof`. Raises ValueError while no checkpoint covers the entry."""
        if self.head is None:
            raise ValueError("the entry is not under a checkpoint yet")
        return inclusion_text(self.seq, self.path, self.head.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """What a leaf stands for, as far as it is still there.

    nonce and columns: of a record; columns are canonical JSON. statement: a statement's body, canonical JSON.
    sealed: sealed parts by number, for those who may have them; opened: what they say, by number.
    """

    entry_id: UUID
    nonce: bytes | None = None
    columns: bytes | None = None
    statement: bytes | None = None
    sealed: Mapping[int, bytes] | None = None
    opened: Mapping[int, Any] | None = None


def opened_identity(part: IdentityPart) -> dict[str, Any]:
    """An opened identity part by the names of the wire form."""
    return {
        "sessionId": part.session,
        "userId": part.user,
        "ipAddress": part.address,
        "userAgent": part.agent,
        "targetId": part.target,
        "metadata": part.metadata,
        "id": part.id,
        "traceId": part.trace_id,
        "sequence": part.sequence,
        "targetType": part.target_type,
        "aiModelUsed": part.ai_model,
    }


def part_hashes(leaf: bytes) -> dict[int, bytes]:
    """The hashes of the sealed parts that a record's leaf holds, by part. Raises NoLeaf."""
    parts = leaf[_HEAD_BYTES + _HASH_BYTES :]
    if len(leaf) < _HEAD_BYTES + _HASH_BYTES or leaf[0] != LEAF_VERSION or len(parts) % (1 + _HASH_BYTES):
        raise NoLeaf("these bytes are no record's leaf")
    return {parts[at]: parts[at + 1 : at + 1 + _HASH_BYTES] for at in range(0, len(parts), 1 + _HASH_BYTES)}


def evidence(place: Place, substance: Substance) -> dict[str, Any]:
    """The evidence document. Raises ValueError while no checkpoint covers the entry, NoLeaf for bytes that are none."""
    if len(place.leaf) < _HEAD_BYTES:
        raise NoLeaf("these bytes are no entry's leaf")
    document: dict[str, Any] = {
        "format": FORMAT,
        "proves": PROVES,
        "provesNot": PROVES_NOT,
        "entry": str(substance.entry_id),
        "seq": place.seq,
        "kind": place.leaf[1],
    }
    if substance.statement is not None:
        document["statement"] = json.loads(substance.statement)
    else:
        document |= _of_record(place.leaf, substance)
    return document | {
        "leaf": _base64(place.leaf),
        "leafHash": place.leaf_hash.hex(),
        "proof": place.proof(),
    }


def _of_record(leaf: bytes, substance: Substance) -> dict[str, Any]:
    sealed = substance.sealed or {}
    told: dict[str, Any] = {
        "nonce": None if substance.nonce is None else substance.nonce.hex(),
        "columns": None if substance.columns is None else json.loads(substance.columns),
        "parts": {
            str(part): {"holds": PART_NAMES.get(part, "unknown"), "sha256": digest.hex()}
            | ({"sealed": _base64(sealed[part])} if part in sealed else {})
            for part, digest in part_hashes(leaf).items()
        },
    }
    if substance.opened:
        told["opened"] = {"note": OPENED} | {str(part): said for part, said in substance.opened.items()}
    return told


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
