"""Organizations and their services."""

from sessions_log.models import Organization


def all_organizations() -> list[Organization]:
    """Every organization, by slug."""
    return list(Organization.objects.order_by("slug"))


def organization_by_slug(slug: str) -> Organization | None:
    """The organization of this slug."""
    return Organization.objects.filter(slug=slug).first()
