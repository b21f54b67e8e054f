"""How the product itself does, on one page and in the top bar."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from sessions_log import wiring
from sessions_log.ports import KeyringUnavailable
from sessions_log.queries.health import Check, checks, open_findings


def portal_state() -> dict[str, str]:
    """The state of the product in the top bar: picture, words and tone."""
    count = len(open_findings())
    if not count:
        return {"tone": "good", "picture": "verified", "words": "No findings"}
    return {"tone": "warn", "picture": "warning", "words": f"{count} finding{'s' if count > 1 else ''}"}


def health_page(request: HttpRequest, context: dict[str, Any]) -> TemplateResponse:
    """The servers, the way of a record, and what is not as it should be."""
    looked_at = [*checks(timezone.now()), _valkey(), _keyring()]
    page = {
        "title": "Health",
        "now": timezone.now(),
        "checks": looked_at,
        "unwell": [check for check in looked_at if not check.is_well],
        "findings": open_findings(),
    }
    return TemplateResponse(request, "portal/health.html", {**context, **page})


def _valkey() -> Check:
    if wiring.valkey_answers():
        return Check("Valkey", True, "answers; limits of keys are guarded")
    return Check("Valkey", False, "cannot be reached; limits of keys are off, records are still taken")


def _keyring() -> Check:
    try:
        wiring.keyring().check()
    except KeyringUnavailable:
        return Check("Keyring", False, "cannot be used: nothing can be sealed or opened")
    return Check("Keyring", True, "can be read and written")
