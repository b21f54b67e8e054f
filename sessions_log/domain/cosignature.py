"""Cosignatures: a witness says when it saw a checkpoint as the newest of a ledger that only grew.

Form and meaning are those of C2SP tlog-cosignature, v1 (Ed25519).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sessions_log.domain.signed_note import (
    InvalidNote,
    Signature,
    VerifierKey,
    cosigned_time,
    parse_signatures,
)

CLOCKS_APART = timedelta(minutes=5)
_LATEST_TIME = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A verified cosignature: by which witness's key, when, and the line that goes under the checkpoint."""

    key: VerifierKey
    at: datetime
    line: str


def cosigned(lines: str, text: str, keys: Iterable[VerifierKey]) -> list[Cosigned]:
    """The cosignatures of a checkpoint's text by these keys, the first of each key; other keys' lines are passed over.

    Raises InvalidNote where the lines cannot be read, or one of the keys did not sign what its line says.
    """
    known: Mapping[tuple[str, bytes], VerifierKey] = {(key.name, key.id): key for key in keys}
    found: dict[VerifierKey, Cosigned] = {}
    for signature in parse_signatures(lines):
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            key.verify(signature.signature, text)
            found.setdefault(key, Cosigned(key, _time(signature), signature.line()))
    return list(found.values())


def is_fresh(one: Cosigned, now: datetime) -> bool:
    """Whether a cosignature that has just come was made just now, as far as two clocks agree."""
    return abs(one.at - now) <= CLOCKS_APART


def _time(signature: Signature) -> datetime:
    time = cosigned_time(signature.signature)
    if time > _LATEST_TIME:
        raise InvalidNote("a cosignature's time lies beyond all calendars")
    return datetime.fromtimestamp(time, UTC)
