"""`/api/v1/receipts/…`: what became of what was sent."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_log.permissions import key_of
from sessions_log.queries.receipts import TooManyWait, entry_receipt, request_receipt
from sessions_log.serializers.problems import Problem
from sessions_log.serializers.schema import read_entry_receipt, read_request_receipt


class EntryReceiptView(APIView):
    """Where one record stands."""

    scopes: ClassVar[dict[str, str]] = {"GET": "ingest"}

    @read_entry_receipt
    def get(self, request: Request, entry_id: UUID) -> Response:
        """pending, recorded (with its seq), conflict, quarantined or unknown."""
        try:
            receipt = entry_receipt(key_of(request).organization_id, entry_id)
        except TooManyWait:
            raise Problem(503, "Too many requests wait to tell; ask again later.", retry_after_s=10) from None
        body: dict[str, Any] = {"entryId": receipt.entry_id, "state": receipt.state}
        return Response(body if receipt.seq is None else body | {"seq": receipt.seq})


class RequestReceiptView(APIView):
    """Where one request stands."""

    scopes: ClassVar[dict[str, str]] = {"GET": "ingest"}

    @read_request_receipt
    def get(self, request: Request, request_id: UUID) -> Response:
        """pending, done (with counts that add up to the request's accepted records) or unknown."""
        receipt = request_receipt(key_of(request).organization_id, request_id)
        return Response(
            {
                "requestId": receipt.request_id,
                "state": receipt.state,
                "recorded": receipt.recorded,
                "duplicates": receipt.duplicates,
                "conflicts": receipt.conflicts,
                "quarantined": receipt.quarantined,
            }
        )
