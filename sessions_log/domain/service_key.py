"""Service keys: `mun_<prefix>_<secret>`, shown once, kept as a hash.

The secret has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess, and checking
stays cheap on every request (NIST SP 800-63B asks for slow hashes only where people choose the secret).
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

SCOPES = ("ingest", "read", "identities", "ledger")
_PATTERN = re.compile(r"mun_([a-z2-7]{12})_([A-Za-z0-9_-]{43})")
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"  # pragma: allowlist secret


class UnknownScope(ValueError):
    """A scope that does not exist was asked for."""


class UnknownNetwork(ValueError):
    """An allowed network is not an IP network in CIDR form."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `token` is what its holder gets, and is nowhere kept."""

    prefix: str
    token: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A stored key with what a request needs of its service and organization."""

    id: UUID
    prefix: str
    secret_hash: bytes
    scopes: frozenset[str]
    service_id: int
    service: str
    organization_id: int
    organization_uid: UUID
    shard: int
    accepts_back_days: int
    expires_at: datetime | None
    revoked_at: datetime | None
    allowed_networks: tuple[str, ...]
    records_per_minute: int

    def is_usable(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def allows(self, address: str) -> bool:
        """Whether a request may come from this address; a key without networks may come from anywhere."""
        if not self.allowed_networks:
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in ipaddress.ip_network(network) for network in self.allowed_networks)


def new_key() -> NewKey:
    """A fresh key."""
    prefix = "".join(secrets.choice(_BASE32) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    return NewKey(prefix=prefix, token=f"mun_{prefix}_{secret}", secret_hash=_hash(secret))


def parse(token: str) -> tuple[str, str] | None:
    """Prefix and secret of a well-formed token, else None."""
    match = _PATTERN.fullmatch(token)
    return (match[1], match[2]) if match else None


def matches(secret: str, secret_hash: bytes) -> bool:
    """Whether the secret is the one whose hash is kept, in constant time."""
    return hmac.compare_digest(_hash(secret), secret_hash)


def checked_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes in their usual order. Raises UnknownScope."""
    asked = set(scopes)
    if unknown := asked.difference(SCOPES):
        raise UnknownScope(f"unknown scope {sorted(unknown)[0]!r}; allowed are {', '.join(SCOPES)}")
    return [scope for scope in SCOPES if scope in asked]


def checked_networks(networks: Sequence[str]) -> list[str]:
    """The networks in canonical CIDR form. Raises UnknownNetwork."""
    try:
        return [str(ipaddress.ip_network(network)) for network in networks]
    except ValueError:
        raise UnknownNetwork("allowed networks are written like 192.0.2.0/24 or 2001:db8::/32") from None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
