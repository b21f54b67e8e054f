"""Session logs in PostgreSQL's binary COPY format: built by hand, a chunk of rows at a time."""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from sessions_log.domain.entries import SessionEntry

COLUMNS = (
    "seq", '"timestamp"', "recorded_at", "organization_id", "detectors", "policy", "service_id", "hour", "outcome",
    "sensitive", "id", "subject_id", "session_id", "nonce", "duration", "target_id", "address_id", "action",
    "target_type", "ai_model", "findings", "identity",
)  # fmt: skip
COPY = f"COPY sessions_log_sessionlog ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = b"\xff\xff\xff\xff"
# recorded_at .. policy: the same in every row
_SHARED = struct.Struct(">iqiiihih")
# the number of fields, then each as its length and value: seq .. nonce, with what is shared as it is
_FIXED = struct.Struct(f">hiqiq{_SHARED.size}siiiiihi?i16si16si16si16s")
_INT = struct.Struct(">ii")
_LENGTH = struct.Struct(">i")
_UUID_LENGTH = _LENGTH.pack(16)


def session_logs(rows: Iterable[SessionEntry], first_seq: int, shared: bytes) -> bytes:
    """The rows of a COPY stream; HEADER goes before the first of them, TRAILER after the last.

    shared: from `shared_columns`.
    """
    pieces: list[bytes] = []
    add = pieces.append
    for seq, row in enumerate(rows, first_seq):
        add(
            _FIXED.pack(
                22, 8, seq, 8, _microseconds(row.timestamp), shared, 4, row.service_id, 4, row.hour, 2, row.outcome,
                1, row.sensitive, 16, row.id, 16, row.subject_id, 16, row.session_id, 16, row.nonce,
            )
        )  # fmt: skip
        add(_NULL if row.duration is None else _INT.pack(4, row.duration))
        add(_NULL if row.target_id is None else _UUID_LENGTH + row.target_id)
        add(_NULL if row.address_id is None else _UUID_LENGTH + row.address_id)
        add(_words(row.action, row.target_type, row.ai_model))
        add(_NULL if row.findings is None else _bytes(b"\x01" + row.findings.encode()))
        add(_LENGTH.pack(len(row.identity)))
        add(row.identity)
    return b"".join(pieces)


def shared_columns(recorded_at: datetime, organization_id: int, detectors: int, policy: int) -> bytes:
    """The columns that all rows of a batch have alike."""
    return _SHARED.pack(8, _microseconds(recorded_at), 4, organization_id, 2, detectors, 2, policy)


def _microseconds(at: datetime) -> int:
    since = at - _POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(4096)  # the same plain words over and over
def _words(*values: str | None) -> bytes:
    return b"".join(_NULL if value is None else _bytes(value.encode()) for value in values)


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value
