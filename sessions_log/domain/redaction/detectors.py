"""Which stretches of a text are sensitive: re2 finds candidates in linear time, exact rules confirm them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

DETECTORS_VERSION = 1


@dataclass(frozen=True, slots=True)
class Span:
    """A sensitive stretch of a text, in characters, end excluded."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Detector:
    """A candidate pattern (re2 syntax) and the rule that a candidate must pass."""

    type: str
    pattern: str
    confirms: Callable[[str], bool]


def has_luhn_checksum(digits: str) -> bool:
    """Whether a string of digits passes the Luhn check (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_payment_card(candidate: str) -> bool:
    """13 to 19 digits with an issuer's first digits and a right checksum."""
    digits = candidate.replace(" ", "").replace("-", "")
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 3:
        return False
    return digits[0] in "3456" or digits[:2] in _SERIES_2 if has_luhn_checksum(digits) else False


def is_email(candidate: str) -> bool:
    """A local part of at most 64 characters at a domain whose last label is a word (RFC 5321, 4.5.3.1)."""
    local, _, domain = candidate.rpartition("@")
    return 0 < len(local) <= 64 and ".." not in candidate and not local.startswith(".") and len(domain) <= 255


_SERIES_2 = frozenset(str(first) for first in range(22, 28))

# Beyond ASCII any character may stand in an address (RFC 6531): one range each, since re2's own classes of
# Unicode letters grow its automaton beyond its memory.
_BEYOND = r"\x{80}-\x{10FFFF}"

DETECTORS = (
    Detector(
        "email",
        rf"[A-Za-z0-9._%+'{_BEYOND}-]+@(?:[A-Za-z0-9{_BEYOND}-]+\.)+[A-Za-z{_BEYOND}]{{2,}}",
        is_email,
    ),
    Detector("payment_card", r"\b[0-9](?:[ -]?[0-9]){12,18}\b", is_payment_card),
)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # it would write to standard error, past our log
    return re2.compile(pattern, options)


_any = _compile("|".join(f"(?:{detector.pattern})" for detector in DETECTORS))
_compiled = tuple((detector, _compile(detector.pattern)) for detector in DETECTORS)


def may_contain(encoded: str) -> bool:
    """Whether any candidate stands in a text, JSON included; False is certain, True is not."""
    return _any.search(encoded) is not None


def spans(text: str) -> list[Span]:
    """The confirmed stretches of a text, from left to right, none overlapping."""
    found = sorted(_candidates(text), key=lambda span: (span.start, -span.end))
    kept: list[Span] = []
    for span in found:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _candidates(text: str) -> Iterator[Span]:
    for detector, pattern in _compiled:
        for match in pattern.finditer(text):
            if detector.confirms(match.group()):
                yield Span(match.start(), match.end(), detector.type)
