"""Spans: where the entries of a batch stand, in id bounds that are narrow."""

from uuid import UUID

from sessions_log.domain.entries import NewEntries

Span = tuple[int, int, int, int, int, UUID, UUID]


def spans_of(entries: NewEntries, first_seq: int) -> list[Span]:
    """One span per hour of the entries' timestamps, by rising hour.

    Each is (organization, kind, entries, first seq, last seq, lowest id, highest id).
    """
    hours: dict[int, list[tuple[bytes, int]]] = {}
    for seq, row in enumerate(entries.rows, first_seq):
        hours.setdefault(row.hour, []).append((row.id, seq))
    return [_span(entries, hours[hour]) for hour in sorted(hours)]


def _span(entries: NewEntries, placed: list[tuple[bytes, int]]) -> Span:
    ids = [entry_id for entry_id, _ in placed]
    return (
        entries.organization_id,
        entries.kind,
        len(placed),
        placed[0][1],
        placed[-1][1],
        UUID(bytes=min(ids)),
        UUID(bytes=max(ids)),
    )
