"""Column types that Django does not have."""

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    Field = models.Field[Any, Any]
else:
    Field = models.Field


class Xid8Field(Field):
    """PostgreSQL's 64-bit transaction id: the order in which the inbox is read."""

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        return "xid8"


class TextArrayField(Field):
    """A list of short texts."""

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        return "text[]"


class Int8MultirangeField(Field):
    """Ranges of whole numbers; read as (first, last), both included."""

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        return "int8multirange"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> list[tuple[int, int]] | None:
        """As the class says; null is None."""
        return None if value is None else both_included(value)


def both_included(multirange: Any) -> list[tuple[int, int]]:
    """PostgreSQL's ranges of whole numbers, of which the first is in and the last is not, as (first, last)."""
    return [(one.lower, one.upper - 1) for one in multirange]
