"""What every page of the portal needs to know: which organization it is about."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from sessions_log.domain.portal_action import PORTAL_ORGANIZATION
from sessions_log.queries.organizations import all_organizations

SESSION_FIELD = "organization"


def current_organization(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Set `request.organizations` (all that the user may see) and `request.organization` (the chosen one, or None)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.organizations = SimpleLazyObject(lambda: _visible(request))  # type: ignore[attr-defined]  # ours, on Django's
        request.organization = SimpleLazyObject(lambda: _chosen(request))  # type: ignore[attr-defined]  # as above
        return get_response(request)

    return middleware


def _visible(request: HttpRequest) -> list[object]:
    if not request.user.is_authenticated:
        return []
    return [one for one in all_organizations() if request.user.has_perm("sessions_log.metadata", one)]


def _chosen(request: HttpRequest) -> object:
    visible = list(request.organizations)  # type: ignore[attr-defined]  # as above
    slug = request.session.get(SESSION_FIELD)
    chosen = [one for one in visible if one.slug == slug]
    # Without a choice, one that people work in: the product's own organization comes last.
    return (chosen or sorted(visible, key=lambda one: one.slug == PORTAL_ORGANIZATION) or [None])[0]
