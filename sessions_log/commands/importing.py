"""Imports: a file of records goes the way of any record, in the bulk lane."""

import codecs
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sessions_log.commands.intake import Receipts, put_records
from sessions_log.domain.sender import Sender
from sessions_log.domain.session_record import MOST_RECORDS, Rejection, SessionRecord, Window, decode_lines
from sessions_log.ports import Inbox, Keyring

MOST_CHUNK_BYTES = 2 * 1024 * 1024
MOST_MONTHS = 240


@dataclass(slots=True)
class Chunk:
    """Some lines of a file. `names` stand in for ids that records do not have, one a line.

    A line's name is a digest of the file up to its end: equal lines of a file have different names, and a line has the
    same one in a file that was cut short later, or has grown since.
    """

    lines: list[bytes]
    names: list[str]


def chunks(lines: Iterable[bytes]) -> Iterator[Chunk]:
    """Lines in requests of at most MOST_RECORDS and about MOST_CHUNK_BYTES; empty ones are passed over."""
    so_far, size = hashlib.sha256(), 0
    chunk = Chunk([], [])
    for number, whole in enumerate(lines):
        line = (whole.removeprefix(codecs.BOM_UTF8) if number == 0 else whole).rstrip(b"\n")
        if not line.strip():
            continue
        if chunk.lines and (len(chunk.lines) == MOST_RECORDS or size + len(line) > MOST_CHUNK_BYTES):
            yield chunk
            chunk, size = Chunk([], []), 0
        so_far.update(line + b"\n")
        chunk.lines.append(line)
        chunk.names.append(so_far.hexdigest())
        size += len(line)
    if chunk.lines:
        yield chunk


def read_chunk(chunk: Chunk, window: Window) -> list[SessionRecord | Rejection]:
    """The chunk's records, checked as those that come over HTTP."""
    return decode_lines(b"\n".join(chunk.lines), window)


def months_of(records: Sequence[SessionRecord | Rejection]) -> set[date]:
    """The months (first days, UTC) that entries of these records stand in."""
    days = (record.timestamp.astimezone(UTC).date() for record in records if isinstance(record, SessionRecord))
    return {day.replace(day=1) for day in days}


def put_chunk(
    chunk: Chunk,
    records: Sequence[SessionRecord | Rejection],
    sender: Sender,
    now: datetime,
    keyring: Keyring,
    box: Inbox,
) -> Receipts:
    """Store a chunk. A line that is read again, after an interruption or in a second import, is a duplicate."""
    return put_records(records, sender, [(name, 0) for name in chunk.names], now, keyring, box)
