"""Who sends records."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sessions_log.domain import inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """On whose behalf records come: a service of an organization, and how far back it may reach."""

    organization_id: int
    organization_uid: UUID
    service_id: int
    shard: int
    back: timedelta | None
    lane: int = inbox.LANE_LIVE
