"""The filters of a list as plain values: columns of a drawer, one chip per filter in use."""

from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()

_WIDE_FROM = 12


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


@register.filter
def in_use(columns: list[FilterColumn]) -> list[FilterColumn]:
    """The filters that are not Any."""
    return [column for column in columns if column.chosen]
