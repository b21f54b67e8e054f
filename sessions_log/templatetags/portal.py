"""How the portal writes times, ids, actions, outcomes and numbers, in templates and in the cells of lists."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from time import perf_counter
from uuid import UUID

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

DASH = "\N{EN DASH}"
NONE = format_html('<span class="none">{}</span>', DASH)
STARTED = "portal.started"
_OUTCOMES = {
    1: ("ok", "dot", "ok"),
    2: ("failed", "failed", "failed"),
    3: ("denied", "denied", "denied"),
}


@register.simple_tag
@cache
def icon(name: str, css: str = "") -> SafeString:
    """A picture of the sprite, as large and coloured as the text around it; never read aloud."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("portal/icons.svg"),
        name,
    )


@register.filter
def moment(value: datetime | None) -> SafeString:
    """`23 Nov 15:09:31 CET`, day and zone in grey; another year's day is written `2025-11-23`."""
    if value is None:
        return NONE
    local = timezone.localtime(value)
    is_this_year = local.year == timezone.localtime().year
    return format_html(
        '<time datetime="{}"><span class="day">{}</span> <b>{}</b> <span class="zone">{}</span></time>',
        value.isoformat(),
        f"{local.day} {local:%b}" if is_this_year else f"{local:%Y-%m-%d}",
        f"{local:%H:%M:%S}",
        local.tzname(),
    )


@register.filter
def clock(value: datetime) -> SafeString:
    """`15:09:31`, for lists whose day is known."""
    words = f"{timezone.localtime(value):%H:%M:%S}"
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)


@register.filter
def exact(value: datetime) -> str:
    """`2026-11-23 15:08:37.412 CET`."""
    local = timezone.localtime(value)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03} {local.tzname()}"


@register.filter
def in_utc(value: datetime) -> str:
    """`14:08:37.412 UTC`."""
    utc = value.astimezone(UTC)
    return f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03} UTC"


@register.filter
@lru_cache(maxsize=1024)
def action(value: str) -> SafeString:
    """`order.update` with its family in grey."""
    family, dot, verb = value.rpartition(".")
    return format_html('<span class="action" title="{}"><span>{}{}</span>{}</span>', value, family, dot, verb)


@register.filter
@cache
def outcome(value: int) -> SafeString:
    """A dot and grey text when all went well, else a coloured chip."""
    css, picture, word = _OUTCOMES[value]
    return format_html('<span class="outcome outcome-{}">{}{}</span>', css, icon(picture), word)


@register.filter
def outcome_word(value: int) -> str:
    """`ok`, `failed` or `denied`."""
    return _OUTCOMES[value][2]


def chip(word: str, picture: str, tone: str = "") -> SafeString:
    """A state as picture, word and, where it matters, colour (crit, high, med, low, good)."""
    css = f"chip-{tone}" if tone else ""
    return format_html('<span class="chip {}">{}{}</span>', css, icon(picture), word)


@register.filter
def short_id(value: UUID | None) -> SafeString:
    """The first 8 and last 4 characters; the whole id is the title."""
    if value is None:
        return NONE
    text = str(value)
    return format_html('<span class="id" title="{}">{}…{}</span>', text, text[:8], text[-4:])


@register.filter
def grouped(value: int | None) -> str:
    """`61,284,201`."""
    return DASH if value is None else f"{value:,}"


def short_number(value: int) -> str:
    """`9,412`, `61 k`, `61 M`: for places where the size matters and the number does not."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if value >= 10 * size:
            return f"{value // size:,} {unit}"
    return f"{value:,}"


def count(value: int) -> SafeString:
    """A number in a list, a dash for none."""
    return format_html('<span class="count">{}</span>', f"{value:,}") if value else NONE


def number_ranges(ranges: Sequence[tuple[int, int]]) -> SafeString:
    """`4 to 6, 9`: the first three; how many numbers that are in all is the title."""
    words = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges[:3]]
    more = ["…"] if len(ranges) > 3 else []
    number = sum(last - first + 1 for first, last in ranges)
    return format_html('<span class="count" title="{} in all">{}</span>', grouped(number), ", ".join(words + more))


@register.filter
def milliseconds(value: int | None) -> str:
    """`412 ms`, from ten seconds on in words."""
    if value is None:
        return DASH
    return f"{value:,} ms" if value < 10_000 else span(timedelta(milliseconds=value))


@register.filter
def span(value: timedelta) -> str:
    """The two largest units: `6 min 41 s`, `2 d 1 h`; below a second in milliseconds."""
    seconds = int(value.total_seconds())
    if seconds == 0:
        return f"{value.microseconds // 1000} ms" if value > timedelta(milliseconds=1) else "0 s"
    units = [
        (seconds // 86_400, "d"),
        (seconds // 3_600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    ]
    first = next(index for index, (number, _) in enumerate(units) if number)
    return " ".join(f"{number} {unit}" for number, unit in units[first : first + 2] if number)


@register.filter
def age(value: datetime | None) -> str:
    """How long ago, in the two largest units."""
    return DASH if value is None else span(max(timezone.now() - value, timedelta()))


@register.filter
def initials(name: str) -> str:
    """Two letters for a name, an organization or an e-mail address."""
    spaced = name.split("@")[0].replace(".", " ").replace("-", " ")
    words = [word for word in spaced.split() if word[0].isalnum()]
    letters = [word[0] for word in words[:2]] if len(words) > 1 else list(name[:2])
    return "".join(letters).upper()


@register.simple_tag(takes_context=True)
def answered_in(context: dict[str, HttpRequest]) -> int:
    """Milliseconds since the request reached the site, at least one."""
    started: float = context["request"].META.get(STARTED, perf_counter())
    return max(1, round((perf_counter() - started) * 1000))


@register.simple_tag
def time_zone_name() -> str:
    """The zone in which the portal shows and takes times."""
    return timezone.get_current_timezone_name()
