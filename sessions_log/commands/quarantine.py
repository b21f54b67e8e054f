"""The quarantine: a request that could not be recorded is given back to the recorder."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sessions_log.commands.portal import record_action
from sessions_log.domain import inbox
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.portal_action import Actor, PortalAction
from sessions_log.domain.sealing import CannotOpen
from sessions_log.ports import KeyDestroyed, Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """Which quarantined request to give back."""

    request_id: UUID
    actor: Actor


@dataclass(frozen=True, slots=True)
class SetAside:
    """A request in quarantine, still sealed under the inbox key of its day."""

    request: InboxRequest
    organization_uid: UUID


class QuarantineStore(Protocol):
    """Where quarantined requests are kept."""

    def take(self, request_id: UUID, at: datetime) -> SetAside | None:
        """Mark a request as retried, locked until the end. None when it is unknown or was retried before."""


class NotRetryable(ValueError):
    """The request is gone or retried already, or nothing opens it any more."""


def retry_request(command: RetryRequest, store: QuarantineStore, ports: Ports) -> UUID:
    """Put the request into the bulk lane under a new id and today's key. Returns it. Raises NotRetryable.

    Its entries keep their ids: what was recorded already is recognised as a duplicate.
    """
    now = ports.clock()
    with ports.transaction():
        found = store.take(command.request_id, now)
        if found is None:
            raise NotRetryable("the request was retried already, or is unknown")
        again = _sealed_again(found, now, ports)
        ports.inbox.put(again)
        record_action(
            PortalAction(
                action="admin.change",
                actor=command.actor,
                organization_id=again.organization_id,
                at=now,
                target=("quarantined_request", str(command.request_id)),
                details={"change": "retried", "request": str(UUID(bytes=again.id))},
            ),
            ports,
        )
    return UUID(bytes=again.id)


def _sealed_again(found: SetAside, now: datetime, ports: Ports) -> InboxRequest:
    old, uid = found.request, found.organization_uid
    try:
        key = ports.keyring.inbox_key(inbox.day_of(old.id))
        body = inbox.open_body(old.sealed, key, request_id=old.id, organization=uid)
    except KeyDestroyed:
        raise NotRetryable("the inbox key of its day is destroyed: nothing opens it any more") from None
    except CannotOpen:
        raise NotRetryable("it does not open under the inbox key of its day") from None
    request_id = inbox.new_request_id(now)
    day_key = ports.keyring.inbox_key(inbox.day_of(request_id))
    return InboxRequest(
        id=request_id,
        organization_id=old.organization_id,
        service_id=old.service_id,
        shard=old.shard,
        lane=inbox.LANE_BULK,
        kind=old.kind,
        entry_ids=old.entry_ids,
        sealed=inbox.seal_body(body, day_key, request_id=request_id, organization=uid),
    )
