"""A ledger's signing keys as files in its organization's folder of the keyring.

    signing-<n>.key    32 bytes of Ed25519 seed, then the key's name: it signs; emptied when it is retired
    signing-<n>.vkey   the verifier key of one that is retired, there before its seed is destroyed
    signing-<n>.next   in the form of a key: it will sign once it was announced

Numbers rise; all names are that of the first. Whoever changes anything holds a lock on `signing.lock`.
"""

import re
import secrets
from pathlib import Path

from sessions_log.adapters.keyring_folder import create_durably, overwrite, sync_folder
from sessions_log.domain.signed_note import SignerKey, VerifierKey
from sessions_log.ports import KeyDestroyed, KeyringUnavailable

_NAME = re.compile(r"signing-([1-9][0-9]*)\.key", re.ASCII)


class SigningKeyFiles:
    """Reads the files each time: another process may have changed them. Raises OSError, KeyringUnavailable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def lock(self) -> Path:
        """What is locked by whoever changes the keys."""
        return self._folder / "signing.lock"

    def signing(self) -> list[SignerKey]:
        """The keys that sign, oldest first. Raises KeyDestroyed where none does."""
        # Read first, then asked: a key is whole for as long as it is not retired.
        read = [(number, self._path(number, "key").read_bytes()) for number in self._numbers()]
        keys = [_key(content) for number, content in read if not self._is_retired(number)]
        if not keys:
            raise KeyDestroyed("the keyring has no signing key")
        return keys

    def retired(self) -> list[VerifierKey]:
        """The keys that signed once, oldest first."""
        vkeys = [self._path(number, "vkey") for number in self._numbers() if self._is_retired(number)]
        try:
            return [VerifierKey.parsed(path.read_text()) for path in vkeys]
        except ValueError:  # InvalidNote among them
            raise KeyringUnavailable("a retired verifier key cannot be read") from None

    def successor(self) -> SignerKey:
        """The key that will sign next, made and durable on first use."""
        path = self._next()
        create_durably(path, secrets.token_bytes(32) + self.signing()[-1].name.encode())
        sync_folder(self._folder)
        return _key(path.read_bytes())

    def adopt(self) -> None:
        """Let the successor sign."""
        path = self._next()
        path.rename(path.with_suffix(".key"))
        sync_folder(self._folder)

    def retire_old(self) -> bool:
        """Let the newest key alone sign, and destroy the seeds of all others. Returns whether any was left."""
        old = self._numbers()[:-1]
        for number in old:
            if not self._is_retired(number):
                vkey = _key(self._path(number, "key").read_bytes()).verifier
                create_durably(self._path(number, "vkey"), str(vkey).encode())
        sync_folder(self._folder)
        seeds = [path for number in old if (path := self._path(number, "key")).stat().st_size]
        for path in seeds:
            overwrite(path)
        return bool(seeds)

    def _next(self) -> Path:
        return self._path(self._numbers()[-1] + 1, "next")

    def _numbers(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def _is_retired(self, number: int) -> bool:
        """From the moment that its vkey is there, whatever is left of its seed."""
        return self._path(number, "vkey").exists()

    def _path(self, number: int, suffix: str) -> Path:
        return self._folder / f"signing-{number}.{suffix}"


def _key(content: bytes) -> SignerKey:
    if len(content) <= 32:
        raise KeyDestroyed("a signing key is empty, and was not retired")
    return SignerKey.of_seed(content[32:].decode(), content[:32])
