"""The shapes of the API's bodies as JSON Schema 2020-12, the dialect of OpenAPI 3.1.

What a service may send is read off the types that decode it, so that description and decoder cannot differ; what
those types cannot say (words, sizes in bytes, the vocabulary) is added here.
"""

from copy import deepcopy
from typing import Any

import msgspec

from sessions_log.domain.actions import ACTIONS, LONGEST_ACTION
from sessions_log.domain.session_record import LARGEST_METADATA_BYTES, LONGEST_ADDRESS_BYTES, SessionRecord
from sessions_log.queries.session_logs import OUTCOME_NAMES

Schema = dict[str, Any]

_WORDS = {
    "id": "The sender's own id. A retry with the same id and timestamp is stored once.",
    "userId": "Who acted, by the name that the service has for them.",
    "sessionId": "The session in which it happened.",
    "timestamp": "When it happened, with its zone (RFC 3339). At most 5 minutes ahead, at most 7 days back unless the"
    " organization has set otherwise.",
    "action": "What was done: a word of the vocabulary, or custom.<name>.",
    "metadata": f"Anything else, as a JSON object of at most {LARGEST_METADATA_BYTES // 1024} KiB.",
    "ipAddress": f"From where, at most {LONGEST_ADDRESS_BYTES} bytes. What is no address is kept as it is.",
    "userAgent": "With what program.",
    "duration": "How long it took, in milliseconds.",
    "aiModelUsed": "The AI model that took part.",
    "sensitive": "Whether the service calls it sensitive.",
    "outcome": "How it ended.",
    "target": "What it was done to.",
    "traceId": "A trace to follow it by.",
    "sequence": "The sender's own count within the session: one more with each record, from any beginning.",
}
_TARGET_WORDS = {"type": "What kind of thing.", "id": "Which one."}


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(description: str, properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "properties": properties, "required": required}


def _string(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _count(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description}


def _uuid(description: str) -> Schema:
    return _string(description, format="uuid")


def _time(description: str) -> Schema:
    return _string(description, format="date-time")


def _described() -> type[msgspec.Struct]:
    """SessionRecord with its metadata as the object that it is to the sender, not the text that it stays to us."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(SessionRecord):
        if field.name == "metadata":
            fields.append((field.name, dict[str, Any] | None, None))
        else:
            fields.append((field.name, field.type) if field.required else (field.name, field.type, field.default))
    return msgspec.defstruct("SessionRecord", fields, rename="camel", forbid_unknown_fields=True)


def _sent() -> Schema:
    """SessionRecord and Target, from the types that decode them."""
    _, found = msgspec.json.schema_components((_described(),), ref_template="#/components/schemas/{name}")
    components = deepcopy(found)
    for name, words in (("SessionRecord", _WORDS), ("Target", _TARGET_WORDS)):
        for field, schema in components[name]["properties"].items():
            schema["description"] = words[field]
            if schema.get("default", ...) is None:
                del schema["default"]
    components["SessionRecord"]["description"] = (
        "One session log as a service sends it. A field that is not here is refused."
    )
    components["SessionRecord"]["properties"]["action"] |= {
        "maxLength": LONGEST_ACTION,
        "anyOf": [{"enum": sorted(ACTIONS)}, {"pattern": r"^custom(\.[a-z0-9_]+)+$"}],
    }
    return components


_OUTCOME = _string("How it ended.", enum=sorted(OUTCOME_NAMES.values()))
_FINDINGS = {
    "type": "object",
    "description": "How many sensitive values were replaced, by kind.",
    "additionalProperties": {"type": "integer", "minimum": 1},
}
_OF_IDENTITIES = "Only for keys with the scope identities; null where nothing was sent or the person was erased. "
_IDENTITIES = {
    "userId": _or_null(_string(_OF_IDENTITIES + _WORDS["userId"])),
    "sessionId": _or_null(_string(_OF_IDENTITIES + _WORDS["sessionId"])),
    "ipAddress": _or_null(_string(_OF_IDENTITIES + _WORDS["ipAddress"])),
    "userAgent": _or_null(_string(_OF_IDENTITIES + _WORDS["userAgent"])),
    "target": {
        "description": _OF_IDENTITIES + _WORDS["target"],
        "anyOf": [ref("Target"), {"type": "null"}],
    },
    "metadata": _or_null({"type": "object", "description": _OF_IDENTITIES + "As sent, sensitive values replaced."}),
    "traceId": _or_null(_string(_OF_IDENTITIES + _WORDS["traceId"])),
    "sequence": _or_null({"type": "integer", "description": _OF_IDENTITIES + _WORDS["sequence"]}),
}
_SESSION_LOG = _object(
    "One session log as it is kept.",
    {
        "entryId": _uuid("The entry's id, as in the receipt."),
        "id": _string("The sender's own id for keys with the scope identities, else the entry's id."),
        "seq": _count("The entry's place in the organization's ledger, from 0."),
        "timestamp": _time("When it happened."),
        "recordedAt": _time("When the entry was made."),
        "service": _string("Which service sent it; `portal` is Muniment itself."),
        "action": _string("What was done."),
        "outcome": _OUTCOME,
        "duration": _or_null({"type": "integer", "description": _WORDS["duration"]}),
        "aiModelUsed": _or_null(_string(_WORDS["aiModelUsed"])),
        "sensitive": {"type": "boolean", "description": _WORDS["sensitive"]},
        "targetType": _or_null(_string(_TARGET_WORDS["type"])),
        "subject": _uuid("The person, under a random id."),
        "session": _uuid("The session, under a random id."),
        "findings": _FINDINGS,
        **_IDENTITIES,
    },
    optional=tuple(_IDENTITIES),
)
_RECEIPT = _object(
    "What became of one record of a request.",
    {
        "id": _or_null(_string("The sender's own id, null where it gave none.")),
        "status": _string("Whether it was taken.", enum=["accepted", "rejected"]),
        "entryId": _uuid("Of an accepted record: the id of the entry that it becomes."),
        "path": _string("Of a rejected record: where it is wrong, such as $.timestamp."),
        "reason": _string("Of a rejected record: what is wrong there."),
    },
    optional=("entryId", "path", "reason"),
)
_FAULT = _object(
    "Where and why something is wrong.",
    {
        "path": _string("The field of the record ($.timestamp) or the parameter (limit)."),
        "reason": _string("What is wrong there, without quoting it."),
        "position": _count("Which record of the request, from 0; only where records are wrong."),
    },
    optional=("position",),
)
_CHECK = _object(
    "One thing that was looked at.",
    {
        "well": {"type": "boolean", "description": "Whether it is as it should be."},
        "words": _string("Its state."),
    },
)

COMPONENTS: Schema = {
    **_sent(),
    "Receipts": _object(
        "A receipt for each record, in the order of the records.",
        {
            "requestId": _uuid("The request's id."),
            "receipt": _string("The path that tells what became of the request.", format="uri-reference"),
            "accepted": _count("How many records were taken. They are stored durably."),
            "rejected": _count("How many were not."),
            "receipts": {"type": "array", "items": ref("Receipt"), "description": "One for each record."},
        },
    ),
    "Receipt": _RECEIPT,
    "EntryReceipt": _object(
        "Where one record stands.",
        {
            "entryId": _uuid("The entry's id."),
            "state": _string(
                "pending: stored, not yet recorded. recorded: an entry of the ledger. conflict: recorded, and another"
                " record, which was not stored, came under its id and timestamp. quarantined: could not be recorded,"
                " kept for an officer. unknown: nothing of this id is kept.",
                enum=["pending", "recorded", "conflict", "quarantined", "unknown"],
            ),
            "seq": _count("Its place in the ledger, once it is recorded."),
        },
        optional=("seq",),
    ),
    "RequestReceipt": _object(
        "Where one request stands. Kept for 30 days after its day.",
        {
            "requestId": _uuid("The request's id."),
            "state": _string(
                "pending: stored, not yet recorded. done: the counts hold. unknown: no longer kept, or never there.",
                enum=["pending", "done", "unknown"],
            ),
            "recorded": _count("Records that became entries."),
            "duplicates": _count("Records that were entries already, with the same content."),
            "conflicts": _count("Records whose id and timestamp belong to an entry with other content; not stored."),
            "quarantined": _count("Records that could not be recorded and are kept aside."),
        },
    ),
    "SessionLogPage": _object(
        "A page of session logs, newest first.",
        {
            "results": {"type": "array", "items": ref("SessionLog"), "description": "The page."},
            "next": _or_null(_string("The URL of the next, older page; null on the last one.", format="uri")),
        },
    ),
    "SessionLog": _SESSION_LOG,
    "Problem": _object(
        "An error (RFC 9457).",
        {
            "type": _string("Always about:blank."),
            "title": _string("The status in words."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": _string("What is wrong, in a sentence."),
            "errors": {
                "type": "array",
                "items": ref("Fault"),
                "description": "The faulty fields, where it is about fields.",
            },
        },
        optional=("errors",),
    ),
    "Fault": _FAULT,
    "Live": _object("The process answers.", {"status": _string("Always live.", const="live")}),
    "Ready": _object(
        "What was looked at, by name.",
        {
            "status": _string("The sum of it.", enum=["ready", "not ready"]),
            "checks": {
                "type": "object",
                "additionalProperties": ref("Check"),
                "description": "Each check by its name.",
            },
        },
    ),
    "Check": _CHECK,
}
