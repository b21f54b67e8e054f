"""What lies in the inbox: one sealed row per request, until the recorder has made entries of it."""

import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from uuid import UUID

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessions_log.domain import entry_id
from sessions_log.domain.sealing import CannotOpen

LANE_LIVE = 0
LANE_BULK = 1
_LARGEST_BODY_BYTES = 8 * 1024 * 1024
_WORTH_COMPRESSING = 2048
_PLAIN, _ZSTD = b"\x00", b"\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRequest:
    """A request whose records were checked and given ids.

    entry_ids: 16 bytes a record, joined, in plain so that a receipt can be asked for at once.
    sealed: the records as JSON, compressed and sealed under the inbox key of the day in `id`.
    """

    id: bytes
    organization_id: int
    service_id: int
    shard: int
    lane: int
    kind: int
    entry_ids: bytes
    sealed: bytes

    @property
    def records(self) -> int:
        """How many records the request carries."""
        return len(self.entry_ids) // 16


def new_request_id(now: datetime) -> bytes:
    """A UUIDv7 of the moment: inbox and outcomes are partitioned by its day."""
    return entry_id.random(now)


def day_of(request_id: bytes) -> date:
    """The day (UTC) whose inbox key seals this request."""
    return entry_id.timestamp_of(UUID(bytes=request_id)).astimezone(UTC).date()


def seal_body(body: bytes, day_key: bytes, *, request_id: bytes, organization: UUID) -> bytes:
    """Nonce, then the body under the day's key, bound to request and organization.

    What is sealed is a zero byte and the body, or a one and its zstd frame.
    """
    nonce = secrets.token_bytes(12)
    # A single record gains too little to be worth a compressor.
    packed = _PLAIN + body if len(body) < _WORTH_COMPRESSING else _ZSTD + _compressor().compress(body)
    return nonce + _cipher(day_key).encrypt(nonce, packed, request_id + organization.bytes)


def open_body(sealed: bytes, day_key: bytes, *, request_id: bytes, organization: UUID) -> bytes:
    """The inverse of `seal_body`. Raises CannotOpen."""
    try:
        packed = _cipher(day_key).decrypt(sealed[:12], sealed[12:], request_id + organization.bytes)
    except (InvalidTag, ValueError):  # ValueError: cut short, even of its nonce
        raise CannotOpen("an inbox row does not open under its day's key") from None
    if packed[:1] == _PLAIN:
        return packed[1:]
    try:
        return zstandard.ZstdDecompressor().decompress(packed[1:], max_output_size=_LARGEST_BODY_BYTES)
    except zstandard.ZstdError:
        raise CannotOpen("an inbox row does not decompress") from None


@lru_cache(8)
def _cipher(day_key: bytes) -> AESGCM:
    return AESGCM(day_key)


_of_thread = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    """zstd contexts may not be shared between threads, and cost more to make than to use."""
    compressor: zstandard.ZstdCompressor | None = getattr(_of_thread, "compressor", None)
    if compressor is None:
        compressor = _of_thread.compressor = zstandard.ZstdCompressor(level=1)
    return compressor
