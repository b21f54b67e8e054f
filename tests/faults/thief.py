"""Somebody who has a copy of the database and a keyring: tries every key on everything, and tells what he can read."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from zstandard import ZstdError

from sessions_log.domain import sealing
from sessions_log.domain.entries import decode_identity
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.inbox import open_body
from sessions_log.domain.references import subject_lookup
from sessions_log.domain.sealing import CannotOpen, PartCipher, ValueCipher

KEY_BYTES = 32
_VALUES = ("session", "target", "address")


@dataclass(slots=True)
class Loot:
    """What could be read.

    users: of opened entries, how many of each. names: subjects' names. requests: inbox rows, opened. guessed: users
    whose name led to a subject by its keyed hash.
    """

    users: dict[str | None, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    requests: list[bytes] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)

    def of(self, user: str, tokens: Iterable[str]) -> set[str]:
        """In which ways something of this user was read, who had these session tokens."""
        name = user.encode()
        ways = {
            "entry": self.users.get(user),
            "name": user in self.names,
            "session token": self.values & set(tokens),
            "request": any(name in request for request in self.requests),
            "guess": user in self.guessed,
        }
        return {way for way, success in ways.items() if success}


def steal(connection: psycopg.Connection[Any], keyring: Path, guesses: Iterable[str]) -> Loot:
    """Everything that opens."""
    keys, loot = list(_keys(keyring)), Loot()
    organizations = {row[0]: row[1] for row in connection.execute("SELECT id, uid FROM sessions_log_organization")}
    ciphers: dict[Any, PartCipher] = {}
    for subject, sealed, wrapped in connection.execute(
        "SELECT s.id, s.sealed, k.wrapped FROM sessions_log_subject s JOIN sessions_log_subjectkey k"
        " ON k.subject_id = s.id"
    ):
        for key in _unwrapped(wrapped, keys):
            ciphers[subject] = PartCipher(key, sealing.PART_IDENTITY)
            loot.names |= set(_opened(sealed, [key], subject, "subject"))
    for table in _VALUES:
        for own_id, sealed in connection.execute(f"SELECT id, sealed FROM sessions_log_{table}".encode()):
            loot.values |= set(_opened(sealed, keys, own_id, table))
    for entry, subject, sealed in connection.execute("SELECT id, subject_id, identity FROM sessions_log_sessionlog"):
        with suppress(CannotOpen, KeyError):
            part = decode_identity(ciphers[subject].open(sealed, entry_id=entry.bytes, kind=KIND_SESSION_LOG))
            loot.users[part.user] = loot.users.get(part.user, 0) + 1
    for own_id, organization, sealed in connection.execute(
        "SELECT id, organization_id, sealed FROM sessions_log_inbox"
    ):
        for key in keys:
            with suppress(CannotOpen, ZstdError):
                uid = organizations[organization]
                loot.requests.append(open_body(sealed, key, request_id=own_id.bytes, organization=uid))
    lookups = {row[0] for row in connection.execute("SELECT lookup FROM sessions_log_subject")}
    loot.guessed = {
        guess for guess in guesses if any(subject_lookup(key, guess, is_provisional=False) in lookups for key in keys)
    }
    return loot


def _keys(keyring: Path) -> Iterator[bytes]:
    """Every run of 32 bytes that a file of the keyring begins with, or goes on with."""
    for path in sorted(keyring.rglob("*.key")):
        content = path.read_bytes()
        yield from (content[at : at + KEY_BYTES] for at in range(0, len(content) - KEY_BYTES + 1, KEY_BYTES))


def _unwrapped(wrapped: bytes, keys: list[bytes]) -> Iterator[bytes]:
    for key in keys:
        with suppress(CannotOpen):
            yield sealing.unwrap(wrapped, key)


def _opened(sealed: bytes, keys: list[bytes], own_id: Any, table: str) -> Iterator[str]:
    for key in keys:
        with suppress(CannotOpen):
            yield ValueCipher(key).open(sealed, row_id=own_id.bytes, table=table)
