"""Ledgers' heads signed with the keys of the keyring folder, each noted down beside them.

    checkpoints/<uid>.ndjson   {"at": time, "note": checkpoint}, one a line, only ever added to

The file is written and synced before a checkpoint leaves this module: whoever rewrites the database has to explain it.
Whoever holds the lock on it reads the keys anew: between a change of keys and a checkpoint there is an order.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sessions_log.adapters.keyring_folder import FolderKeyring, guarded, sync_folder, write_whole
from sessions_log.adapters.signing_keys import SigningKeyFiles
from sessions_log.domain.checkpoint import Checkpoint, parse_checkpoint
from sessions_log.domain.merkle import Frontier
from sessions_log.domain.signed_note import InvalidNote, Note, VerifierKey, parse_note, signed
from sessions_log.ports import HeadRefused

_LONGEST_LINE_BYTES = 64 * 1024


class FolderSigner:
    """See `sessions_log.ports.LedgerSigner`."""

    def __init__(self, keyring: FolderKeyring, folder: Path) -> None:
        self._keyring = keyring
        self._signed = folder / "checkpoints"

    def sign(self, organization: UUID, origin: str, head: Frontier, at: datetime) -> Note:
        """See the port."""
        files = self._files(organization, origin)
        return guarded(lambda: self._sign(organization, files, head, at))

    def verifiers(self, organization: UUID, origin: str) -> list[VerifierKey]:
        """See the port."""
        files = self._files(organization, origin)
        signing = self.signing(organization, origin)  # first: a key that is retired meanwhile is in both
        return list(dict.fromkeys([*signing, *guarded(files.retired)]))

    def signing(self, organization: UUID, origin: str) -> list[VerifierKey]:
        """See the port."""
        files = self._files(organization, origin)
        return guarded(lambda: [key.verifier for key in files.signing()])

    @contextmanager
    def changing(self, organization: UUID, origin: str) -> Iterator["FolderKeyChange"]:
        """See the port."""
        files = self._files(organization, origin)
        lock = guarded(lambda: os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            guarded(lambda: fcntl.flock(lock, fcntl.LOCK_EX))
            yield FolderKeyChange(files, lambda: self._locked(organization))
        finally:
            os.close(lock)

    def signed(self, organization: UUID) -> Iterator[tuple[int, bytes]]:
        """See the port."""
        path = self._signed / f"{organization}.ndjson"
        if not guarded(path.exists):
            return
        with guarded(lambda: path.open("rb")) as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):  # else it is being written
                    yield number, _note_in(line)

    def _files(self, organization: UUID, origin: str) -> SigningKeyFiles:
        return SigningKeyFiles(self._keyring.make_signing_key(organization, origin))

    def _sign(self, organization: UUID, files: SigningKeyFiles, head: Frontier, at: datetime) -> Note:
        with self._locked(organization) as descriptor:
            keys = files.signing()
            checkpoint = Checkpoint(keys[0].name, head.size, head.root())
            note = signed(checkpoint.text(), keys)
            last = _last_signed(descriptor)
            if last is not None and not _follows(parse_checkpoint(last.text), checkpoint):
                raise HeadRefused("the ledger's head is smaller than one that was signed, or another of its size")
            line = json.dumps({"at": at.isoformat(), "note": str(note)}, ensure_ascii=False)
            write_whole(descriptor, line.encode() + b"\n")
            os.fsync(descriptor)
        if last is None:
            sync_folder(self._signed)
            sync_folder(self._signed.parent)
        return note

    @contextmanager
    def _locked(self, organization: UUID) -> Iterator[int]:
        """The file of what was signed, open; nobody else signs meanwhile."""
        self._signed.mkdir(mode=0o700, exist_ok=True)
        path = self._signed / f"{organization}.ndjson"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


class FolderKeyChange:
    """See `sessions_log.ports.KeyChange`."""

    def __init__(self, files: SigningKeyFiles, locked: Callable[[], AbstractContextManager[int]]) -> None:
        self._files = files
        self._locked = locked

    def signing(self) -> list[VerifierKey]:
        """See the port."""
        return guarded(lambda: [key.verifier for key in self._files.signing()])

    def successor(self) -> VerifierKey:
        """See the port."""
        return guarded(self._files.successor).verifier

    def adopt(self) -> None:
        """See the port."""
        guarded(self._files.adopt)

    def last_signed(self) -> Note | None:
        """See the port."""
        return guarded(self._last_signed)

    def retire_old(self) -> bool:
        """See the port."""
        return guarded(self._retire_old)

    def _last_signed(self) -> Note | None:
        with self._locked() as descriptor:
            return _last_signed(descriptor)

    def _retire_old(self) -> bool:
        with self._locked():
            return self._files.retire_old()


def _follows(last: Checkpoint, checkpoint: Checkpoint) -> bool:
    return checkpoint.size > last.size or (checkpoint.size, checkpoint.root) == (last.size, last.root)


def _last_signed(descriptor: int) -> Note | None:
    """The last checkpoint in the file. A line that a crash cut short is dropped: nobody was given its checkpoint."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - 2 * _LONGEST_LINE_BYTES)
    whole, newline, cut = os.pread(descriptor, size - begin, begin).rpartition(b"\n")
    if cut:
        os.ftruncate(descriptor, size - len(cut))
    if not newline:
        return None
    try:
        return parse_note(_note_in(whole.rpartition(b"\n")[2]))
    except InvalidNote:
        raise HeadRefused("the last checkpoint beside the keys was changed") from None


def _note_in(line: bytes) -> bytes:
    """The checkpoint in a line; what it is where somebody has changed the line, is no note."""
    try:
        return str(json.loads(line)["note"]).encode()
    except (ValueError, KeyError, TypeError):
        return b""
