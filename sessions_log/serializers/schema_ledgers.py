"""The OpenAPI description of the ledgers' operations."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from sessions_log.serializers.problems import MEDIA_TYPE
from sessions_log.serializers.schema import REQUEST_ID_HEADER
from sessions_log.serializers.schema_components import ref

F = TypeVar("F", bound=Callable[..., Any])
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_PROBLEMS = {
    401: "No key, or one that is unknown, expired, revoked or not allowed from this network.",
    403: "The key lacks the scope.",
    404: "There is no such ledger, or nothing of it at this address yet.",
    503: "The database or the keyring cannot be asked now.",
}
_ORGANIZATION = OpenApiParameter(
    "organization", OpenApiTypes.STR, OpenApiParameter.PATH, description="The organization's slug."
)

_WITNESSED = OpenApiParameter(
    "Muniment-Witnessed",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    enum=["yes", "no"],
    description="Whether the quorum of the operator's witness policy has cosigned this checkpoint.",
)


def _operation(
    name: str, summary: str, description: str, media_type: str, *parameters: OpenApiParameter, **more: str
) -> Callable[[F], F]:
    answers: dict[Any, Any] = {(200, media_type): OpenApiResponse(OpenApiTypes.STR, description=summary)}
    problems = _PROBLEMS | ({400: more["bad"]} if "bad" in more else {})
    for status, words in sorted(problems.items()):
        answers[status, MEDIA_TYPE] = OpenApiResponse(ref("Problem"), description=words)
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=["ledgers"],
        parameters=[_ORGANIZATION, *parameters, REQUEST_ID_HEADER],
        responses=answers,
    )


read_checkpoint = _operation(
    "readCheckpoint",
    "The latest checkpoint",
    "The ledger's size and root as a signed note (C2SP tlog-checkpoint). A new one comes within 10 s of growth. Under"
    " the ledger's signatures stand the witnesses' cosignatures that there are by now (C2SP tlog-cosignature).",
    _TEXT,
    _WITNESSED,
)
read_tile = _operation(
    "readTile",
    "A hash tile or an entry bundle",
    "C2SP tlog-tiles: `<level>/<number>` or `entries/<number>`, partial ones with `.p/<width>`. Never changes.",
    _BYTES,
    OpenApiParameter(
        "place", OpenApiTypes.STR, OpenApiParameter.PATH, description="As `0/x001/067` or `entries/000.p/5`."
    ),
)
read_proof = _operation(
    "readProof",
    "The proof of an entry",
    "C2SP tlog-proof: index, audit path and the checkpoint it leads to: the newest witnessed one that covers the entry,"
    " else the latest.",
    _TEXT,
    _WITNESSED,
    OpenApiParameter("entry_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="From a receipt."),
)
read_consistency = _operation(
    "readConsistency",
    "The proof that the ledger only grew",
    "From the tree of `old` entries to the latest checkpoint's, in the form of C2SP tlog-witness's add-checkpoint.",
    _TEXT,
    OpenApiParameter(
        "old", OpenApiTypes.INT, OpenApiParameter.QUERY, required=True, description="The size of a checkpoint kept."
    ),
    bad="`old` is missing, no number, or above the latest checkpoint's size.",
)
read_keys = _operation(
    "readLedgerKeys",
    "The keys that sign and signed",
    "Verifier keys as C2SP signed-note writes them, one a line: those that sign now, then those that are retired. Keep"
    " them elsewhere: they are what you trust.",
    _TEXT,
)
