"""Who may do what: answered from grants that have not ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from compliance.models import Grant, User


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person: by organization id, the names of the rights on the whole of it."""

    by_organization: dict[int, frozenset[str]]

    def may(self, right: str, organization_id: int) -> bool:
        """Whether the right is held on this organization."""
        return right in self.by_organization.get(organization_id, frozenset())

    def anywhere(self, right: str) -> bool:
        """Whether the right is held on any organization."""
        return any(right in rights for rights in self.by_organization.values())


def person_of(email: str) -> UUID | None:
    """Who signs in under this address, None for nobody."""
    return User.objects.filter(email=email.lower(), is_active=True).values_list("id", flat=True).first()


def rights_of(user_id: UUID, now: datetime) -> Rights:
    """What a person may do now."""
    rows = Grant.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), holder=user_id, service=None)
    held: dict[int, set[str]] = {}
    for organization_id, right in rows.values_list("organization_id", "right"):
        held.setdefault(organization_id, set()).add(right)
    return Rights({organization: frozenset(rights) for organization, rights in held.items()})
