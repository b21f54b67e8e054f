"""Errors outside the views: programs get a problem (RFC 9457) where people get a page."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from sessions_log.serializers.problems import Problem, problem_response

_API = ("/api/", "/healthz/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the Host is none of ours, or the request is malformed in another way that Django notices."""
    if request.path.startswith(_API):
        return problem_response(Problem(400, "The request is malformed, or its Host is not one of this portal's."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    if request.path.startswith(_API):
        return problem_response(Problem(404, "There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. What was sent is not stored, as far as the caller may rely on it."""
    if request.path.startswith(_API):
        return problem_response(
            Problem(500, "This is a fault of the portal. Nothing was acknowledged; send again later.")
        )
    return defaults.server_error(request)
