"""The ledger's leaf of an entry: fixed, binary, and nothing readable in it.

    version (1 byte, 1) | kind (1) | SHA-256(nonce | canonical JSON of the columns) (32)
    then per sealed part, in rising order: part (1) | SHA-256(sealed bytes) (32)

A session log's leaf has 67 bytes. Nonce and columns are handed out with a proof; once they are purged,
the leaf says nothing, but every proof of its neighbours still holds.
"""

from datetime import datetime
from hashlib import sha256

import msgspec

LEAF_VERSION = 1
LARGEST_LEAF_BYTES = 65_535  # what the length before it in a bundle can say
NONCE_BYTES = 16
BUNDLE_LEAVES = 256


class EntryColumns(msgspec.Struct, frozen=True):
    """The columns that a leaf commits to, as canonical JSON (RFC 8785).

    Fields stand in alphabetical order, hold strings, booleans, nulls and integers below 2^53 only, and
    all text is ASCII: msgspec's compact output then is the canonical form. Ids are 32 hex digits.
    """

    action: str
    address: str | None
    aiModel: str | None  # noqa: N815 -- the name is part of the format
    detectors: int
    duration: int | None
    findings: dict[str, int] | None
    id: str
    organization: str
    outcome: str
    policy: int
    recordedAt: datetime  # noqa: N815 -- the name is part of the format
    sensitive: bool
    service: str
    session: str
    subject: str
    target: str | None
    targetType: str | None  # noqa: N815 -- the name is part of the format
    timestamp: datetime


_BYTES = tuple(bytes((number,)) for number in range(256))
_HEADS = tuple(bytes((LEAF_VERSION,)) + kind for kind in _BYTES)
_encode = msgspec.json.Encoder(order="deterministic").encode


def canonical(columns: EntryColumns) -> bytes:
    """The canonical JSON of the columns."""
    return _encode(columns)


def leaf(kind: int, nonce: bytes, columns: bytes, parts: tuple[tuple[int, bytes], ...]) -> bytes:
    """The leaf bytes of an entry.

    columns: from `canonical`. parts: (part, sealed bytes), rising.
    """
    whole = _HEADS[kind] + sha256(nonce + columns).digest()
    for part, sealed in parts:
        whole += _BYTES[part] + sha256(sealed).digest()
    return whole


def bundle(leaves: list[bytes]) -> bytes:
    """An entry bundle as C2SP tlog-tiles has it: each leaf after its length, two bytes big-endian."""
    return b"".join(len(one).to_bytes(2, "big") + one for one in leaves)


def unbundle(packed: bytes) -> list[bytes]:
    """The inverse of `bundle`. Raises ValueError when a leaf is cut short."""
    leaves, at = [], 0
    while at < len(packed):
        length = int.from_bytes(packed[at : at + 2], "big")
        if at + 2 + length > len(packed):
            raise ValueError("an entry bundle ends within a leaf")
        leaves.append(packed[at + 2 : at + 2 + length])
        at += 2 + length
    return leaves
