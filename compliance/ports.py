"""What the commands of people and rights need from outside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sessions_log import ports as records
from sessions_log.commands.erasing import Persons


class People(Protocol):
    """People of the portal, and their grants."""

    def add(self, email: str, password: str, name: str) -> UUID:
        """Store a person. Raises EmailTaken."""

    def grant(
        self,
        holder: UUID,
        right: str,
        organization_id: int,
        reason: str,
        granted_by: str,
        ends_at: datetime | None,
    ) -> None:
        """Store a grant; does nothing where the same right is held without end."""

    def holder(self, email: str, right: str, organization_id: int, now: datetime) -> UUID | None:
        """Who has this address and holds the right on the organization now, None for nobody."""


@dataclass(frozen=True, slots=True)
class Ports:
    """People, what keeps their subjects, and the ports of the records app for the record of each deed."""

    people: People
    persons: Persons
    records: records.Ports
