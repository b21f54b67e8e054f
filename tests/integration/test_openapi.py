"""The API's description says what the API does: the same addresses, statuses and fields, no more and no fewer."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its types are a package of their own

from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.ports import HeadRefused, KeyDestroyed
from sessions_log.urls import urlpatterns
from tests.integration.api import SESSION_LOGS, Answer, accepted, call, post
from tests.organizations import Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")
EVERY_FIELD = {
    "metadata": {"order": 7, "note": "write to guest@example.com"}, "ipAddress": "192.0.2.7", "userAgent": "Safari",
    "duration": 12, "outcome": "denied", "target": {"type": "order", "id": "7"}, "sensitive": True,
    "aiModelUsed": "gpt-x", "traceId": "t1", "sequence": 3,
}  # fmt: skip
WRONG = {"id": "w", "sessionId": "s", "timestamp": "yesterday", "action": "record.view"}

Conversation = list[tuple[str, str, Answer]]


@pytest.fixture
def description(db: None) -> Any:
    answer = call("GET", "/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json


@pytest.fixture
def conversation(record_all: Callable[[], None], checkpointer: Checkpointer) -> Conversation:
    """Every operation, with good requests and with each kind of bad one: (method, described path, answer)."""
    tenant, reader, sender = make_tenant(), make_tenant(scopes=("read",)), make_tenant(scopes=("ingest",))
    taken = accepted(tenant, [session_record(**EVERY_FIELD), session_record(), WRONG])
    said: Conversation = [("POST", SESSION_LOGS, post(tenant, [session_record(), WRONG]))]
    record_all()
    said += _sent_wrongly(tenant, reader)
    for query in ("", "limit=1", "limit=0", "unknown=1"):
        said.append(("GET", SESSION_LOGS, call("GET", SESSION_LOGS, tenant, query=query)))
    said.append(("GET", SESSION_LOGS, call("GET", SESSION_LOGS, reader)))
    said.append(("GET", SESSION_LOGS, call("GET", SESSION_LOGS, sender)))
    said.append(("GET", SESSION_LOGS, call("GET", SESSION_LOGS)))
    for path, own_id in (
        ("/api/v1/receipts/{entry_id}", taken["receipts"][0]["entryId"]),
        ("/api/v1/receipts/requests/{request_id}", taken["requestId"]),
    ):
        said += [("GET", path, one) for one in _asked(path, own_id, tenant, reader)]
    with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
        checkpointer.publish(datetime.now(UTC))
    said += _ledger_asked(tenant, reader, taken["receipts"][0]["entryId"])
    said.append(("GET", "/healthz/live", call("GET", "/healthz/live")))
    said.append(("GET", "/healthz/ready", call("GET", "/healthz/ready")))
    return said


def _sent_wrongly(tenant: Tenant, reader: Tenant) -> Iterator[tuple[str, str, Answer]]:
    records, limited = [session_record()], make_tenant(records_per_minute=1)
    answers = [
        post(tenant, b"[{"),
        post(tenant, WRONG),
        post(tenant, records * 1001),
        post(reader, records),
        *[post(limited, records) for _ in range(2)][1:],
        call(
            "POST",
            SESSION_LOGS,
            tenant,
            body=b"[]",
            environ={"CONTENT_LENGTH": None, "CONTENT_TYPE": "application/x-ndjson"},
        ),
        call("POST", SESSION_LOGS, body=json.dumps(records).encode()),
        call("POST", SESSION_LOGS, tenant, body=b"x", environ={"CONTENT_TYPE": "text/plain"}),
    ]
    yield from (("POST", SESSION_LOGS, answer) for answer in answers)


def _asked(path: str, own_id: str, tenant: Tenant, reader: Tenant) -> Iterator[Answer]:
    stem = path.partition("{")[0]
    for address, key in (
        (f"{stem}{own_id}", tenant), (f"{stem}{uuid4()}", tenant), (f"{stem}{own_id}", reader),
        (f"{stem}{own_id}", None), (f"{stem}no-uuid", tenant),
    ):  # fmt: skip
        yield call("GET", address, key)


def _ledger_asked(tenant: Tenant, reader: Tenant, entry_id: str) -> Iterator[tuple[str, str, Answer]]:
    for below, own in {
        "checkpoint": "checkpoint", "tile/{place}": "tile/0/000.p/1", "proof/{entry_id}": f"proof/{entry_id}",
        "consistency": "consistency", "keys": "keys",
    }.items():  # fmt: skip
        described = f"/api/v1/ledgers/{{organization}}/{below}"
        for key, slug in ((tenant, tenant), (tenant, reader), (reader, reader), (None, tenant)):
            address = f"/api/v1/ledgers/{slug.organization.slug}/{own}"
            yield "GET", described, call("GET", address, key, query="old=0" if own == "consistency" else "")
    yield "GET", described.replace("keys", "consistency"), call("GET", address.replace("keys", "consistency"), tenant)


def _content(answer: Answer) -> Any:
    return answer.json if "json" in answer.headers["content-type"] else answer.body.decode("latin-1")


def test_description_is_valid_openapi_and_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


def test_description_is_openapi_31_with_shapes_in_its_dialect(description: Any) -> None:
    assert description["openapi"].startswith("3.1.")
    for schema in description["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_address_of_the_api_is_described_and_no_other(description: Any) -> None:
    routes = {re.sub("<[a-z]+:([a-z_]+)>", r"{\1}", f"/{pattern.pattern}") for pattern in urlpatterns}
    assert set(description["paths"]) == routes


def test_every_described_status_is_answered_and_no_other(description: Any, conversation: Conversation) -> None:
    answered: dict[tuple[str, str], set[str]] = {}
    for method, path, answer in conversation:
        answered.setdefault((method, path), set()).add(str(answer.status))

    described = {
        (method.upper(), path): set(operation["responses"]) - {"503"}  # shown with the servers away, in tests/e2e
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }
    assert answered == described


def test_every_answer_has_the_described_form(description: Any, conversation: Conversation) -> None:
    closed = _without_other_fields(description)
    for method, path, answer in conversation:
        described = closed["paths"][path][method.lower()]["responses"][str(answer.status)]
        media_type = answer.headers["content-type"]
        assert list(described["content"]) == [media_type]
        schema = {**described["content"][media_type]["schema"], "components": closed["components"]}
        Draft202012Validator(schema).validate(_content(answer))
        assert set(described["headers"]) >= {"X-Request-Id"}
        assert all(name.lower() in answer.headers for name in described["headers"])


def test_every_described_field_is_sent(description: Any, conversation: Conversation) -> None:
    shapes = description["components"]["schemas"]
    sent: set[tuple[str, str]] = set()
    for method, path, answer in conversation:
        described = description["paths"][path][method.lower()]["responses"][str(answer.status)]
        schema = next(iter(described["content"].values()))["schema"]
        sent |= set(_fields(schema, _content(answer), shapes))

    only_asked_for = {"SessionRecord"}
    assert sent == {
        (shape, field)
        for shape, schema in shapes.items()
        if shape not in only_asked_for
        for field in schema["properties"]
    }


def test_every_described_field_of_a_record_is_taken(description: Any) -> None:
    record = session_record(**EVERY_FIELD)
    assert set(record) == set(description["components"]["schemas"]["SessionRecord"]["properties"])
    Draft202012Validator(
        {"$ref": "#/components/schemas/SessionRecord", "components": description["components"]}
    ).validate(record)

    assert accepted(make_tenant(), record)["accepted"] == 1


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/nowhere", "/healthz/nowhere"])
def test_wrong_address_is_a_problem_and_no_page(path: str) -> None:
    answer = call("GET", path)

    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_wrong_host_is_a_problem_and_no_page() -> None:
    answer = call("GET", "/api/openapi.json", environ={"HTTP_HOST": "elsewhere.example"})

    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


def _without_other_fields(description: Any) -> Any:
    """The description, with every shape closed against fields that it does not name."""
    closed = deepcopy(description)
    for schema in closed["components"]["schemas"].values():
        schema.setdefault("additionalProperties", False)
    return closed


def _fields(schema: Any, value: Any, shapes: Any) -> Iterator[tuple[str, str]]:
    """(shape, field) of every field that a value has, those within it included."""
    for form in schema.get("anyOf", ()):
        yield from _fields(form, value, shapes)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from _fields(schema["items"], item, shapes)
    if not isinstance(value, dict):
        return
    name = schema.get("$ref", "").rpartition("/")[2]
    shape = shapes[name] if name else schema
    for field, inner in value.items():
        described = shape.get("properties", {}).get(field, shape.get("additionalProperties"))
        if name:
            yield name, field
        if isinstance(described, dict):
            yield from _fields(described, inner, shapes)
