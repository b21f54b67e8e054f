"""Imports: a file of records goes the way of any record, in the bulk lane."""

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


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file: which one it is, and the lines."""

    number: int
    lines: list[bytes]


def chunks(lines: Iterable[bytes]) -> Iterator[Chunk]:
    """Lines in requests of at most MOST_RECORDS and about MOST_CHUNK_BYTES; the same file gives the same chunks."""
    number, size = 0, 0
    held: list[bytes] = []
    for line in lines:
        if not line.strip():
            continue
        if held and (len(held) == MOST_RECORDS or size + len(line) > MOST_CHUNK_BYTES):
            yield Chunk(number, held)
            number, held, size = number + 1, [], 0
        held.append(line.rstrip(b"\n"))
        size += len(line)
    if held:
        yield Chunk(number, held)


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
    file_digest: str,
    now: datetime,
    keyring: Keyring,
    box: Inbox,
) -> Receipts:
    """Store a chunk. The file's digest and the chunk's number stand in for ids that records do not have.

    So a line that is read again, after an interruption or in a second import, is a duplicate.
    """
    return put_records(records, sender, f"{file_digest}:{chunk.number}", now, keyring, box)


def digest_of(pieces: Iterable[bytes]) -> str:
    """A name for a file's content."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
