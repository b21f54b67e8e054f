"""The keyring as a folder: one file a key, 0600, in folders of 0700, outside PostgreSQL.

    organizations/<uid>/id.key          32 bytes
    organizations/<uid>/epoch-1.key     64 bytes: wrapping key, search key; an empty file when destroyed
    organizations/<uid>/signing-1.key   32 bytes, and a name: see `signing_keys`
    inbox/2026-11-23.key                32 bytes; replaced by an empty file when destroyed

A key is written to a file of another name, fsynced, then linked to its own: two processes that make the
same key at once end up with the one that was linked first.
"""

import os
import secrets
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sessions_log.ports import EpochKeys, KeyDestroyed, KeyringUnavailable

T = TypeVar("T")


_DAYS_KEPT = 4


class FolderKeyring:
    """See `sessions_log.ports.Keyring`. Keys read once are kept in memory, inbox keys for their day only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, bytes] = {}
        self._ids: dict[UUID, bytes] = {}
        self._days: dict[date, bytes] = {}
        self._present: set[Path] = set()
        self._lock = threading.Lock()

    def make_organization(self, organization: UUID) -> None:
        """See the port."""
        self._make(self._of(organization) / "id.key", 32)
        self._make(self._epoch(organization, 1), 64)

    def id_key(self, organization: UUID) -> bytes:
        """See the port."""
        return self._ids.get(organization) or self._ids.setdefault(
            organization, self._read(self._of(organization) / "id.key")
        )

    def make_signing_key(self, organization: UUID, name: str) -> Path:
        """Make the ledger's first signing key, of this name, where there was none. Returns the folder that it is in.

        It is not kept in memory: another process may change it at any time.
        """
        folder = self._of(organization)
        path = folder / "signing-1.key"
        if path not in self._present:
            self._read(folder / "id.key")  # no key for an organization that the keyring does not know
            self._ensure(path, lambda: secrets.token_bytes(32) + name.encode())
            self._present.add(path)
        return folder

    def epoch(self, organization: UUID, number: int) -> EpochKeys:
        """See the port. Another process may have destroyed them: what is at hand counts only while the file has it."""
        path = self._epoch(organization, number)
        if path in self._known and not guarded(lambda: path.exists() and path.stat().st_size):
            del self._known[path]
        keys = self._read(path)
        return EpochKeys(number=number, wrapping=keys[:32], search=keys[32:])

    def make_epoch(self, organization: UUID, number: int) -> None:
        """See the port. The emptied file of destroyed keys stays, so that they are not made again."""
        self._read(self._of(organization) / "id.key")  # no keys for an organization that the keyring does not know
        self._make(self._epoch(organization, number), 64)

    def destroy_epoch(self, organization: UUID, number: int) -> None:
        """See the port."""
        self._known.pop(self._epoch(organization, number), None)
        guarded(lambda: overwrite(self._epoch(organization, number)))

    def inbox_key(self, day: date) -> bytes:
        """See the port. At hand are the keys of the days last used."""
        key = self._days.get(day)
        if key is None:
            self._require_place()
            key = self._make(self._inbox(day), 32)
            self._known.pop(self._inbox(day), None)
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            self._days[day] = key
        return key

    def destroy_inbox_key(self, day: date) -> None:
        """See the port. The emptied file stays, so that the day's key is not made again."""
        self._days.pop(day, None)
        guarded(lambda: overwrite(self._inbox(day)))

    def check(self) -> None:
        """See the port."""
        probe = self._folder / f".probe-{os.getpid()}-{threading.get_ident()}"
        guarded(lambda: self._try(probe))

    def _try(self, probe: Path) -> None:
        self._require_place()
        probe.write_bytes(b"")
        probe.unlink()

    def _of(self, organization: UUID) -> Path:
        return self._folder / "organizations" / str(organization)

    def _epoch(self, organization: UUID, number: int) -> Path:
        return self._of(organization) / f"epoch-{number}.key"

    def _inbox(self, day: date) -> Path:
        return self._folder / "inbox" / f"{day.isoformat()}.key"

    def _read(self, path: Path) -> bytes:
        if (known := self._known.get(path)) is not None:
            return known
        key = guarded(lambda: path.read_bytes() if path.exists() else b"")
        if not key:
            self._require_place()
            raise KeyDestroyed(f"the keyring has no {path.name}")
        self._known[path] = key
        return key

    def _require_place(self) -> None:
        """Neither miss keys nor make new ones where the keyring is not: its folder may not be mounted."""
        if not guarded((self._folder / "organizations").is_dir):
            raise KeyringUnavailable("the keyring folder is not there, or holds no organization")

    def _make(self, path: Path, size: int) -> bytes:
        return self._make_once(path, lambda: secrets.token_bytes(size))

    def _make_once(self, path: Path, fresh: Callable[[], bytes]) -> bytes:
        self._ensure(path, fresh)
        return self._read(path)

    def _ensure(self, path: Path, fresh: Callable[[], bytes]) -> None:
        with self._lock:
            if not guarded(path.exists):
                guarded(lambda: self._create(path, fresh()))
            # Whoever made it may not have come so far: what is sealed with a key must not outlive it.
            guarded(lambda: self._sync_down_to(path.parent))

    def _create(self, path: Path, key: bytes) -> None:
        self._prepare(path.parent)
        create_durably(path, key)

    def _prepare(self, folder: Path) -> None:
        for one in self._down_to(folder):
            one.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _sync_down_to(self, folder: Path) -> None:
        for one in self._down_to(folder):
            sync_folder(one)

    def _down_to(self, folder: Path) -> list[Path]:
        """The keyring's folder, and those between it and `folder`, which is the last."""
        below = folder.relative_to(self._folder)
        return [self._folder / one for one in (*reversed(below.parents), below)]


def create_durably(path: Path, content: bytes) -> None:
    """Make a file whole or not at all; does nothing where there is one. Its name is not durable yet. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    _write_durably(fresh, content, os.O_CREAT | os.O_EXCL)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another process was first: its content counts
    finally:
        fresh.unlink()


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part, and says so only the next time. Raises OSError."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _write_durably(path: Path, content: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | flags, 0o600)
    try:
        write_whole(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def overwrite(path: Path) -> None:
    """Destroy what a file holds, and leave it empty; does nothing where it is gone. Raises OSError."""
    if not path.exists() or not path.stat().st_size:
        return
    _write_durably(path, b"\x00" * path.stat().st_size, 0)
    _write_durably(path, b"", os.O_TRUNC)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def guarded(action: Callable[[], T]) -> T:
    """What the action returns. Raises KeyringUnavailable for its OSError."""
    try:
        return action()
    except OSError as error:
        raise KeyringUnavailable(f"the keyring folder cannot be used ({error.strerror})") from None
