"""Session logs as entries: what is plain, what is sealed, and the leaf that commits to both."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from sessions_log.domain.entry_id import KIND_SESSION_LOG, hour_of
from sessions_log.domain.leaf import EntryColumns, canonical, leaf
from sessions_log.domain.redaction import DETECTORS_VERSION, may_contain, redact, redact_text
from sessions_log.domain.sealing import PART_IDENTITY, PartCipher
from sessions_log.domain.session_record import SessionRecord

POLICY_VERSION = 1
OUTCOMES = {"success": 1, "failure": 2, "denied": 3}
_PLAIN = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


class IdentityPart(msgspec.Struct, array_like=True, frozen=True):
    """The sealed part of a session log, as MessagePack in this order; new fields go to the end.

    digest: the record's keyed fingerprint. target_type and ai_model stand here only where they are not plain text.
    """

    digest: bytes
    session: str
    user: str | None
    address: str | None
    agent: str | None
    target: str | None
    metadata: dict[str, Any] | None
    id: str | None
    trace_id: str | None
    sequence: int | None
    target_type: str | None
    ai_model: str | None


class SessionEntry(NamedTuple):
    """A row of the session log table, but for its seq; ids are 16 bytes, `leaf` goes to the ledger."""

    id: bytes
    organization_id: int
    service_id: int
    timestamp: datetime
    recorded_at: datetime
    hour: int
    duration: int | None
    subject_id: bytes
    session_id: bytes
    target_id: bytes | None
    address_id: bytes | None
    outcome: int
    sensitive: bool
    action: str
    target_type: str | None
    ai_model: str | None
    findings: str | None
    nonce: bytes
    identity: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class NewEntries:
    """Entries of one organization and kind, in the order of their seq."""

    organization_id: int
    kind: int
    rows: list[SessionEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record belongs and under which ids it is known."""

    entry_id: bytes
    organization_id: int
    organization: str
    service_id: int
    service: str
    recorded_at: datetime
    subject: bytes
    session: bytes
    target: bytes | None
    address: bytes | None
    cipher: PartCipher
    placeholder_key: bytes
    nonce: bytes


encode_identity = msgspec.msgpack.Encoder().encode
decode_identity = msgspec.msgpack.Decoder(IdentityPart).decode
encode_record = msgspec.json.Encoder(order="deterministic").encode


def session_entry(record: SessionRecord, digest: bytes, place: Place) -> SessionEntry:
    """The entry of a record: redacted, split into plain columns and the sealed part, with its leaf."""
    counts: dict[str, int] = {}
    identity, target_type, ai_model = identity_part(record, digest, place.placeholder_key, counts)
    sealed = place.cipher.seal(encode_identity(identity), entry_id=place.entry_id, kind=KIND_SESSION_LOG)
    timestamp = record.timestamp.astimezone(UTC)
    columns = EntryColumns(
        action=record.action,
        address=place.address.hex() if place.address else None,
        aiModel=ai_model,
        detectors=DETECTORS_VERSION,
        duration=record.duration,
        findings=counts or None,
        id=place.entry_id.hex(),
        organization=place.organization,
        outcome=record.outcome,
        policy=POLICY_VERSION,
        recordedAt=place.recorded_at,
        sensitive=record.sensitive,
        service=place.service,
        session=place.session.hex(),
        subject=place.subject.hex(),
        target=place.target.hex() if place.target else None,
        targetType=target_type,
        timestamp=timestamp,
    )
    return SessionEntry(
        id=place.entry_id,
        organization_id=place.organization_id,
        service_id=place.service_id,
        timestamp=timestamp,
        recorded_at=place.recorded_at,
        hour=hour_of(timestamp),
        duration=record.duration,
        subject_id=place.subject,
        session_id=place.session,
        target_id=place.target,
        address_id=place.address,
        outcome=OUTCOMES[record.outcome],
        sensitive=record.sensitive,
        action=record.action,
        target_type=target_type,
        ai_model=ai_model,
        findings=json.dumps(counts, sort_keys=True) if counts else None,
        nonce=place.nonce,
        identity=sealed,
        leaf=leaf(KIND_SESSION_LOG, place.nonce, canonical(columns), ((PART_IDENTITY, sealed),)),
    )


def identity_part(
    record: SessionRecord, digest: bytes, key: bytes, counts: dict[str, int]
) -> tuple[IdentityPart, str | None, str | None]:
    """The part to seal, and target type and AI model where they may stand in plain columns."""
    target = record.target
    plain_type, hidden_type = _split(target.type if target else None, key, counts)
    plain_model, hidden_model = _split(record.ai_model_used, key, counts)
    part = IdentityPart(
        digest=digest,
        session=record.session_id,
        user=record.user_id,
        address=record.ip_address,
        agent=_redacted(record.user_agent, key, counts),
        target=target.id if target else None,
        metadata=_redacted_metadata(record.metadata, key, counts),
        id=record.id,
        trace_id=_redacted(record.trace_id, key, counts),
        sequence=record.sequence,
        target_type=hidden_type,
        ai_model=hidden_model,
    )
    return part, plain_type, plain_model


def _split(text: str | None, key: bytes, counts: dict[str, int]) -> tuple[str | None, str | None]:
    """(plain, sealed): a sender's text is plain only when it is a plain word in which nothing was found."""
    if text is None:
        return None, None
    if _PLAIN.fullmatch(text) and not may_contain(text):
        return text, None
    return None, redact_text(text, key, counts)


def _redacted(text: str | None, key: bytes, counts: dict[str, int]) -> str | None:
    return redact_text(text, key, counts) if text and may_contain(text) else text


def _redacted_metadata(
    metadata: dict[str, Any] | None, key: bytes, counts: dict[str, int]
) -> dict[str, Any] | None:
    if not metadata or not may_contain(msgspec.json.encode(metadata).decode()):
        return metadata
    redacted: dict[str, Any] = redact(metadata, key, counts)
    return redacted
