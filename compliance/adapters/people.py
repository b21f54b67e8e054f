"""People and grants in the database."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from compliance.commands.people import EmailTaken
from compliance.models import Grant, User


class PeopleRepository:
    """See `compliance.ports.People`."""

    def add(self, email: str, password: str, name: str) -> UUID:
        """See the port."""
        try:
            with transaction.atomic():
                return User.objects.create_user(email=email, password=password, name=name).id
        except IntegrityError:
            raise EmailTaken("somebody has this e-mail address already") from None

    def grant(
        self,
        holder: UUID,
        right: str,
        organization_id: int,
        reason: str,
        granted_by: str,
        ends_at: datetime | None,
    ) -> None:
        """See the port."""
        same = Grant.objects.filter(holder_id=holder, right=right, organization_id=organization_id, service=None)
        if not same.filter(ends_at=None).exists():
            Grant.objects.create(
                holder_id=holder,
                right=right,
                organization_id=organization_id,
                reason=reason,
                granted_by=granted_by[:120],
                ends_at=ends_at,
            )

    def holder(self, email: str, right: str, organization_id: int, now: datetime) -> UUID | None:
        """See the port."""
        grants = Grant.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), service=None, right=right)
        own = grants.filter(organization_id=organization_id, holder__email=email.lower(), holder__is_active=True)
        return own.values_list("holder_id", flat=True).first()
