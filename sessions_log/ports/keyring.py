"""Where keys lie, and what can be wrong with that."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID


class KeyringUnavailable(Exception):
    """The keyring cannot be read or written."""


class KeyDestroyed(Exception):
    """The key is gone, and with it all that it sealed."""


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The keys of an organization's epoch: `wrapping` wraps subjects' keys, `search` makes lookups."""

    number: int
    wrapping: bytes
    search: bytes


class Keyring(Protocol):
    """Where epoch keys, id keys and inbox day keys live, outside PostgreSQL. Safe for use by threads.

    Every method raises KeyringUnavailable when the place cannot be reached.
    """

    def make_organization(self, organization: UUID) -> None:
        """Make the id key and the keys of epoch 1, durable before it returns; does nothing where they exist."""

    def id_key(self, organization: UUID) -> bytes:
        """The organization's id key, 32 bytes. Raises KeyDestroyed where there is none."""

    def epoch(self, organization: UUID, number: int) -> EpochKeys:
        """The keys of an epoch. Raises KeyDestroyed where there are none."""

    def make_epoch(self, organization: UUID, number: int) -> None:
        """Make the keys of an epoch, durable before it returns; does nothing where they exist.

        Raises KeyDestroyed where the organization has no keys, or had those and lost them.
        """

    def destroy_epoch(self, organization: UUID, number: int) -> None:
        """Destroy an epoch's keys for good; `epoch` then raises KeyDestroyed. Does nothing where they are gone."""

    def inbox_key(self, day: date) -> bytes:
        """The key that seals the inbox of a day (UTC), made and durable on first use. Raises KeyDestroyed."""

    def destroy_inbox_key(self, day: date) -> None:
        """Destroy a day's key for good; `inbox_key` then raises KeyDestroyed. Does nothing where it is gone."""

    def check(self) -> None:
        """Return when keys can be read and written."""
