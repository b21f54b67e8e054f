"""Leap seconds, which RFC 3339 writes as second 60 and Python's clock does not know."""

import re
from datetime import UTC, datetime, timedelta

_SECOND_60 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):60(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def folded(timestamp: str) -> str | None:
    """A timestamp within a leap second as the last microsecond before it; None for what is not within one.

    There can be one at the end of a month in UTC, as 23:59:60 (RFC 3339, 5.7), and nowhere else.
    """
    match = _SECOND_60.fullmatch(timestamp)
    if match is None:
        return None
    text = f"{match[1]}:59.999999{match[2]}"
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
        following = at + timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
    return text if (following.day, following.hour, following.minute) == (1, 0, 0) else None
