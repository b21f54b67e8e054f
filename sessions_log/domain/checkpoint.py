"""Checkpoints (C2SP tlog-checkpoint): what a ledger's signed notes say, its origin, size and root."""

import base64
import binascii
import re
from dataclasses import dataclass

from sessions_log.domain.merkle import HASH_BYTES
from sessions_log.domain.signed_note import InvalidNote

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A ledger's state: `origin` names it, `size` counts its leaves, `root` is the hash over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The first three lines of a note's text; extension lines may follow. Raises InvalidNote."""
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]):
        raise InvalidNote("a checkpoint has three lines or more, none of them empty")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise InvalidNote("a checkpoint's size is a decimal number without leading zeros")
    try:
        decoded = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidNote("a checkpoint's root is not valid base64") from None
    if len(decoded) != HASH_BYTES:
        raise InvalidNote(f"a checkpoint's root has {HASH_BYTES} bytes")
    return Checkpoint(origin, int(size), decoded)
