"""The API's OpenAPI 3.1 description, beside the views that it describes."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from sessions_log.domain.actions import ACTIONS
from sessions_log.domain.session_record import MOST_RECORDS
from sessions_log.queries.session_logs import MOST_ROWS

Schema = dict[str, Any]


class ServiceKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular is untyped here
    """`Authorization: Bearer mun_…`."""

    target_class = "sessions_log.authentication.ServiceKeyAuthentication"
    name = "serviceKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        """The security scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "mun_<prefix>_<secret>"}


def _string(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _object(properties: Schema, required: tuple[str, ...] = (), **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), **more}


_ID = {"type": "string", "format": "uuid"}
_TARGET = _object(
    {"type": _string("what kind of thing", minLength=1, maxLength=128), "id": _string("its id", maxLength=1024)},
    ("type", "id"),
    additionalProperties=False,
)
_RECORD = _object(
    {
        "id": _string("the sender's own id; makes retries safe", minLength=1, maxLength=128),
        "userId": _string("who", minLength=1, maxLength=256),
        "sessionId": _string("in which session", minLength=1, maxLength=256),
        "timestamp": _string("when, with zone (RFC 3339)", format="date-time"),
        "action": _string(
            f"one of {', '.join(sorted(ACTIONS))}, or custom.<name>", maxLength=64, examples=["auth.login"]
        ),
        "metadata": {"type": "object", "description": "anything else, up to 32 KiB as JSON"},
        "ipAddress": _string("from where; at most 255 bytes"),
        "userAgent": _string("with what", maxLength=1024),
        "duration": {"type": "integer", "minimum": 0, "maximum": 2_147_483_647, "description": "milliseconds"},
        "aiModelUsed": _string("the AI model that took part", minLength=1, maxLength=256),
        "sensitive": {"type": "boolean", "default": False},
        "outcome": {"type": "string", "enum": ["success", "failure", "denied"], "default": "success"},
        "target": _TARGET,
        "traceId": _string("a trace to follow it by", minLength=1, maxLength=128),
        "sequence": {"type": "integer", "minimum": 0, "description": "the sender's own count in the session"},
    },
    ("sessionId", "timestamp", "action"),
    additionalProperties=False,
)
_PROBLEM = _object(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": _string("what is wrong, in a sentence"),
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    ("type", "title", "status", "detail"),
)
_RECEIPT = _object(
    {
        "id": {"type": ["string", "null"]},
        "entryId": _ID,
        "status": {"type": "string", "enum": ["accepted", "rejected"]},
        "path": _string("where a rejected record is wrong"),
        "reason": _string("what is wrong there"),
    },
    ("id", "status"),
)
_RECEIPTS = _object(
    {
        "requestId": _ID,
        "receipt": _string("where to ask what became of the request"),
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "receipts": {"type": "array", "items": _RECEIPT},
    },
    ("requestId", "receipt", "accepted", "rejected", "receipts"),
)
_STATES = ["pending", "recorded", "conflict", "quarantined", "unknown"]
_ENTRY_RECEIPT = _object(
    {"entryId": _ID, "state": {"type": "string", "enum": _STATES}, "seq": {"type": "integer"}}, ("entryId", "state")
)
_COUNT = {"type": "integer", "minimum": 0}
_REQUEST_RECEIPT = _object(
    {
        "requestId": _ID,
        "state": {"type": "string", "enum": ["pending", "done", "unknown"]},
        "recorded": _COUNT,
        "duplicates": _COUNT,
        "conflicts": _COUNT,
        "quarantined": _COUNT,
    },
    ("requestId", "state", "recorded", "duplicates", "conflicts", "quarantined"),
)
_PAGE = _object(
    {
        "results": {"type": "array", "items": {"type": "object"}},
        "next": {"type": ["string", "null"], "format": "uri"},
    },
    ("results", "next"),
)


def _answers(status: int, schema: Schema, description: str, *problems: int) -> dict[Any, Any]:
    answers: dict[Any, Any] = {status: OpenApiResponse(schema, description=description)}
    for problem in (*problems, 401, 403, 503):
        answers[problem, "application/problem+json"] = OpenApiResponse(_PROBLEM, description="a problem")
    return answers


def _query(name: str, description: str, type_: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=description, **more)


send_session_logs = extend_schema(
    operation_id="sendSessionLogs",
    tags=["session logs"],
    parameters=[
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="makes a retry of records without ids safe; 1 to 255 characters",
        )
    ],
    request={
        "application/json": {
            "oneOf": [_RECORD, {"type": "array", "items": _RECORD, "maxItems": MOST_RECORDS}],
        },
        "application/x-ndjson": {"type": "string"},
    },
    responses=_answers(202, _RECEIPTS, "durably stored", 400, 411, 413, 415, 422, 429),
)
read_session_logs = extend_schema(
    operation_id="readSessionLogs",
    tags=["session logs"],
    parameters=[
        _query("userId", "exact; needs the scope identities"),
        _query("sessionId", "exact; needs the scope identities"),
        _query("ipAddress", "exact; needs the scope identities"),
        _query("target", "type:id, exact; needs the scope identities"),
        _query("action", "exact"),
        _query("outcome", "how it ended", enum=["success", "failure", "denied"]),
        _query("service", "the sending service"),
        _query("sensitive", "marked sensitive or not", OpenApiTypes.BOOL),
        _query("from", "earliest timestamp", OpenApiTypes.DATETIME),
        _query("to", "timestamps before this", OpenApiTypes.DATETIME),
        _query("limit", f"rows of a page, at most {MOST_ROWS}", OpenApiTypes.INT),
        _query("cursor", "from the `next` of a page", OpenApiTypes.UUID),
    ],
    responses=_answers(200, _PAGE, "newest first", 400),
)
read_entry_receipt = extend_schema(
    operation_id="readEntryReceipt",
    tags=["receipts"],
    responses=_answers(200, _ENTRY_RECEIPT, "where the record stands", 404),
)
read_request_receipt = extend_schema(
    operation_id="readRequestReceipt",
    tags=["receipts"],
    responses=_answers(200, _REQUEST_RECEIPT, "where the request stands", 404),
)
