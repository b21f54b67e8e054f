"""The portal: Django's admin as a site of its own, with navigation by task and one organization at a time."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from time import perf_counter
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_POST

from compliance.admin.health import health_page, portal_state
from compliance.admin.navigation import navigation
from compliance.admin.overview import overview_page
from compliance.admin.signing_in import record_failed_sign_in, record_signing
from sessions_log import wiring
from sessions_log.templatetags.portal import STARTED

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class PortalSite(AdminSite):
    """The stock admin with our pages around the models' own."""

    site_header = site_title = "Muniment"
    index_title = "Dashboard"
    site_url = None
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Our pages first, then the models' pages."""
        own: list[URLPattern | URLResolver] = [
            path("health/", self.admin_view(self.health), name="health"),
            path("organization/", self.admin_view(switch_organization), name="switch_organization"),
        ]
        return own + super().get_urls()

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Every page says in how many milliseconds it was answered, so each notes when it began."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def timed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.META[STARTED] = perf_counter()
            return inner(request, *args, **kwargs)

        return cast(View, timed)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame of every page shows; asked only where it is shown."""
        return {
            **super().each_context(request),
            "navigation": SimpleLazyObject(lambda: navigation(request)),
            "portal_state": SimpleLazyObject(portal_state),
            "global_search_url": SimpleLazyObject(lambda: self._search_url(request)),
        }

    def _search_url(self, request: HttpRequest) -> str:
        """Where the search of the top bar goes; nowhere for those who may not search by who."""
        organization = getattr(request, "organization", None)
        may_search = bool(organization) and request.user.has_perm("sessions_log.identities", organization)
        return reverse(f"{self.name}:sessions_log_sessionlog_search") if may_search else ""

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The stock sign-in, recorded."""
        was_signed_in = request.user.is_authenticated
        response = super().login(request, extra_context)
        if request.method == "POST" and not was_signed_in:
            if request.user.is_authenticated:
                record_signing(request, "admin.sign_in")
            else:
                record_failed_sign_in(request)
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The stock sign-out, recorded, and back to the sign-in page."""
        if request.method == "POST" and request.user.is_authenticated:
            record_signing(request, "admin.sign_out")
        super().logout(request, extra_context)
        return cast(TemplateResponse, HttpResponseRedirect(reverse(f"{self.name}:login")))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The stock change of one's own password; without its record it does not happen."""
        with wiring.ports().transaction():
            response = super().password_change(request, extra_context)
            if response.status_code == HTTPStatus.FOUND:
                record_signing(request, "auth.password_change")
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The overview of the current organization."""
        return overview_page(request, {**self.each_context(request), **(extra_context or {})})

    def health(self, request: HttpRequest) -> HttpResponse:
        """How the product itself does."""
        return health_page(request, self.each_context(request))

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """There are no pages by app: the navigation goes by task."""
        raise Http404


@require_POST
def switch_organization(request: HttpRequest) -> HttpResponse:
    """Choose the organization that the pages are about; one that the user may not see changes nothing."""
    visible = {organization.slug for organization in getattr(request, "organizations", ())}
    if (slug := request.POST.get("organization", "")) in visible:
        request.session["organization"] = slug
    return HttpResponseRedirect(reverse("admin:index"))
