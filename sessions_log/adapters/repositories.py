"""Organizations and service keys in the database, by Django's ORM."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from sessions_log.adapters.inbox import insert
from sessions_log.commands.organizations import SlugTaken
from sessions_log.commands.service_keys import ReservedService
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.portal_action import PORTAL_SERVICE
from sessions_log.domain.sender import Sender
from sessions_log.domain.service_key import NewKey
from sessions_log.models import Organization, Service, ServiceKey


class OrganizationRepository:
    """See `sessions_log.ports.Organizations`."""

    def add(self, slug: str, name: str) -> tuple[int, UUID]:
        """See the port."""
        try:
            with transaction.atomic():
                organization = Organization.objects.create(slug=slug, name=name)
        except IntegrityError:
            raise SlugTaken(f"there is an organization {slug} already") from None
        return organization.id, organization.uid

    def add_service(self, organization_id: int, name: str) -> int:
        """See the port."""
        try:
            with transaction.atomic():
                return Service.objects.create(organization_id=organization_id, name=name).id
        except IntegrityError:
            raise SlugTaken(f"the organization has a service {name} already") from None

    def change(self, organization_id: int, name: str, accepts_back_days: int) -> dict[str, object]:
        """See the port."""
        organization = Organization.objects.select_for_update().get(id=organization_id)
        before: dict[str, object] = {
            "name": organization.name,
            "acceptsBackDays": organization.accepts_back_days,
        }
        organization.name, organization.accepts_back_days = name, accepts_back_days
        organization.save(update_fields=("name", "accepts_back_days"))
        return before

    def sender(self, organization_id: int, service: str) -> Sender:
        """See the port."""
        found = Service.objects.select_related("organization").get(organization_id=organization_id, name=service)
        organization = found.organization
        return Sender(
            organization_id=organization.id,
            organization_uid=organization.uid,
            service_id=found.id,
            shard=organization.shard,
            back=timedelta(days=organization.accepts_back_days),
        )


class ServiceKeyRepository:
    """See `sessions_log.ports.ServiceKeys`."""

    def add(
        self,
        service_id: int,
        key: NewKey,
        scopes: Sequence[str],
        expires_at: datetime | None,
        networks: Sequence[str],
        records_per_minute: int,
    ) -> int:
        """See the port."""
        if Service.objects.get(id=service_id).name == PORTAL_SERVICE:
            raise ReservedService("the service portal is the product's own; it has no keys")
        stored = ServiceKey.objects.create(
            service_id=service_id,
            prefix=key.prefix,
            secret_hash=key.secret_hash,
            scopes=list(scopes),
            expires_at=expires_at,
            allowed_networks=list(networks),
            records_per_minute=records_per_minute,
        )
        return stored.service.organization_id

    def replace(self, key_id: UUID, key: NewKey, ends: datetime) -> int | None:
        """See the port."""
        old = self._usable(key_id)
        if old is None:
            return None
        organization_id = self.add(
            old.service_id, key, old.scopes, old.expires_at, old.allowed_networks, old.records_per_minute
        )
        old.replaced_by = ServiceKey.objects.get(prefix=key.prefix)
        old.expires_at = min(filter(None, (old.expires_at, ends)))
        old.save(update_fields=("replaced_by", "expires_at"))
        return organization_id

    def revoke(self, key_id: UUID, at: datetime) -> tuple[int, str] | None:
        """See the port."""
        key = self._usable(key_id)
        if key is None:
            return None
        key.revoked_at = at
        key.save(update_fields=("revoked_at",))
        return key.service.organization_id, key.prefix

    def _usable(self, key_id: UUID) -> ServiceKey | None:
        keys = ServiceKey.objects.select_for_update(of=("self",)).select_related("service")
        return keys.filter(id=key_id, revoked_at__isnull=True).first()


class TransactionInbox:
    """See `sessions_log.ports.Inbox`: a request put on Django's connection is stored with the transaction at hand."""

    def put(self, request: InboxRequest) -> None:
        """See the port; durable when the transaction is. Raises RuntimeError outside of one."""
        if not connection.in_atomic_block:
            raise RuntimeError("the record of a deed belongs into the deed's transaction")
        connection.ensure_connection()
        insert(connection.connection, [request])
