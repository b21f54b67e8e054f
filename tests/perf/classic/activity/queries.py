"""The newest rows of an organization that match the filters, a page at a time."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from tests.perf.classic.activity.models import SessionLog

PAGE_ROWS = 50
MOST_ROWS = 500
COLUMNS = {
    "userId": "user_id",
    "sessionId": "session_id",
    "ipAddress": "ip_address",
    "action": "action",
    "outcome": "outcome",
    "service": "service__name",
    "from": "timestamp__gte",
    "to": "timestamp__lt",
}


def session_logs(organization_id: int, params: Mapping[str, str]) -> tuple[list[SessionLog], str | None]:
    """One page and the cursor of the next, None after the last.

    Raises ValueError when a parameter cannot be read.
    """
    limit = max(1, min(int(params.get("limit", PAGE_ROWS)), MOST_ROWS))
    found = filtered(SessionLog.objects.filter(organization_id=organization_id), params)
    if "cursor" in params:
        found = found.filter(after(params["cursor"]))
    rows = list(found.select_related("service").order_by("-timestamp", "-id")[: limit + 1])
    return rows[:limit], cursor_of(rows[limit - 1]) if len(rows) > limit else None


def filtered(found: QuerySet[SessionLog], params: Mapping[str, str]) -> QuerySet[SessionLog]:
    conditions: dict[str, str | bool] = {column: params[name] for name, column in COLUMNS.items() if name in params}
    if "sensitive" in params:
        conditions["sensitive"] = params["sensitive"] == "true"
    if "target" in params:
        conditions["target_type"], _, conditions["target_id"] = params["target"].partition(":")
    return found.filter(**conditions)


def cursor_of(row: SessionLog) -> str:
    return base64.urlsafe_b64encode(f"{row.timestamp.isoformat()}|{row.pk}".encode()).decode()


def after(cursor: str) -> Q:
    """What comes after the cursor's row. The first condition alone bounds the index scan."""
    try:
        text, _, pk = base64.urlsafe_b64decode(cursor).decode().partition("|")
    except binascii.Error as error:
        raise ValueError("cursor") from error
    at = datetime.fromisoformat(text)
    return Q(timestamp__lte=at) & (Q(timestamp__lt=at) | Q(id__lt=UUID(pk)))
