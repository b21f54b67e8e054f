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
    """Ranges of whole numbers."""

    def db_type(self, connection: Any) -> str:
        """The column's type."""
        return "int8multirange"
