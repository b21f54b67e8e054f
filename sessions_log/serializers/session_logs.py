"""Session logs between JSON and the queries and commands."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from sessions_log.domain import actions, leap_second
from sessions_log.domain.sender import Sender
from sessions_log.domain.service_key import KnownKey
from sessions_log.queries.session_logs import MOST_ROWS, OUTCOME_NAMES, Search, SessionLogPage, SessionLogRow
from sessions_log.serializers.problems import Problem

_PARAMETERS = frozenset(
    "userId sessionId ipAddress target action outcome service sensitive from to limit cursor".split()
)
_OF_IDENTITIES = ("userId", "sessionId", "ipAddress", "target")
_OUTCOMES = {name: number for number, name in OUTCOME_NAMES.items()}
_LONGEST_VALUE = 1200


def sender_of(key: KnownKey) -> Sender:
    """On whose behalf a key's records come."""
    return Sender(
        organization_id=key.organization_id,
        organization_uid=key.organization_uid,
        service_id=key.service_id,
        shard=key.shard,
        back=timedelta(days=key.accepts_back_days),
    )


def parse_search(query: QueryDict, key: KnownKey) -> Search:
    """The search that a query string asks for. Raises Problem (400), PermissionDenied for identities without scope."""
    for name, values in query.lists():
        value = values[0]
        if name not in _PARAMETERS:
            raise _wrong(name, f"is not a parameter; there are {', '.join(sorted(_PARAMETERS))}")
        if len(values) > 1:
            raise _wrong(name, "is given more than once")
        if not value or len(value) > _LONGEST_VALUE or "\x00" in value:
            raise _wrong(name, f"must have 1 to {_LONGEST_VALUE} characters, U+0000 not among them")
    if "identities" not in key.scopes and any(name in query for name in _OF_IDENTITIES):
        raise PermissionDenied("Searching by user, session, address or target needs the scope identities.")
    start, end = _moment(query, "from"), _moment(query, "to")
    if start and end and start > end:
        raise _wrong("from", "must not be later than to")
    return Search(
        organization_id=key.organization_id,
        user=query.get("userId"),
        session=query.get("sessionId"),
        address=query.get("ipAddress"),
        target=_target(query),
        action=_action(query),
        outcome=_one_of(query, "outcome", _OUTCOMES),
        service=query.get("service"),
        sensitive=_one_of(query, "sensitive", {"true": True, "false": False}),
        start=start,
        end=end,
        before=_cursor(query),
        limit=_limit(query),
    )


def page_body(page: SessionLogPage, request: Request, *, with_identities: bool) -> dict[str, Any]:
    """`results` and `next`, the URL of the older page."""
    following = None
    if page.has_older and page.rows:
        query = {**request.query_params.dict(), "cursor": str(page.rows[-1].id)}
        following = f"{request.build_absolute_uri(request.path)}?{urlencode(query)}"
    return {"results": [_result(row, with_identities) for row in page.rows], "next": following}


def _result(row: SessionLogRow, with_identities: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "entryId": row.id,
        "id": row.id,
        "seq": row.seq,
        "timestamp": row.timestamp,
        "recordedAt": row.recorded_at,
        "service": row.service,
        "action": row.action,
        "outcome": row.outcome_name,
        "duration": row.duration,
        "aiModelUsed": row.ai_model,
        "sensitive": row.sensitive,
        "targetType": row.target_type,
        "subject": row.subject_id,
        "session": row.session_id,
        "findings": row.findings or {},
    }
    return result | _identities(row) if with_identities else result


def _identities(row: SessionLogRow) -> dict[str, Any]:
    part = row.identity
    if part is None:  # erased
        return {"userId": None, "sessionId": None, "ipAddress": None, "userAgent": None, "target": None,
                "metadata": None, "traceId": None, "sequence": None}  # fmt: skip
    target_type = row.target_type or part.target_type
    return {
        "id": part.id or row.id,
        "userId": part.user,
        "sessionId": part.session,
        "ipAddress": part.address,
        "userAgent": part.agent,
        "target": {"type": target_type, "id": part.target} if part.target is not None else None,
        "aiModelUsed": row.ai_model or part.ai_model,
        "metadata": part.metadata,
        "traceId": part.trace_id,
        "sequence": part.sequence,
    }


def _target(query: Mapping[str, str]) -> tuple[str, str] | None:
    if "target" not in query:
        return None
    kind, colon, own_id = query["target"].partition(":")
    if not colon or not kind or not own_id:
        raise _wrong("target", "is written type:id")
    return kind, own_id


def _action(query: Mapping[str, str]) -> str | None:
    name = query.get("action")
    if name is not None and not actions.is_action(name):
        raise _wrong("action", f"must be one of {actions.ALLOWED}")
    return name


def _one_of(query: Mapping[str, str], name: str, allowed: Mapping[str, Any]) -> Any:
    if name not in query:
        return None
    if query[name] not in allowed:
        raise _wrong(name, f"must be one of {', '.join(allowed)}")
    return allowed[query[name]]


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        moment = parse_datetime(leap_second.folded(query[name]) or query[name])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year <= 9998:
        raise _wrong(name, "must be a time with its zone (RFC 3339), such as 2026-11-23T15:00:00Z")
    return moment


def _cursor(query: Mapping[str, str]) -> UUID | None:
    if "cursor" not in query:
        return None
    try:
        return UUID(query["cursor"])
    except ValueError:
        raise _wrong("cursor", "is taken from the `next` of a page") from None


def _limit(query: Mapping[str, str]) -> int:
    value = query.get("limit", "50")
    if not (value.isascii() and value.isdigit() and len(value) < 5 and 1 <= int(value) <= MOST_ROWS):
        raise _wrong("limit", f"must be a whole number from 1 to {MOST_ROWS}")
    return int(value)


def _wrong(name: str, reason: str) -> Problem:
    return Problem(400, f"{name} {reason}.", errors=[{"path": name, "reason": reason}])
