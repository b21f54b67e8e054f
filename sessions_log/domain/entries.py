"""Session logs as entries: what is plain, what is sealed, and the leaf that commits to both."""

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.leaf import NONCE_BYTES, EntryColumns, canonical, leaf
from sessions_log.domain.outcomes import Outcome
from sessions_log.domain.redaction import DETECTORS_VERSION, may_contain, redact, redact_text
from sessions_log.domain.sealing import DIGEST_BYTES, PART_IDENTITY, SEAL_NONCE_BYTES, PartCipher, record_digest
from sessions_log.domain.session_record import SessionRecord, metadata_text, metadata_value

POLICY_VERSION = 1
CHUNK_ENTRIES = 250
_LOOKED_AT_TOGETHER = 16
_NONCES_BYTES = NONCE_BYTES + SEAL_NONCE_BYTES
OUTCOMES = {"success": 1, "failure": 2, "denied": 3}
_PLAIN = re.compile(r"[A-Za-z0-9._:/-]{1,128}")


class IdentityPart(msgspec.Struct, array_like=True, frozen=True):
    """The sealed part of a session log, as MessagePack in this order; new fields go to the end.

    metadata_text: a JSON object. target_type and ai_model stand here only where they are not plain text. Before the
    part stands the record's fingerprint.
    """

    session: str
    user: str | None
    address: str | None
    agent: str | None
    target: str | None
    metadata_text: bytes | None
    id: str | None
    trace_id: str | None
    sequence: int | None
    target_type: str | None
    ai_model: str | None

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What the sender added."""
        return None if self.metadata_text is None else msgspec.json.decode(self.metadata_text, type=dict[str, Any])


class SessionEntry(msgspec.Struct, gc=False):
    """A row of the session log table, but for its seq and what the whole batch shares.

    Ids are 16 bytes, `timestamp` is UTC, `leaf` goes to the ledger.
    """

    id: bytes
    service_id: int
    timestamp: datetime
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
    recorded_at: datetime
    count: int
    months: set[date]
    chunks: Iterable[list[SessionEntry]]


class Recordable(msgspec.Struct, gc=False):
    """A record on its way: its request, its entry id, and its sealed part as it was sent, nothing redacted.

    part: MessagePack of an IdentityPart. target_type and ai_model: where they are plain text. digest: the fingerprint.
    """

    request: InboxRequest
    outcome: Outcome
    entry_id: bytes
    record: SessionRecord
    part: bytes
    target_type: str | None
    ai_model: str | None
    digest: bytes


class Referred(msgspec.Struct, gc=False):
    """The ids (16 bytes) under which a record's names are known, and what seals for its subject."""

    subject: bytes
    cipher: PartCipher
    session: bytes
    target: bytes | None
    address: bytes | None


@dataclass(frozen=True, slots=True)
class Common:
    """What the entries of one organization in one batch share; services by their id."""

    organization_id: int
    organization: UUID
    services: Mapping[int, str]
    recorded_at: datetime
    placeholder_key: bytes


_pack = msgspec.msgpack.Encoder().encode
_unpack_part = msgspec.msgpack.Decoder(IdentityPart).decode
_encode_texts = msgspec.json.Encoder().encode


def recordables(
    request: InboxRequest, outcome: Outcome, records: Sequence[SessionRecord], id_key: bytes
) -> list[Recordable]:
    """The records of a request, ready to be told from those that are stored."""
    found: list[Recordable] = []
    for at, record in enumerate(records):
        part, target_type, ai_model = identity_part(record)
        # What stands in plain columns and what is sealed: together they are the record as it was sent.
        plain = (
            record.timestamp,
            record.action,
            record.outcome,
            record.duration,
            record.sensitive,
            target_type,
            ai_model,
        )
        digest = record_digest(_pack(plain) + part, id_key)
        own_id = request.entry_ids[at * 16 : at * 16 + 16]
        found.append(Recordable(request, outcome, own_id, record, part, target_type, ai_model, digest))
    return found


def identity_part(record: SessionRecord) -> tuple[bytes, str | None, str | None]:
    """The part to seal, and target type and AI model where they may stand in plain columns."""
    target, ai_model = record.target, record.ai_model_used
    target_id = target_type = hidden_type = hidden_model = None
    if target is not None:
        target_id, target_type = target.id, target.type
        if not is_plain(target_type):
            target_type, hidden_type = None, target_type
    if ai_model is not None and not is_plain(ai_model):
        ai_model, hidden_model = None, ai_model
    metadata = bytes(record.metadata)
    part = (
        record.session_id,
        record.user_id,
        record.ip_address,
        record.user_agent,
        target_id,
        None if metadata in _NO_METADATA else metadata,
        record.id,
        record.trace_id,
        record.sequence,
        hidden_type,
        hidden_model,
    )
    return _pack(part), target_type, ai_model


_NO_METADATA = (b"", b"null")


def decode_identity(plain: bytes) -> IdentityPart:
    """What was sealed, but for the fingerprint. Raises msgspec.MsgspecError."""
    return _unpack_part(memoryview(plain)[DIGEST_BYTES:])


def digest_within(plain: bytes) -> bytes:
    """The fingerprint in what was sealed."""
    return plain[:DIGEST_BYTES]


@lru_cache(4096)
def is_plain(text: str) -> bool:
    """Whether a sender's text is a plain word, which may stand in a column in the clear."""
    return _PLAIN.fullmatch(text) is not None


def new_entries(records: Sequence[tuple[Recordable, Referred]], common: Common) -> NewEntries:
    """The entries of records: redacted, split into plain columns and the sealed part, with their leaves."""
    return NewEntries(
        organization_id=common.organization_id,
        kind=KIND_SESSION_LOG,
        recorded_at=common.recorded_at,
        count=len(records),
        months=_months_of([one.record.timestamp for one, _ in records]),
        chunks=(
            session_entries(records[at : at + CHUNK_ENTRIES], common) for at in range(0, len(records), CHUNK_ENTRIES)
        ),
    )


def _months_of(moments: Sequence[datetime]) -> set[date]:
    """The months (first days, UTC) of timestamps; nearly always all are of one."""
    months = {_month(min(moments)), _month(max(moments))}
    return months if len(months) == 1 else {_month(one) for one in moments}


def _month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)


def session_entries(records: Sequence[tuple[Recordable, Referred]], common: Common) -> list[SessionEntry]:
    """A chunk of entries."""
    organization = common.organization.hex
    nonces = secrets.token_bytes(_NONCES_BYTES * len(records))
    findings = _redact([one for one, _ in records], common.placeholder_key)
    return [
        _session_entry(one, known, nonces[at * _NONCES_BYTES : (at + 1) * _NONCES_BYTES], found, organization, common)
        for at, ((one, known), found) in enumerate(zip(records, findings, strict=True))
    ]


def _session_entry(
    one: Recordable,
    known: Referred,
    nonces: bytes,
    findings: dict[str, int] | None,
    organization: str,
    common: Common,
) -> SessionEntry:
    """One entry. Positional arguments throughout: this runs for every record, and names would cost a tenth of it."""
    record, own_id, service_id = one.record, one.entry_id, one.request.service_id
    nonce = nonces[:NONCE_BYTES]
    sealed = known.cipher.seal(
        one.digest + one.part, entry_id=own_id, kind=KIND_SESSION_LOG, nonce=nonces[NONCE_BYTES:]
    )
    timestamp = record.timestamp
    if timestamp.tzinfo is not UTC:
        timestamp = timestamp.astimezone(UTC)
    columns = EntryColumns(
        record.action,
        known.address.hex() if known.address else None,
        one.ai_model,
        DETECTORS_VERSION,
        record.duration,
        findings,
        own_id.hex(),
        organization,
        record.outcome,
        POLICY_VERSION,
        common.recorded_at,
        record.sensitive,
        common.services[service_id],
        known.session.hex(),
        known.subject.hex(),
        known.target.hex() if known.target else None,
        one.target_type,
        timestamp,
    )
    return SessionEntry(
        own_id,
        service_id,
        timestamp,
        int.from_bytes(own_id[:6], "big") // 3_600_000,
        record.duration,
        known.subject,
        known.session,
        known.target,
        known.address,
        OUTCOMES[record.outcome],
        record.sensitive,
        record.action,
        one.target_type,
        one.ai_model,
        json.dumps(findings, sort_keys=True) if findings else None,
        nonce,
        sealed,
        leaf(KIND_SESSION_LOG, nonce, canonical(columns), ((PART_IDENTITY, sealed),)),
    )


def _redact(records: Sequence[Recordable], key: bytes) -> list[dict[str, int] | None]:
    """Redact the parts where something sensitive is found; what, by type and count, for each record.

    Texts are looked at together first: nearly always there is nothing to find.
    """
    findings: list[dict[str, int] | None] = []
    for begin in range(0, len(records), _LOOKED_AT_TOGETHER):
        together = records[begin : begin + _LOOKED_AT_TOGETHER]
        if may_contain(_encode_texts([_texts(one.record) for one in together])):
            findings += [_redact_one(one, key) for one in together]
        else:
            findings += [None] * len(together)
    return findings


def _redact_one(one: Recordable, key: bytes) -> dict[str, int] | None:
    if not may_contain(_encode_texts(_texts(one.record))):
        return None
    counts: dict[str, int] = {}
    record = redacted(one.record, key, counts)
    if not counts:
        return None
    one.part, one.target_type, one.ai_model = identity_part(record)
    return counts


def redacted(record: SessionRecord, key: bytes, counts: dict[str, int]) -> SessionRecord:
    """The record with placeholders for what is sensitive, which is counted, by type, in `counts`.

    A target type or AI model in which something was found is no plain word any more, so that it is sealed.
    """

    def clean(text: str | None) -> str | None:
        return redact_text(text, key, counts) if text else text

    target = record.target
    return msgspec.structs.replace(
        record,
        user_agent=clean(record.user_agent),
        trace_id=clean(record.trace_id),
        metadata=metadata_text(redact(metadata_value(record.metadata), key, counts)),
        target=target and msgspec.structs.replace(target, type=redact_text(target.type, key, counts)),
        ai_model_used=clean(record.ai_model_used),
    )


def _texts(record: SessionRecord) -> tuple[Any, ...]:
    """What redaction looks at."""
    target = record.target
    return record.metadata, record.user_agent, record.trace_id, target.type if target else None, record.ai_model_used
