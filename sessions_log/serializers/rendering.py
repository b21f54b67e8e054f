"""JSON out."""

from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer


class MsgspecRenderer(BaseRenderer):
    """Encodes plain values and dataclasses with msgspec; problems get their own media type (RFC 9457)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """The bytes of the body."""
        return b"" if data is None else msgspec.json.encode(data)
