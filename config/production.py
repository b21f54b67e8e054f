"""What a production start demands of the environment.

Everything that is wrong is told at once, in one sentence each: which setting, and how to mend it. No value is
ever quoted, because most of these hold a password or a key.
"""

import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError, pq
from psycopg.conninfo import conninfo_to_dict

from config.env import Environment
from config.witnesses import witness_policy

SECRET_CHARACTERS = 50
# 50 random digits leave 270 bits or more, a word of 20 letters, repeated, fewer than these.
SECRET_BITS = 200
# What secrets begin with, or hold, that were never meant to be secret.
MADE_FOR_DEVELOPMENT = ("development-", "django-insecure-")
PLACEHOLDERS = ("changeme", "change-me", "change_me", "insecure", "your-secret", "your_secret")

_RANDOM = (
    f"give it {SECRET_CHARACTERS} random characters or more,"
    " as `python3 -c 'import secrets; print(secrets.token_urlsafe(64))'` prints them"
)
_POSTGRESQL = "postgresql://role@host/database?sslmode=verify-full&sslrootcert=/path/to/ca.pem"
_CERTIFICATES = "sslrootcert=/path/to/ca.pem (Debian has the public ones in /etc/ssl/certs/ca-certificates.crt)"


def refuse_unsafe_start(env: Environment) -> None:
    """Raise ImproperlyConfigured with all that `problems` finds."""
    if found := problems(env):
        sentences = "\n".join(f"- {sentence}" for sentence in found)
        raise ImproperlyConfigured(f"Muniment does not start in production like this:\n{sentences}")


def problems(env: Environment) -> list[str]:
    """The sentences, in the order of `docs/operations.md`; empty where the environment will do."""
    return [
        *_secret(env.optional("MUNIMENT_SECRET_KEY")),
        *_public_url(env.optional("MUNIMENT_PUBLIC_URL")),
        *_trusted_proxies(env),
        *_own_database(env.optional("DATABASE_URL")),
        *_database("DATABASE_URL_OWNER", env.optional("DATABASE_URL_OWNER")),
        *_valkey(env.optional("VALKEY_URL")),
        *_keyring(env.optional("MUNIMENT_KEYRING"), env.home / "keyring"),
        *_witnesses(env),
    ]


# --- the portal's own secret and address -------------------------------------------------------------------
def _secret(secret: str | None) -> Iterator[str]:
    if not secret:
        yield f"MUNIMENT_SECRET_KEY is not set: {_RANDOM}."
    elif secret.startswith(MADE_FOR_DEVELOPMENT) or any(word in secret.lower() for word in PLACEHOLDERS):
        yield f"MUNIMENT_SECRET_KEY was made for development: {_RANDOM}."
    elif len(secret) < SECRET_CHARACTERS:
        yield f"MUNIMENT_SECRET_KEY is too short: {_RANDOM}."
    elif _bits(secret) < SECRET_BITS:
        yield f"MUNIMENT_SECRET_KEY repeats itself: {_RANDOM}."


def _bits(secret: str) -> int:
    """At most so many bits are in it: what is left when repetition is pressed out."""
    return 8 * (len(zlib.compress(secret.encode(), 9)) - len(zlib.compress(b"", 9)))


def _public_url(url: str | None) -> Iterator[str]:
    example = "such as https://muniment.example"
    if not url:
        yield f"MUNIMENT_PUBLIC_URL is not set: give the address that people and services use, {example}."
        return
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    if not is_address or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        yield f"MUNIMENT_PUBLIC_URL must be a scheme and a host alone, {example}."
    elif parts.scheme != "https":
        yield f"MUNIMENT_PUBLIC_URL is not https: put TLS in front and give the https address, {example}."


def _trusted_proxies(env: Environment) -> Iterator[str]:
    words = env.words("MUNIMENT_TRUSTED_PROXIES")
    if not words:
        yield (
            "MUNIMENT_TRUSTED_PROXIES is not set: name the addresses or networks of the proxies in front,"
            " or say none where services and browsers reach the web process itself."
        )
        return
    try:
        networks = env.networks("MUNIMENT_TRUSTED_PROXIES")
    except ImproperlyConfigured as error:
        yield str(error)
        return
    if any(network.prefixlen == 0 for network in networks):
        yield "MUNIMENT_TRUSTED_PROXIES names everybody (/0): name the proxies in front, or say none."


# --- PostgreSQL --------------------------------------------------------------------------------------------
def _own_database(url: str | None) -> Iterator[str]:
    if not url:
        yield f"DATABASE_URL is not set: give the URL of this process's role, written as {_POSTGRESQL}."
    yield from _database("DATABASE_URL", url)


def _database(name: str, url: str | None) -> Iterator[str]:
    if not url:
        return
    try:
        said = {option: str(value) for option, value in conninfo_to_dict(url).items() if value}
    except ProgrammingError:
        yield f"{name} is not a PostgreSQL URL: write it as {_POSTGRESQL}."
        return
    effective = {**_libpq_defaults(), **said}
    if _stays_on_this_machine(effective):
        return
    if effective.get("sslmode") != "verify-full":
        yield (
            f"{name} reaches PostgreSQL over the network with sslmode below verify-full:"
            f" add sslmode=verify-full and {_CERTIFICATES}."
        )
    elif not _has_authorities(effective):
        yield f"{name} names no certificate authority that can be read: add {_CERTIFICATES}."


def _libpq_defaults() -> dict[str, str]:
    """What libpq adds to a URL by itself: PGHOST, PGSSLMODE and the like, and its own defaults."""
    defaults = pq.Conninfo.get_defaults()
    return {option.keyword.decode(): option.val.decode() for option in defaults if option.val}


def _stays_on_this_machine(effective: Mapping[str, str]) -> bool:
    """Whether every host is a Unix socket or loopback. `hostaddr` is where libpq really connects to."""
    if "service" in effective:  # its file may name any host
        return False
    hosts = effective.get("hostaddr") or effective.get("host") or "/"  # without a host: a Unix socket
    return all(host.startswith(("/", "@")) or not host or _is_loopback(host) for host in hosts.split(","))


def _has_authorities(effective: Mapping[str, str]) -> bool:
    named = effective.get("sslrootcert")
    if named == "system":
        # psycopg's wheel brings an OpenSSL along whose own folder of authorities is empty: these variables fill it.
        return pq.__impl__ != "binary" or any(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    usual = Path(os.environ.get("HOME") or "/") / ".postgresql" / "root.crt"
    return _is_readable(named or str(usual))


# --- Valkey ------------------------------------------------------------------------------------------------
def _valkey(url: str | None) -> Iterator[str]:
    example = "rediss://host:6380/0?ssl_ca_certs=/path/to/ca.pem"
    if not url:
        yield f"VALKEY_URL is not set: write it as {example}."
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("redis", "rediss", "unix") or (parts.scheme != "unix" and not host):
        yield f"VALKEY_URL is not a Valkey URL: write it as {example}, or unix:///path/to/valkey.sock."
    elif parts.scheme != "unix" and not _is_loopback(unquote(host or "")):
        yield from _valkey_tls(parts.scheme, parse_qs(parts.query), example)


def _valkey_tls(scheme: str, asked: Mapping[str, list[Any]], example: str) -> Iterator[str]:
    if scheme != "rediss":
        yield f"VALKEY_URL reaches Valkey over the network without TLS: write it as {example}."
    # "required" is the one word that both Celery's driver and django-redis' take for it.
    if any(word != "required" for word in asked.get("ssl_cert_reqs", ())):
        yield "VALKEY_URL does not verify the server's certificate: take ssl_cert_reqs out of it."
    if any(word.lower() != "true" for word in asked.get("ssl_check_hostname", ())):
        yield "VALKEY_URL does not compare host and certificate: take ssl_check_hostname out of it."
    if any(not _is_readable(path) for path in asked.get("ssl_ca_certs", ())):
        yield "VALKEY_URL names a file of certificate authorities that cannot be read: mend ssl_ca_certs."


# --- keys --------------------------------------------------------------------------------------------------
def _keyring(named: str | None, usual: Path) -> Iterator[str]:
    folder = Path(named) if named else usual
    setting = "MUNIMENT_KEYRING" if named else "MUNIMENT_KEYRING (when not set: keyring in MUNIMENT_HOME)"
    try:
        status = folder.stat()
    except OSError:
        yield f"{setting} does not exist: make the folder with mkdir -m 700, or restore it from its backup."
        return
    if not stat.S_ISDIR(status.st_mode):
        yield f"{setting} is not a folder: name the folder of the keys."
    elif stat.S_IMODE(status.st_mode) & 0o077:
        yield f"{setting} is open to other accounts of this machine: close it with chmod 700."
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield f"{setting} cannot be written by this process's account: chown the folder to that account."


# --- witnesses ---------------------------------------------------------------------------------------------
def _witnesses(env: Environment) -> Iterator[str]:
    try:
        policy = witness_policy(env)
    except ImproperlyConfigured as error:
        yield str(error)
        return
    for place, witness in enumerate(policy.witnesses if policy else (), 1):
        address = urlsplit(witness.url)
        if address.scheme != "https" and not _is_loopback(address.hostname or ""):
            yield f"MUNIMENT_WITNESSES reaches its witness {place} without TLS: give that witness's https:// address."


def _is_readable(path: str) -> bool:
    return Path(path).is_file() and os.access(path, os.R_OK)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    return ip.is_loopback or (ip.version == 6 and ip.ipv4_mapped is not None and ip.ipv4_mapped.is_loopback)
