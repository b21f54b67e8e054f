"""Placeholders: what stands where a sensitive value stood.

Equal values of an organization and epoch get equal placeholders, so that an officer can follow a value
through the records without seeing it; the key keeps anyone else from guessing it back.
"""

import re
from collections.abc import Callable

from sessions_log.domain.mac import hmac_sha256

PATTERN = re.compile(r"\[(?P<type>[a-z_]{1,32}):(?P<mark>[0-9a-f]{10})\]")


# One value may be written in several ways; all get one placeholder.
_SPELT_ALIKE: dict[str, Callable[[str], str]] = {
    "email": str.lower,
    "payment_card": lambda value: value.replace(" ", "").replace("-", ""),
}


def placeholder(type_: str, value: str, key: bytes) -> str:
    """`[email:3f9c02aa71]`: the type and 40 bits of a keyed hash of the value."""
    alike = _SPELT_ALIKE.get(type_, str)(value)
    mark = hmac_sha256(key, b"placeholder\x00" + type_.encode() + b"\x00" + alike.encode())
    return f"[{type_}:{mark.hex()[:10]}]"
