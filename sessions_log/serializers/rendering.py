"""JSON out."""

from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer


class MsgspecRenderer(BaseRenderer):
    """Encodes plain values and dataclasses with msgspec; problems get their own media type (RFC 9457)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """The bytes of the body."""
        return b"" if data is None else msgspec.json.encode(data)


def json_response(body: Any, status: int) -> HttpResponse:
    """An answer without DRF's rendering, which stood high in a request's profile."""
    return HttpResponse(msgspec.json.encode(body), status=status, content_type=MsgspecRenderer.media_type)


class OnlyJson(BaseContentNegotiation):
    """There is one media type out, so nothing is negotiated: an Accept header that asks for another gets it too.

    RFC 9110 (12.4.1) leaves that to the server, and working the header out costs a request more than taking it.
    """

    def select_parser(self, request: Any, parsers: Any) -> None:
        """Bodies are read by the views."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """The first."""
        return renderers[0], renderers[0].media_type
