"""The filters of a list as plain values: columns of a drawer, one chip per filter in use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_WIDE_FROM = 16  # as many stand below each other before the drawer scrolls


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a filter and the address that chooses it."""

    label: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterColumn:
    """A filter: its choices, the first of which is Any."""

    title: str
    choices: tuple[Choice, ...]

    @property
    def chosen(self) -> Choice | None:
        """The choice in use, None for Any."""
        return next((choice for choice in self.choices[1:] if choice.is_chosen), None)

    @property
    def any_url(self) -> str:
        """The address without this filter."""
        return self.choices[0].url

    @property
    def is_wide(self) -> bool:
        """Whether the choices need more than one column of text."""
        return len(self.choices) > _WIDE_FROM


@register.simple_tag
def filter_columns(cl: Any) -> list[FilterColumn]:
    """The filters of a stock change list."""
    return [
        FilterColumn(
            title=str(spec.title),
            choices=tuple(
                Choice(
                    label="Any" if index == 0 else str(choice["display"]),
                    url=choice["query_string"],
                    is_chosen=bool(choice["selected"]),
                )
                for index, choice in enumerate(spec.choices(cl))
            ),
        )
        for spec in cl.filter_specs
    ]


@register.simple_tag
def labelled_rows(headers: Sequence[dict[str, Any]], rows: Iterable[Iterable[str]]) -> list[list[SafeString]]:
    """A stock list's cells with the column's name on each: on a phone there is no table head."""
    labels = [
        format_html('<td data-label="{}"', header["text"]) if "column-" in header["class_attrib"] else "<td"
        for header in headers
    ]
    # The admin made the cell safe and format_html the label: what is joined here was escaped before.
    return [
        [mark_safe(cell.replace("<td", label, 1)) for label, cell in zip(labels, row, strict=False)]  # nosec B308 B703
        for row in rows
    ]


@register.filter
def in_use(columns: list[FilterColumn]) -> list[FilterColumn]:
    """The filters that are not Any."""
    return [column for column in columns if column.chosen]
