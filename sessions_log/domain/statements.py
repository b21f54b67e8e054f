"""Statements: what the product itself declares about a ledger, signed with it, readable by whoever checks it.

A statement's body is canonical JSON (RFC 8785) of strings, booleans, nulls and integers below 2^53, objects and arrays
of them. It stands in the leaf as it is, so it says nothing personal: people are named by their random ids alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

from sessions_log.domain import entry_id
from sessions_log.domain.entry_id import KIND_STATEMENT
from sessions_log.domain.leaf import LARGEST_LEAF_BYTES, LEAF_VERSION

StatementType = Literal["digest", "gap", "key-rotation", "erasure", "policy"]
STATEMENT_TYPES: tuple[StatementType, ...] = get_args(StatementType)
_HEAD = bytes((LEAF_VERSION, KIND_STATEMENT))


class UnfitStatement(ValueError):
    """A statement that cannot stand in a leaf: of unknown type, too large, or with values JSON writes in many ways."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its entry id (16 bytes), the time at which it was made, and its body."""

    id: bytes
    type: StatementType
    stated_at: datetime
    body: bytes


def new_statement(organization: UUID, of_type: StatementType, details: Mapping[str, Any], at: datetime) -> Statement:
    """A statement with a fresh id. Raises UnfitStatement."""
    own_id = entry_id.random(at)
    body = _Body(at.astimezone(UTC), dict(details), own_id.hex(), organization.hex, of_type)
    return read_statement(_encode(body), organization)


def read_statement(body: bytes, organization: UUID) -> Statement:
    """A body as a statement of this organization. Raises UnfitStatement for anything but the one form."""
    if len(body) > LARGEST_LEAF_BYTES - len(_HEAD):
        raise UnfitStatement("a statement must fit into a leaf")
    try:
        read = _decode(body)
        own_id = bytes.fromhex(read.id)
    except ValueError:  # msgspec's own errors among them
        raise UnfitStatement("a statement's body cannot be read") from None
    if len(own_id) != 16 or read.organization != organization.hex or _encode(read) != body:
        raise UnfitStatement("a statement's body is of another organization, or not in canonical form")
    _require_plain(read.details)
    return Statement(own_id, read.type, read.at, body)


def statement_leaf(body: bytes) -> bytes:
    """The leaf of a statement: version, kind, and the body as it is."""
    return _HEAD + body


def details_of(body: bytes) -> dict[str, Any]:
    """What a statement that was read before says beside its type and time."""
    return _decode(body).details


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """The form of a body: fields in alphabetical order, as RFC 8785 wants them."""

    at: datetime
    details: dict[str, Any]
    id: str
    organization: str
    type: StatementType


def _require_plain(value: Any) -> None:
    """Raises UnfitStatement where RFC 8785 would write the value otherwise than msgspec does."""
    match value:
        case None | bool():
            return
        case int() if abs(value) < 2**53:
            return
        case str() if value.isascii() and value.isprintable():
            return
        case list():
            for one in value:
                _require_plain(one)
        case dict():
            for name, one in value.items():
                _require_plain(name)
                _require_plain(one)
        case _:
            raise UnfitStatement("a statement holds plain ASCII text, whole numbers below 2^53, booleans and nulls")


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(_Body).decode
