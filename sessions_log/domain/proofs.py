"""Proofs as files: C2SP tlog-proof for an entry, the request of C2SP tlog-witness for a tree's growth."""

import base64
from collections.abc import Sequence

VERSION = "c2sp.org/tlog-proof@v1"


def inclusion_text(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """A `.tlog-proof`: the entry's index, its audit path from leaf to root, and the checkpoint as it was signed."""
    return _joined([VERSION, f"index {index}"], path, checkpoint)


def consistency_text(old: int, path: Sequence[bytes], checkpoint: str) -> str:
    """The body of add-checkpoint: the old size, the proof, and the newer checkpoint."""
    return _joined([f"old {old}"], path, checkpoint)


def _joined(lines: list[str], path: Sequence[bytes], checkpoint: str) -> str:
    return "\n".join([*lines, *map(_base64, path)]) + "\n\n" + checkpoint


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
