"""Receipts as JSON."""

from typing import Any
from uuid import UUID

from sessions_log.commands.intake import Receipt, Receipts
from sessions_log.domain import entry_id


def receipts_body(receipts: Receipts) -> dict[str, Any]:
    """The body of a 202."""
    request_id = str(UUID(bytes=receipts.request_id)) if receipts.request_id else None
    return {
        "requestId": request_id,
        "receipt": f"/api/v1/receipts/requests/{request_id}",
        "accepted": receipts.accepted,
        "rejected": len(receipts.receipts) - receipts.accepted,
        "receipts": [_receipt(one) for one in receipts.receipts],
    }


def rejections(receipts: Receipts) -> list[dict[str, Any]]:
    """What was wrong, by position, for a request of which nothing was accepted."""
    return [
        {"position": at, "path": one.rejection.path, "reason": one.rejection.reason}
        for at, one in enumerate(receipts.receipts)
        if one.rejection is not None
    ]


def _receipt(receipt: Receipt) -> dict[str, Any]:
    if receipt.rejection is not None:
        return {
            "id": receipt.id,
            "status": "rejected",
            "path": receipt.rejection.path,
            "reason": receipt.rejection.reason,
        }
    own = entry_id.text(receipt.entry_id) if receipt.entry_id else None
    return {"id": receipt.id, "entryId": own, "status": "accepted"}
