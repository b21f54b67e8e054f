"""The API's OpenAPI 3.1 description, operation by operation; the bodies' shapes are in `schema_components`."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from sessions_log.domain.session_record import MOST_RECORDS
from sessions_log.queries.session_logs import MOST_ROWS
from sessions_log.serializers.problems import MEDIA_TYPE
from sessions_log.serializers.schema_components import COMPONENTS, Schema, ref

# Stands for the present in examples: a fixed time would be refused once it is too far back.
EXAMPLE_TIME = "2026-11-23T15:09:31Z"
_EXAMPLE = {
    "id": "visit-4711",
    "sessionId": "s-81",
    "userId": "ana.moreno",
    "timestamp": EXAMPLE_TIME,
    "action": "record.view",
    "target": {"type": "permit", "id": "P-7"},
    "metadata": {"screen": "permit file"},
}
_ENTRY_ID = "01a20a5c-3c10-7a43-9d1e-2f6b8c0d4e5f"
_REQUEST_ID = "01a20a5c-3f02-7b11-8a90-6c5d4e3f2a1b"

# What each status means here, in the words of the answer.
_PROBLEMS = {
    400: "The body, a header or a parameter cannot be read.",
    401: "No key, or one that is unknown, expired, revoked or not allowed from this network.",
    403: "The key lacks the scope.",
    404: "There is nothing at this address; an id is not a UUID.",
    411: "NDJSON came without Content-Length and uncompressed: whether it is whole could not be told.",
    413: f"More than {MOST_RECORDS:,} records or than the key's limit, or more than 4 MiB after decompression. Nothing"
    " was stored.",
    415: "Content-Type or Content-Encoding is not one that is taken.",
    422: "No record was accepted; `errors` says why for each.",
    429: "The key's records of this minute are used up. Nothing was stored.",
    503: "The database cannot be asked now, or cannot store. Nothing was stored; send again later.",
}


class ServiceKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # drf-spectacular is untyped here
    """`Authorization: Bearer mun_…`."""

    target_class = "sessions_log.authentication.ServiceKeyAuthentication"
    name = "serviceKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        """The security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "mun_<prefix>_<secret>",
            "description": "A service key. Its scopes are named beside each operation.",
        }

    def get_security_requirement(self, auto_schema: Any) -> Schema:
        """The scheme with the scope that the view asks of the method."""
        scope = getattr(auto_schema.view, "scopes", {}).get(auto_schema.method)
        return {self.name: [scope] if scope else []}


def with_components(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular's last step: add the shapes, and say that bodies are required."""
    result["components"]["schemas"] = COMPONENTS
    for path in result["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return result


def _answers(good: Mapping[int, tuple[str, str]], problems: tuple[int, ...]) -> dict[Any, Any]:
    """good: status to component and words."""
    answers: dict[Any, Any] = {
        status: OpenApiResponse(ref(component), description=words) for status, (component, words) in good.items()
    }
    for status in problems:
        answers[status, MEDIA_TYPE] = OpenApiResponse(ref("Problem"), description=_PROBLEMS[status])
    return answers


def _header(name: str, description: str, statuses: list[int] | bool, type_: Any = OpenApiTypes.STR) -> OpenApiParameter:
    return OpenApiParameter(name, type_, OpenApiParameter.HEADER, description=description, response=statuses)


def _query(
    name: str, description: str, type_: Any = OpenApiTypes.STR, example: Any = None, **more: Any
) -> OpenApiParameter:
    examples = () if example is None else (OpenApiExample(name, value=example),)
    return OpenApiParameter(name, type_, OpenApiParameter.QUERY, description=description, examples=examples, **more)


def _in_path(name: str, description: str, example: str) -> OpenApiParameter:
    return OpenApiParameter(
        name, OpenApiTypes.UUID, OpenApiParameter.PATH, description=description,
        examples=[OpenApiExample(name, value=example)],
    )  # fmt: skip


REQUEST_ID_HEADER = _header("X-Request-Id", "The id under which the servers' logs speak of this request.", True)
_WAIT = "Seconds to wait before the next try."

send_session_logs = extend_schema(
    operation_id="sendSessionLogs",
    summary="Send session logs",
    description=f"Store 1 to {MOST_RECORDS:,} records. The answer comes after they are durable, and before they are"
    " entries: ask the receipts for that. A record that is wrong does not keep the others out. Bodies may be"
    " compressed: `Content-Encoding: gzip` or `zstd`.",
    tags=["session logs"],
    parameters=[
        OpenApiParameter(
            "Idempotency-Key",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="Makes a retry of records without ids safe: send the same body again. 1 to 255 characters.",
        ),
        OpenApiParameter(
            "Content-Encoding",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            enum=["gzip", "zstd", "identity"],
            description="How the body is compressed.",
        ),
        _header("Retry-After", _WAIT, [429, 503], OpenApiTypes.INT),
        REQUEST_ID_HEADER,
    ],
    request={
        "application/json": {
            "description": f"One record, or an array of up to {MOST_RECORDS:,}.",
            "oneOf": [
                ref("SessionRecord"),
                {"type": "array", "items": ref("SessionRecord"), "minItems": 1, "maxItems": MOST_RECORDS},
            ],
        },
        "application/x-ndjson": {
            "type": "string",
            "description": f"One record as JSON a line, up to {MOST_RECORDS:,} lines; fields as in JSON.",
        },
    },
    examples=[OpenApiExample("one record", value=_EXAMPLE, media_type="application/json", request_only=True)],
    responses=_answers({202: ("Receipts", "Stored durably.")}, (400, 401, 403, 411, 413, 415, 422, 429, 503)),
)
read_session_logs = extend_schema(
    operation_id="readSessionLogs",
    summary="Read session logs",
    description="Session logs of the key's organization, newest first, by exact values; all parameters must hold at"
    " once. Users, sessions, addresses, target ids and metadata are shown, and may be searched by, only with the scope"
    " `identities`.",
    tags=["session logs"],
    parameters=[
        _query("userId", "Exact. Needs the scope identities."),
        _query("sessionId", "Exact. Needs the scope identities."),
        _query("ipAddress", "Exact. Needs the scope identities."),
        _query("target", "type:id, exact. Needs the scope identities."),
        _query("action", "Exact.", example="record.view"),
        _query("outcome", "How it ended.", enum=["success", "failure", "denied"]),
        _query("service", "The name of the service that sent it."),
        _query("sensitive", "Marked sensitive, or not.", OpenApiTypes.BOOL),
        _query("from", "Earliest timestamp, with its zone; a plus sign is written %2B.", OpenApiTypes.DATETIME),
        _query("to", "Timestamps before this, with its zone.", OpenApiTypes.DATETIME),
        _query(
            "limit",
            "Rows of a page.",
            {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 50},
            example=2,
        ),
        _query("cursor", "Where the page begins; stands in `next`, never made by hand.", OpenApiTypes.UUID),
        _header("Retry-After", _WAIT, [503], OpenApiTypes.INT),
        REQUEST_ID_HEADER,
    ],
    responses=_answers({200: ("SessionLogPage", "A page.")}, (400, 401, 403, 503)),
)
read_entry_receipt = extend_schema(
    operation_id="readEntryReceipt",
    summary="Ask what became of a record",
    description="An id that this organization never had is `unknown`, not 404.",
    tags=["receipts"],
    parameters=[
        _in_path("entry_id", "`entryId` of the answer to sending.", _ENTRY_ID),
        _header("Retry-After", _WAIT, [503], OpenApiTypes.INT),
        REQUEST_ID_HEADER,
    ],
    responses=_answers({200: ("EntryReceipt", "Where the record stands.")}, (401, 403, 404, 503)),
)
read_request_receipt = extend_schema(
    operation_id="readRequestReceipt",
    summary="Ask what became of a request",
    description="Once the state is `done`, the four counts add up to the records that were accepted.",
    tags=["receipts"],
    parameters=[
        _in_path("request_id", "`requestId` of the answer to sending.", _REQUEST_ID),
        _header("Retry-After", _WAIT, [503], OpenApiTypes.INT),
        REQUEST_ID_HEADER,
    ],
    responses=_answers({200: ("RequestReceipt", "Where the request stands.")}, (401, 403, 404, 503)),
)
read_live = extend_schema(
    operation_id="readLive",
    summary="Ask whether the process answers",
    description="For whatever restarts processes. Asks nothing else.",
    tags=["health"],
    parameters=[REQUEST_ID_HEADER],
    responses=_answers({200: ("Live", "It does.")}, ()),
)
read_ready = extend_schema(
    operation_id="readReady",
    summary="Ask whether the process can do its work",
    description="For whatever routes requests. PostgreSQL, partitions, recorder, followers and keyring must be well;"
    " Valkey is told, but its loss does not stop the intake.",
    tags=["health"],
    parameters=[REQUEST_ID_HEADER],
    responses=_answers({200: ("Ready", "It can."), 503: ("Ready", "It cannot; the checks say why.")}, ()),
)
