"""Errors as application/problem+json (RFC 9457), in the words of the field that is wrong."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

MEDIA_TYPE = "application/problem+json"


class Problem(exceptions.APIException):
    """An error with its status, a sentence, and where it has any the faulty fields."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.sentence = detail
        self.errors = list(errors)
        self.retry_after_s = retry_after_s


def problem_response(problem: Problem) -> HttpResponse:
    """A problem outside DRF, from a middleware."""
    response = HttpResponse(
        msgspec.json.encode(_body(problem.status_code, problem.sentence, problem.errors)),
        status=problem.status_code,
        content_type=MEDIA_TYPE,
    )
    _retry_after(response, problem.retry_after_s)
    return response


def as_problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler; None for what is not a client's or a storage's fault."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, exceptions.NotAuthenticated):
        error.detail = exceptions.ErrorDetail("A service key is needed, in the header Authorization: Bearer mun_….")
    if not isinstance(error, exceptions.APIException):
        return None
    errors = error.errors if isinstance(error, Problem) else []
    sentence = error.sentence if isinstance(error, Problem) else str(error.detail)
    response = Response(_body(error.status_code, sentence, errors), status=error.status_code, content_type=MEDIA_TYPE)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    _retry_after(response, getattr(error, "retry_after_s", None))
    return response


def _body(status: int, detail: str, errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return body


def _retry_after(response: HttpResponse, seconds: int | None) -> None:
    if seconds is not None:
        response["Retry-After"] = str(seconds)
