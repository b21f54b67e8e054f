"""A session log as a service sends it: its fields, their limits, and the decoding of a request's body."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, structs

from sessions_log.domain import actions, leap_second
from sessions_log.domain.json_body import MalformedJson, decode_json, encode_sorted, refuse_extremes, split_array

MOST_RECORDS = 1_000
LARGEST_METADATA_BYTES = 32 * 1024
LONGEST_ADDRESS_BYTES = 255
CLOCK_TOLERANCE = timedelta(minutes=5)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

Outcome = Literal["success", "failure", "denied"]
NO_METADATA = msgspec.Raw()


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an action was done to."""

    type: Annotated[str, Meta(min_length=1, max_length=128)]
    id: Annotated[str, Meta(min_length=1, max_length=1024)]


class SessionRecord(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """One session log in its wire form (camelCase); `duration` is in milliseconds.

    metadata: a JSON object as compact text, its keys sorted, since nothing on the way of a record looks into it but
    redaction where it finds something; `metadata_text` makes it. `null` and NO_METADATA both stand for none.
    """

    session_id: Annotated[str, Meta(min_length=1, max_length=256)]
    timestamp: Annotated[datetime, Meta(tz=True)]
    action: str
    id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    user_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    metadata: msgspec.Raw = NO_METADATA
    ip_address: str | None = None
    user_agent: Annotated[str, Meta(max_length=1024)] | None = None
    duration: Annotated[int, Meta(ge=0, le=2_147_483_647)] | None = None
    ai_model_used: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    sensitive: bool = False
    outcome: Outcome = "success"
    target: Target | None = None
    trace_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    sequence: Annotated[int, Meta(ge=0, le=2**53)] | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record was not taken: where (`$.timestamp`), in words, and its own id where it had a readable one."""

    path: str
    reason: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The timestamps that are taken, both ends included."""

    earliest: datetime
    latest: datetime

    @classmethod
    def around(cls, now: datetime, *, back: timedelta | None) -> "Window":
        """From `back` before now (None: history, from 1970) to five minutes ahead."""
        earliest = EARLIEST if back is None else now - back
        return cls(earliest=earliest, latest=now + CLOCK_TOLERANCE)


class TooManyRecords(ValueError):
    """A request holds more records than are taken at once."""


_RECORDS = list[SessionRecord]


def decode_records(body: bytes, window: Window) -> list[SessionRecord | Rejection]:
    """The records of a JSON array or single object, in order; one bad record does not spoil the others.

    Raises MalformedJson when the body as a whole cannot be read, TooManyRecords.
    """
    if body.lstrip()[:1] != b"[":
        return [_decode_one(body, window)]
    try:
        json = decode_json(body)
        records = stored_records(json.text)
    except (MalformedJson, msgspec.ValidationError):
        return _decode_each(split_array(body), window)
    _refuse_too_many(records)
    return _checked(records, window, json.is_unremarkable)


def decode_lines(body: bytes, window: Window) -> list[SessionRecord | Rejection]:
    """The records of an NDJSON body, one a line; empty lines are passed over. Raises TooManyRecords."""
    return _decode_each([line for line in body.split(b"\n") if line.strip()], window)


def encode_records(records: Sequence[SessionRecord]) -> bytes:
    """Records as they lie, sealed, in the inbox: a JSON array."""
    return _encode(records)


def stored_records(body: bytes) -> list[SessionRecord]:
    """The inverse of `encode_records`. Raises msgspec.MsgspecError."""
    return _decode_all(body)


def metadata_text(value: dict[str, Any] | None) -> msgspec.Raw:
    """Metadata as records carry it."""
    return NO_METADATA if value is None else msgspec.Raw(encode_sorted(value))


def metadata_value(text: msgspec.Raw) -> dict[str, Any] | None:
    """The inverse of `metadata_text`."""
    return _as_metadata(text) if text else None


_encode = msgspec.json.Encoder().encode
_decode_all = msgspec.json.Decoder(_RECORDS).decode
_decode_record = msgspec.json.Decoder(SessionRecord).decode
_as_metadata = msgspec.json.Decoder(dict[str, Any] | None).decode


def _decode_each(texts: Sequence[bytes], window: Window) -> list[SessionRecord | Rejection]:
    _refuse_too_many(texts)  # first: four megabytes hold two million faults
    return [_decode_one(text, window) for text in texts]


def _refuse_too_many(records: Sequence[object]) -> None:
    if len(records) > MOST_RECORDS:
        raise TooManyRecords(f"{len(records)} records; at most {MOST_RECORDS} are taken in one request")


def _decode_one(text: bytes, window: Window) -> SessionRecord | Rejection:
    try:
        json = decode_json(text)
    except MalformedJson as error:
        return Rejection("$", str(error))
    try:
        return _checked([_decode_record(json.text)], window, json.is_unremarkable)[0]
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        path = path.rstrip("`") or "$"
        if path == "$.timestamp" and (timestamp := leap_second.folded(str(json.value["timestamp"]))):
            return _decode_one(encode_sorted(json.value | {"timestamp": timestamp}), window)
        return Rejection(*_plain_words(path, reason), _readable_id(json.value))


def _checked(
    records: Sequence[SessionRecord], window: Window, is_unremarkable: bool
) -> list[SessionRecord | Rejection]:
    """Each record itself, or why its values are not allowed."""
    return [
        record if (fault := _fault(record, window, is_unremarkable)) is None else Rejection(*fault, record.id)
        for record in map(_without_empty_texts, records)
    ]


def _without_empty_texts(record: SessionRecord) -> SessionRecord:
    """An address or agent that is empty is none."""
    if record.ip_address != "" and record.user_agent != "":
        return record
    return structs.replace(record, ip_address=record.ip_address or None, user_agent=record.user_agent or None)


def _fault(record: SessionRecord, window: Window, is_unremarkable: bool) -> tuple[str, str] | None:
    if not actions.is_action(record.action):
        return "$.action", "not in the vocabulary; use one of its actions or custom.<name>, at most 64 characters"
    if record.timestamp > window.latest:
        return "$.timestamp", "more than 5 minutes ahead of the server's clock"
    if record.timestamp < window.earliest:
        return (
            "$.timestamp",
            f"before {window.earliest:%Y-%m-%dT%H:%MZ}, as far back as this organization takes; import history instead",
        )
    if record.ip_address is not None and len(record.ip_address.encode()) > LONGEST_ADDRESS_BYTES:
        return "$.ipAddress", f"longer than {LONGEST_ADDRESS_BYTES} bytes"
    metadata = bytes(record.metadata)
    if is_unremarkable and metadata[:1] == b"{" and len(metadata) <= LARGEST_METADATA_BYTES:
        return None
    return _metadata_fault(metadata, is_unremarkable)


def _metadata_fault(text: bytes, is_unremarkable: bool) -> tuple[str, str] | None:
    if not text:
        return None
    try:
        metadata = _as_metadata(text)
    except msgspec.ValidationError as error:
        return _plain_words("$.metadata", str(error))
    if len(text) > LARGEST_METADATA_BYTES:
        return "$.metadata", f"larger than {LARGEST_METADATA_BYTES} bytes as JSON"
    if is_unremarkable:
        return None
    try:
        refuse_extremes(metadata, text)
    except MalformedJson as error:
        return "$.metadata", str(error)
    return None


def _plain_words(path: str, reason: str) -> tuple[str, str]:
    """Path and reason of msgspec's message in the words of JSON, without a value that it may quote."""
    if reason.startswith("Invalid enum value"):
        return path, "expected one of success, failure, denied"
    if match := _UNKNOWN_FIELD.fullmatch(reason):
        return f"{path}.{match[1]}", _NOT_KNOWN
    if reason.startswith("Object contains unknown field"):
        return path, "has a field that this version does not know; put it into metadata"
    words = reason[:1].lower() + reason[1:]
    return path, _TYPES.sub(lambda found: _WORDS[found[0]], words).replace("`", "")


# Named where it looks like a name; anything else may be a value that went astray.
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `([A-Za-z][A-Za-z0-9_.-]{0,63})`")
_NOT_KNOWN = "not a field that this version knows; put it into metadata"
_WORDS = {
    "str": "string", "int": "integer", "bool": "true or false", "datetime": "date and time (RFC 3339)",
    "float": "number", "RFC3339 encoded datetime": "RFC 3339 date and time, as 2026-11-23T15:09:31Z", "|": "or",
}  # fmt: skip
_TYPES = re.compile(r"RFC3339 encoded datetime|(?<=`)(?:str|int|bool|datetime|float)\b|(?<= )\|(?= )")


def _readable_id(value: Any) -> str | None:
    own = value.get("id") if isinstance(value, dict) else None
    return own if isinstance(own, str) and len(own) <= 128 else None
