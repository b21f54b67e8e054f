"""Words of the API's description on its page."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_CODE = re.compile(r"`([^`]+)`")


@register.filter
def with_code(words: str) -> SafeString:
    """The words with what stands between backticks as code, as in CommonMark; everything else is text."""
    pieces = _CODE.split(words)
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", piece) if at % 2 else piece,) for at, piece in enumerate(pieces)),
    )
