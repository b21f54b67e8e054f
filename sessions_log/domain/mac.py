"""HMAC-SHA-256 (RFC 2104) for many short messages under few keys."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _hashlib import HASH

_BLOCK_BYTES = 64
_KEYS_KEPT = 64


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """The 32 bytes. A key of more than 64 bytes is not taken (ValueError); ours have 32.

    The standard library sets a key up anew for each message, which costs more than the message.
    """
    return hmac_sha256_after(key, b"")(message)


def hmac_sha256_after(key: bytes, prefix: bytes) -> Callable[[bytes], bytes]:
    """`hmac_sha256` of messages that all begin with the prefix, taken without it."""
    inner, outer = _keyed(key)
    begun = inner.copy()
    begun.update(prefix)

    def finished(message: bytes) -> bytes:
        within, around = begun.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    return finished


@lru_cache(_KEYS_KEPT)
def _keyed(key: bytes) -> "tuple[HASH, HASH]":
    """SHA-256 after the padded key, for the inner and the outer hash (RFC 2104, 2)."""
    if len(key) > _BLOCK_BYTES:
        raise ValueError("the key is longer than a block")
    block = key.ljust(_BLOCK_BYTES, b"\x00")
    return (
        hashlib.sha256(bytes(byte ^ 0x36 for byte in block)),
        hashlib.sha256(bytes(byte ^ 0x5C for byte in block)),
    )
