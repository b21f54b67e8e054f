"""Redaction of texts and of JSON values: keys, values and numbers alike."""

from typing import Any

from sessions_log.domain.redaction.detectors import is_payment_card, may_contain, spans
from sessions_log.domain.redaction.placeholders import placeholder


def redact_text(text: str, key: bytes, counts: dict[str, int]) -> str:
    """The text with placeholders for what is sensitive; counts per type are added to `counts`."""
    found = spans(text) if may_contain(text.encode()) else []
    if not found:
        return text
    pieces, at = [], 0
    for span in found:
        pieces += [text[at : span.start], placeholder(span.type, text[span.start : span.end], key)]
        counts[span.type] = counts.get(span.type, 0) + 1
        at = span.end
    return "".join(pieces) + text[at:]


def redact(value: Any, key: bytes, counts: dict[str, int]) -> Any:
    """A JSON value of bounded depth with every string in it, keys included, redacted.

    A number that is sensitive as digits becomes its placeholder.
    """
    if isinstance(value, str):
        return redact_text(value, key, counts)
    if isinstance(value, dict):
        redacted: dict[str, Any] = {}
        for name, item in value.items():
            redacted[_free(redact_text(name, key, counts), redacted)] = redact(item, key, counts)
        return redacted
    if isinstance(value, list):
        return [redact(item, key, counts) for item in value]
    if isinstance(value, (int, float)) and abs(value) >= 10**12 and value == int(value):
        digits = str(abs(int(value)))
        return redact_text(digits, key, counts) if is_payment_card(digits) else value
    return value


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, numbered where another key became the same one: `[email:3f9c02aa71]`, `[email:3f9c02aa71] (2)`."""
    numbered, number = name, 1
    while numbered in taken:
        number += 1
        numbered = f"{name} ({number})"
    return numbered
