"""Records of years ago: a real hour of somebody else's systems where it is at hand, else invented ones."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sessions_log.domain.demo import demo_records

REAL = Path(__file__).resolve().parents[3] / "shared/data/real/session_events.ndjson"
RECORDS = 2_900


def history() -> list[dict[str, Any]]:
    """RECORDS records of July 2023, each with an id of its own."""
    if REAL.exists():
        return [json.loads(line) for line in REAL.read_text().splitlines()]
    invented = demo_records(until=datetime(2023, 7, 10, tzinfo=UTC), days=7, seed=7)
    return [dict(record) for _, record in islice(invented, RECORDS)]


def as_lines(records: list[dict[str, Any]]) -> bytes:
    """NDJSON."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)
