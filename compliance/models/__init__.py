"""Tables of the compliance app."""

from compliance.models.access import Grant, User

__all__ = ["Grant", "User"]
