"""What became of a request in the recorder."""

from dataclasses import dataclass

from sessions_log.domain.inbox import InboxRequest


@dataclass(slots=True)
class Outcome:
    """Counts of one request's records; they add up to its size."""

    request_id: bytes
    organization_id: int
    recorded: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class ConflictSeen:
    """A record that came under a stored entry's id with other content."""

    organization_id: int
    entry_id: bytes
    request_id: bytes


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A request that cannot be recorded, and why, in words without values."""

    request: InboxRequest
    reason: str
