"""The API as a server calls it: requests by hand, so that each byte and header can be wrong on purpose."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from config.wsgi import application
from tests.organizations import Tenant

SESSION_LOGS = "/api/v1/session-logs"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


def call(
    method: str,
    path: str,
    tenant: Tenant | None = None,
    *,
    body: bytes = b"",
    query: Mapping[str, str] | str = "",
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, Any] | None = None,
) -> Answer:
    """One request through the WSGI application.

    environ: over what a server would set; None leaves a variable out.
    """
    variables: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query if isinstance(query, str) else urlencode(query),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8000",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }
    sent = {**(tenant.headers if tenant else {}), **(headers or {})}
    variables |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()}
    variables |= environ or {}
    started: list[tuple[str, Sequence[tuple[str, str]]]] = []
    answer = application(
        {name: value for name, value in variables.items() if value is not None},
        lambda status, sent_headers, *_: started.append((status, sent_headers)),
    )
    try:
        content = b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]  # Django's response, as every server closes it
    status, answer_headers = started[0]
    return Answer(int(status.split()[0]), {name.lower(): value for name, value in answer_headers}, content)


def post(tenant: Tenant, records: object, **headers: str) -> Answer:
    """Send records as JSON; raw bytes go as they are."""
    body = records if isinstance(records, bytes) else json.dumps(records).encode()
    return call("POST", SESSION_LOGS, tenant, body=body, headers=headers)


def accepted(tenant: Tenant, records: object, **headers: str) -> Any:
    """Send records that must be taken. Returns the answer's body."""
    answer = post(tenant, records, **headers)
    assert answer.status == 202, answer.body
    return answer.json


def found(tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    """The first page of session logs, without what the portal itself recorded of making the tenant."""
    answer = call("GET", SESSION_LOGS, tenant, query=query)
    assert answer.status == 200, answer.body
    return [one for one in answer.json["results"] if one["service"] != "portal"]
