"""Charts drawn on the server as SVG shapes; words and numbers stay HTML beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import template
from django.utils import timezone

from sessions_log.queries.overview import HourCounts
from sessions_log.templatetags.portal import DASH

register = template.Library()

_HEIGHT = 120
_ROUND = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80)


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of the chart: its parts as (css, y, height) and the sentence that says what it stands for."""

    x: float
    title: str
    parts: tuple[tuple[str, float, float], ...]


@register.simple_tag
def share(part: int, whole: int) -> str:
    """`4.6 %`; a dash where there is nothing to share."""
    return f"{part / whole * 100:.1f} %" if whole else DASH


@register.inclusion_tag("portal/share_bar.html")
def share_bar(counts: HourCounts) -> dict[str, Any]:
    """One bar: ok, denied and failed side by side."""
    whole, x, parts = counts.entries or 1, 0.0, []
    for css, count in (("ok", counts.success), ("denied", counts.denied), ("failed", counts.failure)):
        width = count / whole * 1000
        parts.append((css, round(x, 2), round(max(width - 3, 0) if css == "ok" else width, 2)))
        x += width
    return {"parts": parts if counts.entries else [("nothing", 0, 1000)]}


@register.inclusion_tag("portal/hour_chart.html")
def hour_chart(hours: Sequence[HourCounts]) -> dict[str, Any]:
    """Entries an hour as stacked columns under a round maximum."""
    top = _round_up(max(hour.entries for hour in hours))
    return {
        "bars": [_bar(index, hour, top) for index, hour in enumerate(hours)],
        "scale": [top, top // 2, 0],
        "labels": [timezone.localtime(hour.start) for hour in hours[::6]],
        "width": len(hours) * 10,
        "height": _HEIGHT,
    }


def _bar(index: int, hour: HourCounts, top: int) -> Bar:
    start = timezone.localtime(hour.start)
    parts, y = [], float(_HEIGHT)
    for css, count in (("ok", hour.success), ("denied", hour.denied), ("failed", hour.failure)):
        height = count / top * _HEIGHT
        y -= height
        parts.append((css, round(y, 2), round(height, 2)))
    words = f"{hour.entries:,} records, {hour.denied:,} denied, {hour.failure:,} failed"
    title = f"{start:%H:%M} to {start + timedelta(hours=1):%H:%M}: {words}"
    return Bar(index * 10 + 1.5, title, tuple(parts))


def _round_up(value: int) -> int:
    """The next number of two round digits, even, so that its half is whole; at least 10."""
    zeros = 1
    while True:
        for top in _ROUND:
            if value <= top * zeros:
                return top * zeros
        zeros *= 10
