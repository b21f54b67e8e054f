"""`/api/docs` and `/api/openapi.json`: the API described, for people and for programs; neither asks for a key."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from sessions_log.serializers.api_docs import page_of


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The description as OpenAPI 3.1."""
    return HttpResponse(json.dumps(_description(), indent=1), content_type="application/json")


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The same as a page: every operation with its parameters, bodies, answers and a command to copy."""
    return render(request, "api/docs.html", {"page": page_of(_description())})


@cache
def _description() -> dict[str, Any]:
    """Made once: it follows from the code alone."""
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # drf-spectacular does not say
    described: dict[str, Any] = json.loads(OpenApiJsonRenderer().render(made))
    return described
