"""Organizations and their services."""

from sessions_log.models import Organization, Service


def all_organizations() -> list[Organization]:
    """Every organization, by slug."""
    return list(Organization.objects.order_by("slug"))


def organization_by_slug(slug: str) -> Organization | None:
    """The organization of this slug."""
    return Organization.objects.filter(slug=slug).first()


def service_id_of(organization_id: int, name: str) -> int | None:
    """The id of an organization's service."""
    return Service.objects.filter(organization_id=organization_id, name=name).values_list("id", flat=True).first()
