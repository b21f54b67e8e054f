"""The first page: what the current organization did in the last 24 hours."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from sessions_log.queries.health import checks
from sessions_log.queries.overview import outcomes_by_hour, recent_sessions, totals

_DAY = timedelta(hours=24)


def overview_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """Counts of the last 24 hours by outcome, and where to go from them."""
    organization = getattr(request, "organization", None)
    if not organization:
        return TemplateResponse(request, "portal/no_organization.html", {**context, "title": "Dashboard"})
    now = timezone.now()
    hours = outcomes_by_hour(organization.pk, now - _DAY, now)
    return TemplateResponse(
        request,
        "portal/overview.html",
        {
            **context,
            "title": "Dashboard",
            "organization": organization,
            "now": now,
            "list_url": reverse("admin:sessions_log_sessionlog_changelist"),
            "hours": hours,
            "day": totals(hours),
            "checks": [check for check in checks(now) if check.name != "PostgreSQL"],
            "sessions": recent_sessions(organization.pk, now - timedelta(minutes=15)),
        },
    )
