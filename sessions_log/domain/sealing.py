"""Sealing: how a part of an entry becomes bytes that only its subject's key opens.

A sealed part is schema (1 byte), dictionary version (1), nonce (12), then AES-256-GCM of the
zstd-compressed part with its 16-byte tag. Entry id, kind, part, schema and dictionary are associated
data: a sealed part moved to another entry does not open. Nonces are random: a subject's key seals far
fewer than the 2^32 parts at which NIST SP 800-38D (8.3) sets the limit.
"""

import hashlib
import secrets
import threading
from functools import lru_cache
from importlib import resources

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessions_log.domain.mac import hmac_sha256

PART_IDENTITY = 1
PART_CONTENT = 2
PART_ORIGINAL = 3

SCHEMA = 2
DICTIONARY_VERSION = 2
KEY_BYTES = 32
SEAL_NONCE_BYTES = 12
LOOKUP_BYTES = 16
DIGEST_BYTES = 16
LARGEST_PART_BYTES = 2 * 1024 * 1024
_HEADER = bytes((SCHEMA, DICTIONARY_VERSION))


class CannotOpen(Exception):
    """The key is not the one it was sealed with, or the bytes or their place were changed."""


def new_key() -> bytes:
    """A fresh AES-256 key."""
    return secrets.token_bytes(KEY_BYTES)


def wrap(key: bytes, epoch_key: bytes) -> bytes:
    """A subject's key under the organization's epoch key (AES-KW, RFC 3394): 40 bytes."""
    return keywrap.aes_key_wrap(epoch_key, key)


def unwrap(wrapped: bytes, epoch_key: bytes) -> bytes:
    """The inverse of `wrap`. Raises CannotOpen."""
    try:
        return keywrap.aes_key_unwrap(epoch_key, wrapped)
    except (keywrap.InvalidUnwrap, ValueError):
        raise CannotOpen("a wrapped key does not open under this epoch key") from None


def lookup(search_key: bytes, table: str, value: str) -> bytes:
    """The keyed hash by which an exact value is found again: HMAC-SHA-256, first 128 bits (RFC 2104, 5)."""
    return hmac_sha256(search_key, table.encode() + b"\x00" + value.encode())[:LOOKUP_BYTES]


def record_digest(encoded: bytes, id_key: bytes) -> bytes:
    """A keyed fingerprint (BLAKE2b, 128 bits) of a record as it was sent; tells a retry from a conflict."""
    keyed = _keyed(id_key).copy()
    keyed.update(encoded)
    return keyed.digest()


@lru_cache(64)
def _keyed(id_key: bytes) -> hashlib.blake2b:
    """BLAKE2b after the key: kept ready, since setting it up takes as long as a short record."""
    return hashlib.blake2b(key=id_key, digest_size=DIGEST_BYTES, person=b"muniment-digest")


class PartCipher:
    """Seals and opens the parts of one subject; cheap to keep, costly to make. Safe for use by threads."""

    __slots__ = ("_cipher", "_part")

    def __init__(self, key: bytes, part: int) -> None:
        self._cipher = AESGCM(key)
        self._part = part

    def seal(self, plain: bytes, *, entry_id: bytes, kind: int, nonce: bytes) -> bytes:
        """The sealed form of a part of at most LARGEST_PART_BYTES.

        nonce: SEAL_NONCE_BYTES from `secrets`, for this part alone; whoever seals many draws them together.
        """
        header = _HEADER + nonce
        associated = entry_id + bytes((kind, self._part)) + _HEADER
        return header + self._cipher.encrypt(nonce, _codec().compress(plain), associated)

    def open(self, sealed: bytes, *, entry_id: bytes, kind: int) -> bytes:
        """The plain part. Raises CannotOpen."""
        header, nonce = sealed[:2], sealed[2:14]
        if header != _HEADER:
            raise CannotOpen("sealed by a schema that this version does not know")
        try:
            packed = self._cipher.decrypt(nonce, sealed[14:], entry_id + bytes((kind, self._part)) + header)
        except (InvalidTag, ValueError):  # ValueError: cut short, even of its nonce
            raise CannotOpen("a sealed part does not open under its key") from None
        return _codec().decompress(packed)


class ValueCipher:
    """Seals single short values (a user's name, a session token) beside their lookups, bound to their row."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: str, *, row_id: bytes, table: str) -> bytes:
        """Nonce and ciphertext, bound to the row and its table."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, value.encode(), row_id + table.encode())

    def open(self, sealed: bytes, *, row_id: bytes, table: str) -> str:
        """The plain value. Raises CannotOpen."""
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], row_id + table.encode()).decode()
        except (InvalidTag, ValueError):  # ValueError: cut short, even of its nonce
            raise CannotOpen("a sealed value does not open under its key") from None


class _Codec:
    """zstd with our dictionary, frames without magic number, checksum and dictionary id: AES-GCM guards them."""

    def __init__(self) -> None:
        name = f"parts-{DICTIONARY_VERSION}.zdict"
        trained = resources.files("sessions_log.domain").joinpath("dictionary", name).read_bytes()
        dictionary = zstandard.ZstdCompressionDict(trained)
        parameters = zstandard.ZstdCompressionParameters.from_level(
            2,
            dict_size=len(trained),
            format=zstandard.FORMAT_ZSTD1_MAGICLESS,
            write_content_size=1,
            write_checksum=0,
            write_dict_id=0,
        )
        self._compressor = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters)
        self._decompressor = zstandard.ZstdDecompressor(dict_data=dictionary, format=zstandard.FORMAT_ZSTD1_MAGICLESS)

    def compress(self, plain: bytes) -> bytes:
        return self._compressor.compress(plain)

    def decompress(self, packed: bytes) -> bytes:
        return self._decompressor.decompress(packed, max_output_size=LARGEST_PART_BYTES)


_of_thread = threading.local()


def _codec() -> _Codec:
    """zstd contexts may not be shared between threads."""
    codec: _Codec | None = getattr(_of_thread, "codec", None)
    if codec is None:
        codec = _of_thread.codec = _Codec()
    return codec
