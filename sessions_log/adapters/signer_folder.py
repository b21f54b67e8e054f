"""Ledgers' signing keys in the keyring folder, and beside them every head that they signed.

    organizations/<uid>/signing-1.key   32 bytes of Ed25519 seed, then the key's name
    checkpoints/<uid>.ndjson            {"at": time, "note": checkpoint}, one a line, only ever added to

The file is written and synced before a checkpoint leaves this module: whoever rewrites the database has to explain it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sessions_log.adapters.keyring_folder import FolderKeyring, guarded, sync_folder
from sessions_log.domain.checkpoint import Checkpoint, parse_checkpoint
from sessions_log.domain.merkle import Frontier
from sessions_log.domain.signed_note import Note, SignerKey, VerifierKey, parse_note, signed
from sessions_log.ports import HeadRefused

_LONGEST_LINE_BYTES = 64 * 1024


class FolderSigner:
    """See `sessions_log.ports.LedgerSigner`."""

    def __init__(self, keyring: FolderKeyring, folder: Path) -> None:
        self._keyring = keyring
        self._signed = folder / "checkpoints"

    def sign(self, organization: UUID, origin: str, head: Frontier, at: datetime) -> Note:
        """See the port."""
        keys = self._keys(organization, origin)
        checkpoint = Checkpoint(keys[0].name, head.size, head.root())
        note = signed(checkpoint.text(), keys)
        line = json.dumps({"at": at.isoformat(), "note": str(note)}, ensure_ascii=False).encode() + b"\n"
        guarded(lambda: self._note_down(organization, checkpoint, line))
        return note

    def verifiers(self, organization: UUID, origin: str) -> list[VerifierKey]:
        """See the port."""
        return [key.verifier for key in self._keys(organization, origin)]

    def signed(self, organization: UUID) -> Iterator[tuple[int, bytes]]:
        """See the port."""
        path = self._signed / f"{organization}.ndjson"
        if not guarded(path.exists):
            return
        with guarded(lambda: path.open("rb")) as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):  # else it is being written
                    yield number, _note_in(line)

    def _keys(self, organization: UUID, origin: str) -> list[SignerKey]:
        whole = self._keyring.signing_key(organization, origin)
        return [SignerKey.of_seed(whole[32:].decode(), whole[:32])]

    def _note_down(self, organization: UUID, checkpoint: Checkpoint, line: bytes) -> None:
        self._signed.mkdir(mode=0o700, exist_ok=True)
        path = self._signed / f"{organization}.ndjson"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            last = _last_signed(descriptor)
            if last is not None and not _follows(last, checkpoint):
                raise HeadRefused("the ledger's head is smaller than one that was signed, or another of its size")
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if last is None:
            sync_folder(self._signed)
            sync_folder(self._signed.parent)


def _follows(last: Checkpoint, checkpoint: Checkpoint) -> bool:
    return checkpoint.size > last.size or (checkpoint.size, checkpoint.root) == (last.size, last.root)


def _last_signed(descriptor: int) -> Checkpoint | None:
    """The last head in the file. A line that a crash cut short is dropped: nobody was given its checkpoint."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - 2 * _LONGEST_LINE_BYTES)
    whole, newline, cut = os.pread(descriptor, size - begin, begin).rpartition(b"\n")
    if cut:
        os.ftruncate(descriptor, size - len(cut))
    if not newline:
        return None
    return parse_checkpoint(parse_note(_note_in(whole.rpartition(b"\n")[2])).text)


def _note_in(line: bytes) -> bytes:
    """The checkpoint in a line; what it is where somebody has changed the line, is no note."""
    try:
        return str(json.loads(line)["note"]).encode()
    except (ValueError, KeyError, TypeError):
        return b""
