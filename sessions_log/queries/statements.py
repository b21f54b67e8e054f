"""What the product declared about a ledger."""

from uuid import UUID

from sessions_log.models import Statement

SHOWN = 5


def latest_statements(organization_id: int) -> list[Statement]:
    """The last SHOWN statements, newest first."""
    return list(Statement.objects.filter(organization_id=organization_id).order_by("-seq")[:SHOWN])


def statement(organization_id: int, statement_id: UUID) -> Statement | None:
    """One statement, or None."""
    return Statement.objects.filter(organization_id=organization_id, id=statement_id).first()
