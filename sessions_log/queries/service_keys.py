"""Service keys as requests need them."""

from sessions_log.domain.service_key import KnownKey
from sessions_log.models import ServiceKey


def key_by_prefix(prefix: str) -> KnownKey | None:
    """The key with its service and organization; usable or not."""
    key = ServiceKey.objects.select_related("service__organization").filter(prefix=prefix).first()
    if key is None:
        return None
    service, organization = key.service, key.service.organization
    return KnownKey(
        id=key.id,
        prefix=key.prefix,
        secret_hash=bytes(key.secret_hash),
        scopes=frozenset(key.scopes),
        service_id=service.id,
        service=service.name,
        organization_id=organization.id,
        organization_uid=organization.uid,
        shard=organization.shard,
        accepts_back_days=organization.accepts_back_days,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        allowed_networks=tuple(key.allowed_networks),
        records_per_minute=key.records_per_minute,
    )
