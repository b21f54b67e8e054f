"""Intake: records are checked, given ids, sealed once and put into the inbox; then comes the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sessions_log.domain import entry_id, inbox
from sessions_log.domain.entry_id import KIND_SESSION_LOG
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.sender import Sender
from sessions_log.domain.session_record import (
    Rejection,
    SessionRecord,
    Window,
    decode_lines,
    decode_records,
    encode_records,
)
from sessions_log.ports import Inbox, Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptSessionLogs:
    """A request's body, decompressed: a JSON object, an array, or (`is_lines`) NDJSON."""

    body: bytes
    is_lines: bool
    sender: Sender
    idempotency_key: str | None
    at: datetime


class Receipt(NamedTuple):
    """What became of one record; `rejection` is None where it was accepted."""

    id: str | None
    entry_id: bytes | None
    rejection: Rejection | None = None


@dataclass(frozen=True, slots=True)
class Receipts:
    """A request's receipts in the order of its records; `request_id` is None when none was accepted."""

    request_id: bytes | None
    receipts: list[Receipt]
    accepted: int


def accept_session_logs(command: AcceptSessionLogs, keyring: Keyring, box: Inbox) -> Receipts:
    """Store the records that are well formed; they are durable when this returns.

    Raises MalformedJson (the body cannot be read), TooManyRecords, InboxUnavailable, KeyringUnavailable; nothing
    is stored then.
    """
    window = Window.around(command.at, back=command.sender.back)
    decode = decode_lines if command.is_lines else decode_records
    records = decode(command.body, window)
    key = command.idempotency_key
    places = None if key is None else [(key, position) for position in range(len(records))]
    return put_records(records, command.sender, places, command.at, keyring, box)


def put_records(
    records: Sequence[SessionRecord | Rejection],
    sender: Sender,
    places: Sequence[tuple[str, int]] | None,
    now: datetime,
    keyring: Keyring,
    box: Inbox,
) -> Receipts:
    """Put checked records into the inbox as one request. Raises InboxUnavailable, KeyringUnavailable.

    places: for each record the key and the position by which it is known where it has no id of its own.
    """
    id_key = keyring.id_key(sender.organization_uid)
    of_client_id = entry_id.of_client_ids(KIND_SESSION_LOG, id_key)
    receipts: list[Receipt] = []
    accepted: list[SessionRecord] = []
    ids: list[bytes] = []
    for position, record in enumerate(records):
        if isinstance(record, Rejection):
            receipts.append(Receipt(record.id, None, record))
            continue
        if record.id is not None:
            own_id = of_client_id(record.timestamp, record.id)
        elif places is not None:
            own_id = entry_id.from_position(record.timestamp, KIND_SESSION_LOG, *places[position], id_key)
        else:
            own_id = entry_id.random(record.timestamp)
        accepted.append(record)
        ids.append(own_id)
        receipts.append(Receipt(record.id, own_id))
    if not accepted:
        return Receipts(None, receipts, 0)
    request = sealed_request(KIND_SESSION_LOG, encode_records(accepted), b"".join(ids), sender, now, keyring)
    box.put(request)
    return Receipts(request.id, receipts, len(accepted))


def sealed_request(
    kind: int, body: bytes, entry_ids: bytes, sender: Sender, now: datetime, keyring: Keyring
) -> InboxRequest:
    """A request as it lies in the inbox, its body sealed under the key of the day. Raises KeyringUnavailable.

    entry_ids: 16 bytes for each record in the body.
    """
    request_id = inbox.new_request_id(now)
    day_key = keyring.inbox_key(inbox.day_of(request_id))
    sealed = inbox.seal_body(body, day_key, request_id=request_id, organization=sender.organization_uid)
    return InboxRequest(
        id=request_id,
        organization_id=sender.organization_id,
        service_id=sender.service_id,
        shard=sender.shard,
        lane=sender.lane,
        kind=kind,
        entry_ids=entry_ids,
        sealed=sealed,
    )
