"""Typed reading of the environment; what is missing stops the start with a sentence that mends it."""

import os
import ssl
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from config.proxies import Network
from config.supervisor.state import running_urls

_OF_DJANGO = ("dbname", "user", "password", "host", "port")
# Commands that act as another process than the portal, where the running servers tell its URL.
_ROLE_OF_COMMAND = {
    "run_recorder": "RECORDER",
    "run_followers": "FOLLOWER",
    "rebuild_read_model": "FOLLOWER",
    "erase": "RETENTION",
    "rotate_keys": "RETENTION",
}
LARGEST_FILE_BYTES = 64 * 1024
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

    def whole(self, name: str, default: int, *, most: int = 2**31 - 1) -> int:
        """A whole number, from 0."""
        value = self._variables.get(name) or str(default)
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) <= most):
            raise ImproperlyConfigured(f"{name} must be a whole number from 0 to {most:,}.")
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

    def networks(self, name: str) -> list[Network]:
        """Addresses and networks, comma-separated; the word `none`, like no word at all, is empty."""
        words = self.words(name)
        try:
            return [] if words == ["none"] else [ip_network(word) for word in words]
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must list addresses or networks like 192.0.2.10,2001:db8::/32, or say none."
            ) from None

    def file(self, name: str) -> str | None:
        """What the file holds that is named, at most 64 KiB of UTF-8; None where none is named."""
        if (path := self.optional(name)) is None:
            return None
        try:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST_FILE_BYTES + 1)
            text = content.decode()
        except (OSError, UnicodeDecodeError):
            raise ImproperlyConfigured(f"{name} must name a file of text that this account can read.") from None
        if len(content) > LARGEST_FILE_BYTES:
            raise ImproperlyConfigured(f"{name} names a file of more than {LARGEST_FILE_BYTES} bytes.")
        return text

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of the allowed words."""
        value = self._variables.get(name) or default
        if value not in allowed:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}.")
        return value


def database(name: str, url: str) -> dict[str, Any]:
    """A PostgreSQL URL as Django's settings. Raises ImproperlyConfigured, which quotes nothing of the URL."""
    try:
        parts = dict(conninfo_to_dict(url))
    except ProgrammingError:
        raise ImproperlyConfigured(f"{name} is not a PostgreSQL URL.") from None
    options = {option: value for option, value in parts.items() if option not in _OF_DJANGO and value}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", ""),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "") or ""),
        "OPTIONS": {"connect_timeout": 3, **options},
    }


def broker(url: str) -> dict[str, Any]:
    """A Valkey URL as Celery's settings `BROKER_URL` and `BROKER_USE_SSL`.

    Celery does not verify certificates unless it is told to, and has another form for Unix sockets.
    """
    parts = urlsplit(url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme == "unix":
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        socket = quote(unquote(parts.path), safe="/")
        return {"BROKER_URL": f"redis+socket://{user}{socket}?virtual_host={asked.get('db', '0')}"}
    database = asked.get("db") or parts.path.strip("/") or "0"
    plain = f"{parts.scheme}://{parts.netloc}/{database}"
    if parts.scheme != "rediss":
        return {"BROKER_URL": plain}
    files = {name: asked[name] for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile") if asked.get(name)}
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return {"BROKER_URL": plain, "BROKER_USE_SSL": {**verified, **files}}
