"""Metadata as indented text for the eye: escaped, never HTML of its own.

Placeholders of redaction become chips, characters that cannot be seen become their code point in a box.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sessions_log.domain.redaction.placeholders import PATTERN

register = template.Library()

_LONGEST_LINE = 72
_LONGEST_SHORT = 10
_INDENT = "  "
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
_SPLIT = re.compile(f"(?P<placeholder>{PATTERN.pattern})|(?P<invisible>[^ -~])")


@register.filter
def metadata_as_text(value: Any) -> SafeString:
    """The value as JSON-like text, two spaces a level, short lists and objects on one line."""
    return format_html_join("", "{}", ((piece,) for piece in _pieces(value, "")))


@register.filter
def visible(text: str) -> SafeString | str:
    """Text of a sender with placeholders as chips and invisible characters as their code point."""
    if text.isascii() and text.isprintable() and "[" not in text:
        return text  # nearly every value: the template escapes it
    return format_html_join("", "{}", ((piece,) for piece in _visible_pieces(text)))


@register.filter
def shortened(text: str) -> SafeString:
    """The first 5 and last 4 characters of a longer text: what tells ids apart often stands at their end."""
    if len(text) <= _LONGEST_SHORT:
        return format_html("{}", visible(text))
    return format_html("{}…{}", visible(text[:5]), visible(text[-4:]))


def _pieces(value: Any, indent: str) -> Iterator[SafeString | str]:
    if isinstance(value, dict) and value:
        keys: Iterator[Any] = ((_key(key), item) for key, item in value.items())
        yield from _block("{", "}", keys, value, indent)
    elif isinstance(value, list) and value:
        yield from _block("[", "]", (("", item) for item in value), value, indent)
    elif isinstance(value, str):
        yield '"'
        yield visible(json.dumps(value, ensure_ascii=False)[1:-1])
        yield '"'
    elif isinstance(value, (dict, list)):
        yield _mark("{}" if isinstance(value, dict) else "[]")
    else:
        yield format_html('<span class="literal">{}</span>', json.dumps(value))


def _block(opening: str, closing: str, items: Iterator[Any], value: Any, indent: str) -> Iterator[SafeString | str]:
    """A list or object, on one line where it is short and not the whole."""
    is_short = bool(indent) and len(json.dumps(value, ensure_ascii=False)) + len(indent) <= _LONGEST_LINE
    inner = "" if is_short else indent + _INDENT
    pad = " " if is_short and opening == "{" else ""
    yield _mark(opening)
    for index, (key, item) in enumerate(items):
        yield ("," if index else "") + (f"\n{inner}" if not is_short else " " if index else pad)
        yield key
        yield from _pieces(item, inner or indent)
    yield pad if is_short else f"\n{indent}"
    yield _mark(closing)


def _key(key: str) -> SafeString:
    return format_html('<span class="key">"{}"</span>: ', visible(json.dumps(key, ensure_ascii=False)[1:-1]))


def _mark(text: str) -> SafeString:
    return format_html('<span class="mark">{}</span>', text)


def _visible_pieces(text: str) -> Iterator[SafeString | str]:
    at = 0
    for match in _SPLIT.finditer(text):
        yield text[at : match.start()]
        yield _placeholder(match) if match["placeholder"] else _character(match[0])
        at = match.end()
    yield text[at:]


def _placeholder(match: re.Match[str]) -> SafeString:
    return format_html(
        '<span class="placeholder" title="{}">{} <b>{}</b></span>',
        match[0],
        match["type"].replace("_", " ").upper(),
        match["mark"][:4],
    )


def _character(character: str) -> SafeString | str:
    if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE_CATEGORIES:
        return character
    return format_html('<span class="invisible">{}</span>', f"U+{ord(character):04X}")
