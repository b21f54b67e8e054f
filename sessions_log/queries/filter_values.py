"""The values that the filters of the list of session logs offer."""

from sessions_log.models import Facet, LedgerHead, Service

MOST_ACTIONS = 200


def actions_seen(organization_id: int) -> list[str]:
    """Actions that occur, by name, at most MOST_ACTIONS; read from the combinations, never from entries."""
    seen = Facet.objects.filter(organization_id=organization_id).order_by("action")
    return list(seen.values_list("action", flat=True).distinct()[:MOST_ACTIONS])


def services_of(organization_id: int) -> list[str]:
    """The names of the organization's services."""
    services = Service.objects.filter(organization_id=organization_id).order_by("name")
    return list(services.values_list("name", flat=True))


def ledger_size(organization_id: int) -> int:
    """How many entries the organization's ledger holds."""
    heads = LedgerHead.objects.filter(organization_id=organization_id)
    return heads.values_list("size", flat=True).first() or 0
