"""What commands of the portal need."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sessions_log.domain.sender import Sender
from sessions_log.domain.service_key import NewKey
from sessions_log.ports.inbox import Inbox
from sessions_log.ports.keyring import Keyring


class Organizations(Protocol):
    """Organizations and services."""

    def add(self, slug: str, name: str) -> tuple[int, UUID]:
        """Store an organization. Returns id and uid. Raises SlugTaken."""

    def add_service(self, organization_id: int, name: str) -> int:
        """Store a service. Returns its id. Raises SlugTaken."""

    def change(self, organization_id: int, name: str, accepts_back_days: int) -> dict[str, object]:
        """Change an organization. Returns what it was before, by the names of the wire form."""

    def sender(self, organization_id: int, service: str) -> Sender:
        """The service as a sender of live records."""


class ServiceKeys(Protocol):
    """Service keys."""

    def add(
        self,
        service_id: int,
        key: NewKey,
        scopes: Sequence[str],
        expires_at: datetime | None,
        networks: Sequence[str],
        records_per_minute: int,
    ) -> int:
        """Store a key. Returns the id of its organization. Raises ReservedService for the product's own service."""

    def replace(self, key_id: UUID, key: NewKey, ends: datetime) -> int | None:
        """Store a key like the old one, which ends at `ends`. Returns the organization's id, None for no usable key."""

    def revoke(self, key_id: UUID, at: datetime) -> tuple[int, str] | None:
        """End a key. Returns the organization's id and the key's prefix, None for no usable key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What commands of the portal need; `inbox` stores within the transaction at hand."""

    transaction: Callable[[], AbstractContextManager[object]]
    organizations: Organizations
    service_keys: ServiceKeys
    keyring: Keyring
    inbox: Inbox
    clock: Callable[[], datetime]
