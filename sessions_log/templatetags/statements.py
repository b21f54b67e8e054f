"""How the portal writes what statements say: names and values of their bodies, in words."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from sessions_log.templatetags.portal import NONE, grouped, short_id

register = template.Library()

_TYPES = {
    "digest": ("Digest", "How many entries the ledger took since the digest before: silence is signed, too."),
    "gap": ("Gap", "A sender’s own numbers that are missing from a session, after the time in which they may be late."),  # noqa: RUF001 -- as the portal writes it
    "key-rotation": ("Keys rotated", "Keys were made, replaced or destroyed."),
    "erasure": ("Erasure", "What was known of a person was erased; the entries’ places and hashes stay."),  # noqa: RUF001 -- as above
    "policy": ("Policy changed", "What the organization takes, keeps or redacts is another from here on."),
}
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_ID = re.compile(r"[0-9a-f]{32}")


@register.filter
def statement_type(value: str) -> str:
    """A type in words."""
    return _TYPES[value][0] if value in _TYPES else value


@register.filter
def statement_meaning(value: str) -> str:
    """What a statement of this type is for, in a sentence."""
    return _TYPES[value][1] if value in _TYPES else ""


@register.filter
def told(details: dict[str, Any]) -> list[tuple[str, Any]]:
    """Names in words with their values: `firstSeq` is `First seq`."""
    return [(_in_words(name), value) for name, value in details.items()]


@register.filter
def value_in_words(value: Any) -> SafeString:
    """A value of a body: lists and objects as lists."""
    match value:
        case None | [] | {}:
            return NONE
        case bool():
            return format_html("{}", "yes" if value else "no")
        case int():
            return format_html("{}", grouped(value))
        case dict():
            return _listed(format_html("{}: {}", name, value_in_words(one)) for name, one in told(value))
        case [int(first), int(last)] if first <= last:
            return format_html("{}", grouped(first) if first == last else f"{grouped(first)} to {grouped(last)}")
        case list():
            return _listed(value_in_words(one) for one in value)
    text = str(value)
    return format_html('<span class="id">{}</span>', UUID(text)) if _ID.fullmatch(text) else format_html("{}", text)


def in_one_line(details: dict[str, Any]) -> SafeString:
    """Names and values side by side; of lists how long they are, of ids the beginning."""
    cells = ((name, _in_short(value)) for name, value in told(details) if value is not None)
    return format_html_join("\N{EN SPACE}", '<span class="hint">{}</span> {}', cells)


def _in_short(value: Any) -> SafeString:
    if isinstance(value, list | dict):
        return format_html("{}", grouped(len(value)))
    is_id = isinstance(value, str) and _ID.fullmatch(value)
    return short_id(UUID(value)) if is_id else value_in_words(value)


def _listed(lines: Iterable[SafeString]) -> SafeString:
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines)))


def _in_words(name: str) -> str:
    words = " ".join(word if word.isupper() else word.lower() for word in _WORD.findall(name))
    return f"{words[:1].upper()}{words[1:]}" or name
