"""Spans: where the entries of a batch stand, in id bounds that are narrow."""

from collections.abc import Sequence
from uuid import UUID

Span = tuple[int, int, int, int, int, UUID, UUID]


def spans_of(organization_id: int, kind: int, placed: Sequence[tuple[bytes, int]], first_seq: int) -> list[Span]:
    """One span per hour of the entries' timestamps, by rising hour.

    placed: (id, hour) of each entry in the order of seq, the first of which is `first_seq`.
    Each span is (organization, kind, entries, first seq, last seq, lowest id, highest id).
    """
    hours: dict[int, list[tuple[bytes, int]]] = {}
    for seq, (entry_id, hour) in enumerate(placed, first_seq):
        hours.setdefault(hour, []).append((entry_id, seq))
    return [_span(organization_id, kind, hours[hour]) for hour in sorted(hours)]


def _span(organization_id: int, kind: int, placed: list[tuple[bytes, int]]) -> Span:
    ids = [entry_id for entry_id, _ in placed]
    lowest, highest = UUID(bytes=min(ids)), UUID(bytes=max(ids))
    return organization_id, kind, len(placed), placed[0][1], placed[-1][1], lowest, highest
