"""Typed reading of the environment; what is missing stops the start with a sentence that says how to mend it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from config.supervisor.state import running_urls

_OWN_OPTIONS = ("connect_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey", "options", "application_name")
# Commands that act as another process than the portal, where the running servers tell its URL.
_ROLE_OF_COMMAND = {"run_recorder": "RECORDER", "run_followers": "FOLLOWER", "rebuild_read_model": "FOLLOWER"}
ROOT = Path(__file__).resolve().parent.parent


class Environment:
    """The process's environment, completed by what the running servers of MUNIMENT_HOME say of themselves."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        own = dict(os.environ if variables is None else variables)
        self.home = Path(own.get("MUNIMENT_HOME") or ROOT / ".data").resolve()
        running = running_urls(self.home) or {}
        if role := _ROLE_OF_COMMAND.get(next(iter(sys.argv[1:]), "")):
            running["DATABASE_URL"] = running.get(f"DATABASE_URL_{role}", "")
        self._variables = {**running, **own}

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without default it must be set."""
        value = self._variables.get(name) or default
        if value is None:
            raise ImproperlyConfigured(f"{name} is not set. Start the servers with `make up`, or set {name}.")
        return value

    def optional(self, name: str) -> str | None:
        """A text, or None."""
        return self._variables.get(name) or None

    def whole(self, name: str, default: int) -> int:
        """A whole number."""
        value = self._variables.get(name) or str(default)
        if not value.isdigit():
            raise ImproperlyConfigured(f"{name} must be a whole number.")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """`1` or `0`."""
        value = self._variables.get(name) or ("1" if default else "0")
        if value not in ("0", "1"):
            raise ImproperlyConfigured(f"{name} must be 1 or 0.")
        return value == "1"

    def words(self, name: str) -> list[str]:
        """A comma-separated list; unset is empty."""
        return [word.strip() for word in (self._variables.get(name) or "").split(",") if word.strip()]

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of the allowed words."""
        value = self._variables.get(name) or default
        if value not in allowed:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}.")
        return value


def database(name: str, url: str) -> dict[str, Any]:
    """A PostgreSQL URL as Django's database settings. Raises ImproperlyConfigured, without quoting the URL."""
    try:
        parts = dict(conninfo_to_dict(url))
    except ProgrammingError:
        raise ImproperlyConfigured(f"{name} is not a PostgreSQL URL.") from None
    options = {option: parts[option] for option in _OWN_OPTIONS if parts.get(option)}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", ""),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "") or ""),
        "OPTIONS": {"connect_timeout": 3, **options},
    }
