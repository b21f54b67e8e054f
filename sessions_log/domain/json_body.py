"""JSON from strangers: everything that two parsers could read differently is refused.

RFC 8259 leaves duplicate keys, lone surrogates and huge numbers to the parser; evidence may not
depend on which one reads it (ASVS 5.0 V1.5.3).
"""

import json
import re
from typing import Any, NamedTuple

import msgspec
import re2

DEEPEST = 32
_LARGEST_EXACT_INTEGER = 2**53
_NUL_SPELT = re2.compile(rb"\\u0000")  # finds where to look twice, at the speed of the memory
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# A number of 16 digits or more: after a colon, comma or bracket, since what stands in a string follows a quote.
_long_number = re2.Set.SearchSet()
_long_number.Add(rb"[:,\[]\s*-?[0-9]{16}")
_long_number.Compile()
encode_sorted = msgspec.json.Encoder(order="deterministic").encode
_TOO_DEEP = f"nested deeper than {DEEPEST} levels"
# Parsers recurse, and where a thread's stack is small some end the process before they notice (18 KB of `[` did).
_DEEPEST_PARSED = 200


def _bounded(levels: int, *, digits: int | None = None) -> Any:
    """Matches any text, JSON or not, whose brackets outside of strings are at most so many levels deep.

    digits: how many may stand in a row outside of strings; then no number may have an exponent either. Each level
    holds the one below; what is not closed ends with the text. re2 takes linear time and no stack.
    """
    string = rb'"(?:[^"\\]|\\.)*(?:"|\\?\z)'
    # The letter e stands in `true` and `false`, after u and s, or it begins an exponent.
    number, other, word = (b"", b"", b"") if digits is None else (b"[0-9]{0,%d}" % digits, b"0-9eEus", b"[us]e?|")
    level = rb""
    for depth in range(levels + 1):
        brackets = rb"\[{" if depth == levels else rb"\[\]{}"
        nested = rb"|[\[{]" + level + rb"(?:[\]}]|\z)" if depth else b""
        one = word + rb'[^"' + brackets + other + rb"]|" + string + nested
        level = rb"(?:" + number + rb"(?:" + one + rb"))*" + number
    options = re2.Options()
    options.encoding, options.dot_nl, options.never_capture = re2.Options.Encoding.LATIN1, True, True
    return re2.compile(level, options)


_parseable = _bounded(_DEEPEST_PARSED)
# One pass over a text tells that none of its records needs a closer look. A level is for the record itself.
_unremarkable = _bounded(DEEPEST + 1, digits=15)


class Json(NamedTuple):
    """A decoded text; where it `is_unremarkable`, `refuse_extremes` has nothing to find in what it holds.

    text: the value once more as compact JSON, with sorted keys and nothing escaped that need not be.
    """

    value: Any
    text: bytes
    is_unremarkable: bool


class MalformedJson(ValueError):
    """Not JSON that every parser reads alike; the message says why, without quoting it."""


def decode_json(text: bytes) -> Json:
    """The value of a JSON text. Raises MalformedJson."""
    is_unremarkable = _unremarkable.fullmatch(text) is not None
    if not is_unremarkable:
        _refuse_bottomless(text)
    try:
        value = msgspec.json.decode(text)
        written = encode_sorted(value)
        has_each_key_once = _has_each_key_once(text, value, written, is_unremarkable)
    except UnicodeDecodeError:
        raise MalformedJson("not valid UTF-8") from None
    except msgspec.MsgspecError as error:
        raise MalformedJson(_reason(error) if text.strip() else "empty") from None
    if _NUL_SPELT.search(text) and _ESCAPED_NUL.search(text):
        raise MalformedJson("the character U+0000 is not allowed in strings")
    if not has_each_key_once:
        _refuse_repeated_keys(text)
    return Json(value, written, is_unremarkable)


def _has_each_key_once(text: bytes, value: Any, written: bytes, is_unremarkable: bool) -> bool:
    """Whether it is certain that no object has a key twice, so that `value` and `written` lack nothing of `text`.

    Where numbers have few digits and no exponent, nothing is written longer than it was read. So what comes out as
    long as it went in, but for white space, has lost nothing. Else it must come out the same, byte for byte.
    """
    if not is_unremarkable:
        return msgspec.json.encode(value) == msgspec.json.format(text, indent=-1)
    return len(written) == len(text) or len(written) == len(msgspec.json.format(text, indent=-1))


def refuse_extremes(value: Any, encoded: bytes) -> None:
    """Raise MalformedJson for nesting and integers that programs handle differently.

    encoded: `value` as compact JSON; it tells cheaply that there is nothing to look for.
    """
    if encoded.count(b"{") + encoded.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise MalformedJson(_TOO_DEEP)
    if _long_number.Match(encoded):
        _refuse_inexact_integers(value)


def split_array(text: bytes) -> list[bytes]:
    """The elements of a JSON array, undecoded. Raises MalformedJson."""
    _refuse_bottomless(text)
    try:
        return [bytes(element) for element in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except UnicodeDecodeError:
        raise MalformedJson("not valid UTF-8") from None
    except msgspec.MsgspecError as error:
        raise MalformedJson(_reason(error)) from None


def _refuse_bottomless(text: bytes) -> None:
    if text.count(b"[") + text.count(b"{") > _DEEPEST_PARSED and not _parseable.fullmatch(text):
        raise MalformedJson(_TOO_DEEP)


def _reason(error: msgspec.MsgspecError) -> str:
    words = str(error).split(" - at `")[0].removeprefix("JSON is malformed: ")
    if "truncated" in words:
        return "ends too early, or holds a lone surrogate"
    return words[:1].lower() + words[1:]


def _refuse_repeated_keys(text: bytes) -> None:
    json.loads(text, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedJson("an object has the same key twice")
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        depth += 1
        level = [child for node in level for child in _children(node) if isinstance(child, (dict, list))]
    return depth


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _refuse_inexact_integers(value: Any) -> None:
    nodes = [value]
    while nodes:
        node = nodes.pop()
        if isinstance(node, int) and abs(node) > _LARGEST_EXACT_INTEGER:
            raise MalformedJson("an integer is beyond 2^53, where programs differ; send it as a string")
        nodes.extend(_children(node))
