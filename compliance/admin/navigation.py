"""The navigation by task; a page is offered to those who may open it."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from sessions_log.queries.filter_values import ledger_size
from sessions_log.queries.quarantine import waiting_in_quarantine
from sessions_log.templatetags.portal import short_number

SEE = "sessions_log.metadata"
ACCESS = "sessions_log.access"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the portal; `right` is asked on the current organization, None lets everybody in."""

    label: str
    picture: str
    name: str
    right: str | None = SEE


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A page as this user sees it now."""

    label: str
    picture: str
    url: str
    is_current: bool
    count: str = ""
    asks_for_work: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Pages of one task."""

    title: str
    items: tuple[Item, ...]


PAGES: tuple[tuple[str, tuple[Page, ...]], ...] = (
    ("Overview", (Page("Dashboard", "overview", "index", None), Page("Health", "health", "health", None))),
    (
        "Records",
        (
            Page("Session logs", "list", "sessions_log_sessionlog_changelist"),
            Page("Sessions", "people", "sessions_log_sessionsummary_changelist"),
            Page("Services", "plug", "sessions_log_service_changelist"),
        ),
    ),
    (
        "Intake",
        (
            Page("Inbox", "inbox", "sessions_log_inboxrow_changelist"),
            Page("Quarantine", "quarantine", "sessions_log_quarantinedrequest_changelist", ACCESS),
        ),
    ),
    (
        "Ledger",
        (
            Page("Ledger", "chain", "sessions_log_checkpoint_changelist"),
            Page("Statements", "statement", "sessions_log_statement_changelist"),
        ),
    ),
    ("Access", (Page("Service keys", "key", "sessions_log_servicekey_changelist", ACCESS),)),
    ("Settings", (Page("Organizations", "building", "sessions_log_organization_changelist"),)),
)


def navigation(request: HttpRequest) -> list[Group]:
    """The groups with at least one page that the user may open."""
    organization = getattr(request, "organization", None)
    counts = _counts(organization.pk) if organization else {}
    groups = (
        Group(title, tuple(_item(page, request.path, counts) for page in pages if _is_offered(page, request)))
        for title, pages in PAGES
    )
    return [group for group in groups if group.items]


def _is_offered(page: Page, request: HttpRequest) -> bool:
    if page.right is None:
        return True
    organization = getattr(request, "organization", None)
    return bool(organization) and request.user.has_perm(page.right, organization)


def _counts(organization_id: int) -> dict[str, tuple[str, bool]]:
    """By page: a number, and whether it asks for work. Nothing here counts rows of records."""
    waiting = waiting_in_quarantine(organization_id)
    return {
        "sessions_log_sessionlog_changelist": (short_number(ledger_size(organization_id)), False),
        "sessions_log_quarantinedrequest_changelist": (short_number(waiting) if waiting else "", True),
    }


def _item(page: Page, path: str, counts: dict[str, tuple[str, bool]]) -> Item:
    url = reverse(f"admin:{page.name}")
    is_current = path == url if page.name == "index" else path.startswith(url)
    count, asks_for_work = counts.get(page.name, ("", False))
    return Item(
        label=page.label,
        picture=page.picture,
        url=url,
        is_current=is_current,
        count=count,
        asks_for_work=asks_for_work,
    )
