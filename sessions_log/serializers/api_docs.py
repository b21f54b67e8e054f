"""The API's description as a page shows it: plain values, every reference followed.

Reads the part of OpenAPI 3.1 that our own description uses.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from sessions_log.serializers.schema import EXAMPLE_TIME

Schema = dict[str, Any]

_PRESENT = "'\"$(date -u +%FT%TZ)\"'"  # leaves the quotes of the body for a moment
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body: `target.id`, `receipts[].status`. `values` are those allowed."""

    name: str
    type: str
    words: str
    is_required: bool
    place: str = ""
    limits: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """A body in one media type."""

    media_type: str
    words: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer with; `headers` are beyond the usual ones."""

    status: str
    title: str
    words: str
    shape: str
    headers: tuple[Field, ...]
    body: Body | None

    @property
    def is_good(self) -> bool:
        """Whether it is what the caller hoped for."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    scope: str
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    answers: tuple[Answer, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Group:
    """Operations of one subject."""

    title: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All of it. `problem` are the fields of every error."""

    title: str
    version: str
    words: str
    url: str
    groups: tuple[Group, ...]
    problem: tuple[Field, ...]


def page_of(description: Schema) -> Page:
    """The description as a page."""
    reader = _Reader(description)
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(reader.operation(path, method, operation))
    info = description["info"]
    return Page(
        title=info["title"],
        version=info["version"],
        words=info["description"],
        url=reader.url,
        groups=tuple(
            Group(tag, tuple(sorted(found, key=_order))) for tag, found in sorted(by_tag.items(), key=_subject)
        ),
        problem=tuple(reader.fields({"$ref": "#/components/schemas/Problem"})),
    )


_SUBJECTS = ("session logs", "receipts", "health")


def _subject(named: tuple[str, list[Operation]]) -> tuple[int, str]:
    """Subjects in the order in which a newcomer meets them, later ones after them by name."""
    return (_SUBJECTS.index(named[0]) if named[0] in _SUBJECTS else len(_SUBJECTS), named[0])


def _order(operation: Operation) -> tuple[str, bool]:
    """Sending before reading, at each path."""
    return operation.path, operation.method != "POST"


class _Reader:
    """Reads one description."""

    def __init__(self, description: Schema) -> None:
        self._description = description
        self.url: str = description["servers"][0]["url"]

    def operation(self, path: str, method: str, operation: Schema) -> Operation:
        """One operation."""
        scopes = [scope for need in operation.get("security", ()) for names in need.values() for scope in names]
        return Operation(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            summary=operation["summary"],
            words=operation["description"],
            scope=", ".join(scopes),
            parameters=tuple(self._parameter(one) for one in operation.get("parameters", ())),
            bodies=tuple(self._bodies(operation.get("requestBody", {}))),
            answers=tuple(self._answer(status, one) for status, one in sorted(operation["responses"].items())),
            command=self._command(path, method.upper(), operation),
        )

    def _parameter(self, parameter: Schema) -> Field:
        schema = parameter["schema"]
        return Field(
            name=parameter["name"],
            type=_type(schema),
            words=parameter.get("description", ""),
            is_required=parameter.get("required", False),
            place=parameter["in"],
            limits=_limits(schema),
            values=_values(schema),
        )

    def _bodies(self, carrier: Schema) -> Iterator[Body]:
        for media_type, content in carrier.get("content", {}).items():
            schema = content["schema"]
            yield Body(media_type, schema.get("description", ""), tuple(self.fields(schema)))

    def _answer(self, status: str, answer: Schema) -> Answer:
        body = next(self._bodies(answer), None)
        headers = answer.get("headers", {}).items()
        shape: Schema = next((content["schema"] for content in answer.get("content", {}).values()), {})
        return Answer(
            status=status,
            title=HTTPStatus(int(status)).phrase,
            words=answer["description"],
            shape=shape.get("$ref", "").rpartition("/")[2],
            headers=tuple(
                Field(name, _type(one["schema"]), one["description"], True, "header")
                for name, one in headers
                if name != "X-Request-Id"
            ),
            body=body,
        )

    def fields(self, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Field]:
        """The fields of a shape, those within it after it, to a depth at which nobody reads on."""
        whole = self._followed(schema)
        if whole.get("type") == "array":
            yield from self.fields(whole["items"], prefix + "[]", depth)
            return
        if depth == _DEEPEST:
            return
        for name, field in whole.get("properties", {}).items():
            inner = self._followed(field)
            path = f"{prefix}.{name}" if prefix else name
            yield Field(
                name=path,
                type=_type(inner | {"nullable": _is_nullable(field)}),
                words=field.get("description") or inner.get("description", ""),
                is_required=name in whole.get("required", ()),
                limits=_limits(inner),
                values=_values(inner),
            )
            yield from self.fields(inner, path, depth + 1)
        if isinstance(others := whole.get("additionalProperties"), dict):
            yield from self.fields(others, f"{prefix}.*" if prefix else "*", depth + 1)

    def _followed(self, schema: Schema) -> Schema:
        """What a reference means, and of several forms the first that is not null."""
        for form in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
            if "type" not in schema and form.get("type") != "null":
                return {**self._followed(form), **_own(schema)}
        if "$ref" not in schema:
            return schema
        name = schema["$ref"].rpartition("/")[2]
        named: Schema = self._description["components"]["schemas"][name]
        return named

    def _command(self, path: str, method: str, operation: Schema) -> str:
        """A command that works when pasted, once the shell knows the key and, where the path has one, the id."""
        query = {}
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", f"${parameter['name'].upper()}")
            elif "examples" in parameter:
                query[parameter["name"]] = _example(parameter)
        words = [f'curl "{self.url}{path}{"?" if query else ""}{urlencode(query)}"']
        if operation.get("security"):
            words.append('-H "Authorization: Bearer $MUNIMENT_KEY"')
        content = operation.get("requestBody", {}).get("content", {})
        media_type = next((name for name, body in content.items() if "examples" in body), None)
        if media_type is not None:
            words.append(f"-H {shlex.quote(f'Content-Type: {media_type}')}")
            body = json.dumps(_example(content[media_type]), indent=2).replace("\n", "\n  ")
            words.append(f"-d {shlex.quote(body).replace(EXAMPLE_TIME, _PRESENT)}")
        return " \\\n  ".join(words)


def _own(schema: Schema) -> Schema:
    return {name: schema[name] for name in ("description", "default") if name in schema}


def _example(carrier: Schema) -> Any:
    return next(iter(carrier["examples"].values()))["value"]


def _is_nullable(schema: Schema) -> bool:
    return "null" in schema.get("type", ()) or any(form.get("type") == "null" for form in schema.get("anyOf", ()))


_FORMATS = {"uuid": "UUID", "date-time": "time", "uri": "URL", "uri-reference": "path"}


def _type(schema: Schema) -> str:
    """The type in a word or two: `text`, `UUID or null`, `list of objects`."""
    types = schema.get("type", "string")
    name = types if isinstance(types, str) else next(one for one in types if one != "null")
    word = {"string": _FORMATS.get(schema.get("format", ""), "text"), "integer": "number", "boolean": "true or false",
            "array": "list"}.get(name, name)  # fmt: skip
    nullable = schema.get("nullable") or not isinstance(types, str)
    return f"{word} or null" if nullable else word


def _limits(schema: Schema) -> str:
    """Lengths, bounds and the default in words."""
    words = []
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if longest is not None:
        words.append(f"{shortest} to {longest:,} characters" if shortest else f"at most {longest:,} characters")
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if highest is not None:
        words.append(f"{lowest or 0:,} to {highest:,}")
    if "default" in schema:
        words.append(f"default {json.dumps(schema['default']).strip(chr(34))}")
    return ", ".join(words)


def _values(schema: Schema) -> tuple[str, ...]:
    named = [schema, *schema.get("anyOf", ())]
    return tuple(str(value) for form in named for value in form.get("enum", ()))
