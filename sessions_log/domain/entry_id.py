"""Entry ids: UUIDv7 (RFC 9562, 5.7) whose time is the record's and whose other 74 bits tell retries apart.

An id is handled as its 16 bytes; `text` gives the usual form.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sessions_log.domain.mac import hmac_sha256, hmac_sha256_after

KIND_SESSION_LOG = 1
KIND_AI_INTERACTION = 2
KIND_ASSESSMENT = 3
KIND_STATEMENT = 4

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOW_62_BITS = (1 << 62) - 1
_VERSION_7 = 7 << 76
_VARIANT = 2 << 62


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970 of an aware datetime, rounded down, without floating point."""
    since = at - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def hour_of(at: datetime) -> int:
    """Whole hours since 1970 of an aware datetime: the coarse time that indexes carry."""
    return milliseconds(at) // 3_600_000


def from_client_id(at: datetime, kind: int, client_id: str, id_key: bytes) -> bytes:
    """The id of a record to which its sender gave an id: the same record gives the same id.

    HMAC-SHA-256 under the organization's key, never a bare hash, which could be guessed back.
    """
    return of_client_ids(kind, id_key)(at, client_id)


def of_client_ids(kind: int, id_key: bytes) -> Callable[[datetime, str], bytes]:
    """`from_client_id` for many records of one kind and organization: timestamp and client's id to entry id."""
    hmac = hmac_sha256_after(id_key, b"id\x00%d\x00" % kind)
    return lambda at, client_id: _compose(at, hmac(client_id.encode()))


def from_position(at: datetime, kind: int, idempotency_key: str, position: int, id_key: bytes) -> bytes:
    """The id of a record known only by its request's Idempotency-Key and its place in the request."""
    message = b"key\x00%d\x00%d\x00" % (kind, position) + idempotency_key.encode()
    return _compose(at, hmac_sha256(id_key, message))


def random(at: datetime) -> bytes:
    """The id of a record that nothing identifies: two equal records are two records."""
    return _compose(at, secrets.token_bytes(10))


def lowest(at: datetime) -> UUID:
    """The lowest UUIDv7 that a record of this millisecond can have; bounds of partitions and pages.

    There are no ids before 1970: an earlier time has the bound of that year's beginning.
    """
    return UUID(int=max(0, milliseconds(at)) << 80 | _VERSION_7 | _VARIANT)


def timestamp_of(entry_id: UUID) -> datetime:
    """The millisecond that an entry id carries. Raises OverflowError beyond the year 9999."""
    return _EPOCH + timedelta(milliseconds=entry_id.int >> 80)


def hour_in(entry_id: UUID) -> int:
    """Whole hours since 1970 of the time that an id carries, which may be any that fits its 48 bits."""
    return (entry_id.int >> 80) // 3_600_000


def text(entry_id: bytes) -> str:
    """The 36-character form of the 16 bytes."""
    digits = entry_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _compose(at: datetime, bits: bytes) -> bytes:
    chosen = int.from_bytes(bits[:10], "big")
    high, low = (chosen >> 62) & 0xFFF, chosen & _LOW_62_BITS
    return (milliseconds(at) << 80 | _VERSION_7 | high << 64 | _VARIANT | low).to_bytes(16, "big")
