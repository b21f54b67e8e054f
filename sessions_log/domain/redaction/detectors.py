"""Which stretches of a text are sensitive: re2 finds candidates in linear time, exact rules confirm them."""

import re
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
    """A candidate pattern (re2 syntax), and the rule that finds what is sensitive within a candidate.

    hint: matches wherever `pattern` does, in the text itself and in its JSON, where an escape such as `\\n` puts a
    letter before what stood at the beginning of a line.
    """

    type: str
    pattern: str
    hint: str
    within: Callable[[str], list[tuple[int, int]]]


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
    if not 13 <= len(digits) <= 19 or not (digits[0] in "3456" or digits[:2] in _SERIES_2):
        return False
    return has_luhn_checksum(digits)


def cards_in(candidate: str) -> list[tuple[int, int]]:
    """The cards in a run of digits: all of it, or where other numbers stand beside a card, the card alone."""
    if is_payment_card(candidate):
        return [(0, len(candidate))]
    shaped = (match for shape in _CARD_SHAPES for match in shape.finditer(candidate))
    return [match.span(1) for match in shaped if is_payment_card(match[1])]


def emails_in(candidate: str) -> list[tuple[int, int]]:
    """The address in a candidate: the last 64 characters before the @ at most (RFC 5321, 4.5.3.1), no dots first."""
    local, _, _ = candidate.rpartition("@")
    begin = max(local.rfind("..") + 1, len(local) - 64)
    begin += len(local[begin:]) - len(local[begin:].lstrip("."))
    return [(begin, min(len(candidate), len(local) + 1 + 255))] if begin < len(local) else []


_SERIES_2 = frozenset(str(first) for first in range(22, 28))
# As cards are printed: in one piece, in fours, or as American Express and Diners Club group them. Looked at from
# every beginning of a number, since the one before may be another.
_CARD_SHAPES = tuple(
    re.compile(rf"(?<![0-9])(?=({shape})(?![0-9]))")
    for shape in (
        "[0-9]{13,19}",
        "[0-9]{4}(?:[ -][0-9]{4}){3}",
        "[0-9]{4}(?:[ -][0-9]{4}){3}[ -][0-9]{3}",
        "[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}",
    )
)

# Beyond ASCII any character may stand in an address (RFC 6531): one range each, since re2's own classes of
# Unicode letters grow its automaton beyond its memory.
_BEYOND = r"\x{80}-\x{10FFFF}"

_EMAIL = rf"[A-Za-z0-9._%+'{_BEYOND}-]+@(?:[A-Za-z0-9{_BEYOND}-]+\.)+[A-Za-z{_BEYOND}]{{2,}}"
_LONG_NUMBER = r"[0-9](?:[ -]?[0-9]){12}"

DETECTORS = (
    Detector("email", _EMAIL, _EMAIL, emails_in),
    Detector("payment_card", rf"\b{_LONG_NUMBER}(?:[ -]?[0-9])*\b", _LONG_NUMBER, cards_in),
)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # it would write to standard error, past our log
    return re2.compile(pattern, options)


_any = re2.Set.SearchSet()
for _detector in DETECTORS:
    _any.Add(_detector.hint)
_any.Compile()
_compiled = tuple((detector, _compile(detector.pattern)) for detector in DETECTORS)


def may_contain(encoded: bytes) -> bool:
    """Whether any candidate stands in a text (UTF-8), JSON included; False is certain, True is not."""
    return bool(_any.Match(encoded))


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
            for start, end in detector.within(match.group()):
                yield Span(match.start() + start, match.start() + end, detector.type)
