"""Digests: each says what came since the one before it, so that none can be left out and no silence goes unsigned."""

from collections.abc import Iterable, Iterator
from typing import Any

from sessions_log.domain.verification.results import Fault


def digest_faults(digests: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Fault]:
    """Digests that do not begin where the one before them stands, or do not end before themselves.

    digests: (seq, details), by seq. One at seq n covers the digest before it, or the ledger's beginning, to n - 1.
    """
    begin = 0
    for seq, details in digests:
        count = seq - begin
        first, last = (begin, seq - 1) if count else (None, None)
        if (details.get("count"), details.get("firstSeq"), details.get("lastSeq")) != (count, first, last):
            yield Fault(f"digest at entry {seq}", "it does not cover what came since the one before it")
        begin = seq
