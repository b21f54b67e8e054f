"""Session logs as entries: what is plain, what is sealed, and the leaf that commits to both."""

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.leaf import NONCE_BYTES, EntryColumns, canonical, leaf
from sessions_log.domain.redaction import DETECTORS_VERSION, may_contain, redact, redact_text
from sessions_log.domain.sealing import PART_IDENTITY, SEAL_NONCE_BYTES, PartCipher
from sessions_log.domain.session_record import SessionRecord

POLICY_VERSION = 1
CHUNK_ENTRIES = 250
_LOOKED_AT_TOGETHER = 16
_NONCES_BYTES = NONCE_BYTES + SEAL_NONCE_BYTES
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
    """Entries of one organization and kind, in the order of their seq.

    chunks: made while they are taken, so that the storage works on one while the next is sealed; to be taken once.
    months: the months (first days, UTC) that the entries stand in.
    """

    organization_id: int
    kind: int
    count: int
    months: set[date]
    chunks: Iterable[list[SessionEntry]]


class Recordable(NamedTuple):
    """A record with all that makes an entry of it; ids are 16 bytes."""

    record: SessionRecord
    digest: bytes
    entry_id: bytes
    service_id: int
    service: str
    subject: bytes
    session: bytes
    target: bytes | None
    address: bytes | None
    cipher: PartCipher


@dataclass(frozen=True, slots=True)
class Common:
    """What the entries of one organization in one batch share."""

    organization_id: int
    organization: UUID
    recorded_at: datetime
    placeholder_key: bytes


encode_identity = msgspec.msgpack.Encoder().encode
decode_identity = msgspec.msgpack.Decoder(IdentityPart).decode
_encode_texts = msgspec.json.Encoder().encode
encode_record = msgspec.json.Encoder(order="deterministic").encode


def new_entries(recordables: Sequence[Recordable], common: Common) -> NewEntries:
    """The entries of records: redacted, split into plain columns and the sealed part, with their leaves."""
    return NewEntries(
        organization_id=common.organization_id,
        kind=KIND_SESSION_LOG,
        count=len(recordables),
        months=_months_of(recordables),
        chunks=(
            session_entries(recordables[at : at + CHUNK_ENTRIES], common)
            for at in range(0, len(recordables), CHUNK_ENTRIES)
        ),
    )


def _months_of(recordables: Iterable[Recordable]) -> set[date]:
    moments = (one.record.timestamp.astimezone(UTC) for one in recordables)
    return {date(year, month, 1) for year, month in {(at.year, at.month) for at in moments}}


def session_entries(recordables: Sequence[Recordable], common: Common) -> list[SessionEntry]:
    """A chunk of entries."""
    nonces = secrets.token_bytes(_NONCES_BYTES * len(recordables))
    organization = common.organization.hex
    entries: list[SessionEntry] = []
    for begin in range(0, len(recordables), _LOOKED_AT_TOGETHER):
        together = recordables[begin : begin + _LOOKED_AT_TOGETHER]
        is_suspect = may_contain(_encode_texts([_texts(one.record) for one in together]))
        for at, one in enumerate(together, begin):
            own = nonces[at * _NONCES_BYTES : (at + 1) * _NONCES_BYTES]
            entries.append(_session_entry(one, own, organization, common, is_suspect))
    return entries


def _session_entry(one: Recordable, nonces: bytes, organization: str, common: Common, is_suspect: bool) -> SessionEntry:
    """One entry. Positional arguments throughout: this runs for every record, and names would cost a tenth of it."""
    record, own_id = one.record, one.entry_id
    counts: dict[str, int] = {}
    identity, target_type, ai_model = identity_part(record, one.digest, common.placeholder_key, counts, is_suspect)
    nonce = nonces[:NONCE_BYTES]
    sealed = one.cipher.seal(
        encode_identity(identity), entry_id=own_id, kind=KIND_SESSION_LOG, nonce=nonces[NONCE_BYTES:]
    )
    timestamp = record.timestamp
    if timestamp.tzinfo is not UTC:
        timestamp = timestamp.astimezone(UTC)
    columns = EntryColumns(
        record.action,
        one.address.hex() if one.address else None,
        ai_model,
        DETECTORS_VERSION,
        record.duration,
        counts or None,
        own_id.hex(),
        organization,
        record.outcome,
        POLICY_VERSION,
        common.recorded_at,
        record.sensitive,
        one.service,
        one.session.hex(),
        one.subject.hex(),
        one.target.hex() if one.target else None,
        target_type,
        timestamp,
    )
    return SessionEntry(
        own_id,
        common.organization_id,
        one.service_id,
        timestamp,
        common.recorded_at,
        int.from_bytes(own_id[:6], "big") // 3_600_000,
        record.duration,
        one.subject,
        one.session,
        one.target,
        one.address,
        OUTCOMES[record.outcome],
        record.sensitive,
        record.action,
        target_type,
        ai_model,
        json.dumps(counts, sort_keys=True) if counts else None,
        nonce,
        sealed,
        leaf(KIND_SESSION_LOG, nonce, canonical(columns), ((PART_IDENTITY, sealed),)),
    )


def identity_part(
    record: SessionRecord, digest: bytes, key: bytes, counts: dict[str, int], is_suspect: bool = True
) -> tuple[IdentityPart, str | None, str | None]:
    """The part to seal, and target type and AI model where they may stand in plain columns.

    What was found sensitive is counted, by type, in `counts`. Where a look at the texts of several records found
    nothing (not `is_suspect`), this one's are not looked at again.
    """
    target = record.target
    agent, trace_id, metadata = record.user_agent, record.trace_id, record.metadata
    target_type = target.type if target else None
    ai_model = record.ai_model_used
    hidden_type = hidden_model = None
    # One look at all texts together; nearly always there is nothing to find.
    if is_suspect and may_contain(_encode_texts(_texts(record))):
        agent = redact_text(agent, key, counts) if agent else agent
        trace_id = redact_text(trace_id, key, counts) if trace_id else trace_id
        metadata = redact(metadata, key, counts) if metadata else metadata
        target_type, hidden_type = _redacted_word(target_type, key, counts)
        ai_model, hidden_model = _redacted_word(ai_model, key, counts)
    if target_type is not None and not is_plain(target_type):
        target_type, hidden_type = None, target_type
    if ai_model is not None and not is_plain(ai_model):
        ai_model, hidden_model = None, ai_model
    part = IdentityPart(
        digest,
        record.session_id,
        record.user_id,
        record.ip_address,
        agent,
        target.id if target else None,
        metadata,
        record.id,
        trace_id,
        record.sequence,
        hidden_type,
        hidden_model,
    )
    return part, target_type, ai_model


def _texts(record: SessionRecord) -> tuple[Any, ...]:
    """What redaction looks at."""
    target = record.target
    return record.metadata, record.user_agent, record.trace_id, target.type if target else None, record.ai_model_used


@lru_cache(4096)
def is_plain(text: str) -> bool:
    """Whether a sender's text is a plain word, which may stand in a column in the clear."""
    return _PLAIN.fullmatch(text) is not None


def _redacted_word(text: str | None, key: bytes, counts: dict[str, int]) -> tuple[str | None, str | None]:
    """(plain, sealed): a word in which something was found is sealed with its placeholder."""
    redacted = redact_text(text, key, counts) if text else text
    return (text, None) if redacted == text else (None, redacted)
