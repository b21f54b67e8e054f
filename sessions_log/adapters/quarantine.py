"""Quarantined requests in the database."""

from datetime import datetime
from uuid import UUID

from sessions_log.commands.quarantine import SetAside
from sessions_log.domain.inbox import LANE_BULK, InboxRequest
from sessions_log.models import Organization, QuarantinedRequest


class QuarantineRepository:
    """See `sessions_log.commands.quarantine.QuarantineStore`."""

    def take(self, request_id: UUID, at: datetime) -> SetAside | None:
        """See the protocol."""
        rows = QuarantinedRequest.objects.select_for_update().filter(id=request_id, retried_at=None)
        row = rows.first()
        if row is None:
            return None
        row.retried_at = at
        row.save(update_fields=("retried_at",))
        request = InboxRequest(
            id=row.id.bytes,
            organization_id=row.organization_id,
            service_id=row.service_id,
            shard=row.shard,
            lane=LANE_BULK,
            kind=row.kind,
            entry_ids=bytes(row.entry_ids),
            sealed=bytes(row.sealed),
        )
        return SetAside(request, Organization.objects.get(id=row.organization_id).uid)
