"""How the product itself does, on one page and in the top bar."""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from sessions_log.queries import health

_WITHOUT_VALKEY = "records are still taken; limits of keys and scheduled jobs rest until it answers"


def portal_state() -> dict[str, str]:
    """The state of the product in the top bar: picture, words and tone."""
    count = len(health.open_findings())
    if not count:
        return {"tone": "good", "picture": "verified", "words": "No findings"}
    return {"tone": "warn", "picture": "warning", "words": f"{count} finding{'s' if count > 1 else ''}"}


def health_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Servers, the way of a record, findings."""
    now = timezone.now()
    sections = [
        ("Servers", [health.check_postgresql(), _valkey()]),
        ("The way of a record", health.way_of_a_record(now)),
    ]
    findings = health.open_findings()
    worst = _unwell([check for _, checks in sections for check in checks])
    return TemplateResponse(
        request,
        "portal/health.html",
        {**context, "title": "Health", "now": now, "sections": sections, "findings": findings, "unwell": worst},
    )


def _valkey() -> health.Check:
    return health.check_server("Valkey", lambda: cache.get("muniment.health"), without=_WITHOUT_VALKEY)


def _unwell(checks: list[health.Check]) -> list[health.Check]:
    return [check for check in checks if check.state is not health.State.WELL]
