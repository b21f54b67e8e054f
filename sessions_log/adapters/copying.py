"""Session logs in PostgreSQL's binary COPY format: built by hand, a chunk of rows at a time."""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from sessions_log.domain.entries import SessionEntry

COLUMNS = (
    "seq", '"timestamp"', "recorded_at", "organization_id", "service_id", "hour", "duration", "outcome", "detectors",
    "policy", "sensitive", "id", "subject_id", "session_id", "target_id", "address_id", "action", "target_type",
    "ai_model", "findings", "nonce", "identity",
)  # fmt: skip
COPY = f"COPY sessions_log_sessionlog ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = b"\xff\xff\xff\xff"
# field count, then each field as its length and value: seq .. hour
_FIXED = struct.Struct(">hiqiqiqiiiiii")
# outcome .. sensitive
_SMALL = struct.Struct(">ihihihi?")
# id, subject, session
_IDS = struct.Struct(">i16si16si16s")
_INT = struct.Struct(">ii")
_UUID = struct.Struct(">i16s")
_LENGTH = struct.Struct(">i")


def session_logs(rows: Iterable[SessionEntry], first_seq: int, detectors: int, policy: int) -> bytes:
    """The rows of a COPY stream; HEADER goes before the first of them, TRAILER after the last."""
    pieces: list[bytes] = []
    add = pieces.append
    for seq, row in enumerate(rows, first_seq):
        at, recorded_at = _microseconds(row.timestamp), _microseconds(row.recorded_at)
        add(_FIXED.pack(22, 8, seq, 8, at, 8, recorded_at, 4, row.organization_id, 4, row.service_id, 4, row.hour))
        add(_NULL if row.duration is None else _INT.pack(4, row.duration))
        add(_SMALL.pack(2, row.outcome, 2, detectors, 2, policy, 1, row.sensitive))
        add(_IDS.pack(16, row.id, 16, row.subject_id, 16, row.session_id))
        add(_NULL if row.target_id is None else _UUID.pack(16, row.target_id))
        add(_NULL if row.address_id is None else _UUID.pack(16, row.address_id))
        add(_text(row.action))
        add(_text(row.target_type))
        add(_text(row.ai_model))
        add(_NULL if row.findings is None else _bytes(b"\x01" + row.findings.encode()))
        add(_bytes(row.nonce))
        add(_bytes(row.identity))
    return b"".join(pieces)


def _microseconds(at: datetime) -> int:
    since = at - _POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(4096)  # the same plain words over and over
def _text(value: str | None) -> bytes:
    return _NULL if value is None else _bytes(value.encode())


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value
