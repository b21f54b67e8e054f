"""What nearly every test begins with: an organization of its own, keys, and records."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sessions_log import wiring
from sessions_log.commands.intake import put_records
from sessions_log.commands.organizations import (
    AddService,
    CreateOrganization,
    add_service,
    create_organization,
)
from sessions_log.commands.service_keys import IssueKey, issue_key
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.portal_action import Actor
from sessions_log.domain.session_record import SessionRecord
from sessions_log.models import Organization

ACTOR = Actor(user="tests", session="tests")
ALL_SCOPES = ("ingest", "read", "identities", "ledger")


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization with a service and its key."""

    organization: Organization
    service_id: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """For Django's test client."""
        return {"authorization": f"Bearer {self.token}"}


def make_tenant(*, scopes: tuple[str, ...] = ALL_SCOPES, **key: Any) -> Tenant:
    """A new organization with one service and one key."""
    ports = wiring.ports()
    slug = f"org-{uuid.uuid4().hex[:12]}"
    organization_id = create_organization(CreateOrganization(slug=slug, name="Trattoria Uno", actor=ACTOR), ports)
    service_id = add_service(AddService(organization_id=organization_id, name="orders", actor=ACTOR), ports)
    token = issue_key(IssueKey(service_id=service_id, scopes=scopes, actor=ACTOR, **key), ports)
    return Tenant(Organization.objects.get(id=organization_id), service_id, token)


def session_record(**fields: Any) -> dict[str, Any]:
    """A record in wire form, a minute ago, with an id of its own."""
    return {
        "id": str(uuid.uuid4()),
        "sessionId": "session-one",
        "userId": "m.russo",
        "timestamp": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
        "action": "record.view",
        **fields,
    }


def sent_request(tenant: Tenant) -> InboxRequest:
    """A request of one record as intake puts it into the inbox, not put there yet."""
    kept, sender = _KeptRequest(), wiring.ports().organizations.sender(tenant.organization.id, "orders")
    record = SessionRecord(session_id="s", timestamp=datetime.now(UTC), action="record.view")
    put_records([record], sender, None, datetime.now(UTC), wiring.keyring(), kept)
    return kept.request


class _KeptRequest:
    """An inbox that keeps the last request for later."""

    def put(self, request: InboxRequest) -> None:
        """See the port."""
        self.request = request
