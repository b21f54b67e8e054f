"""Session logs as officers and services read them: pages by keyset, details, and a session's course.

Every answer costs about the same at a thousand and at a hundred million entries: no count, no offset, and every
filter ends at an index. A search by who or what reads the index on (reference, hour); filters on plain values go
through the combinations that occur (`Facet`), each of which reads its own stretch of one index; only the rows of
the page are fetched whole.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_log.domain import entry_id
from sessions_log.domain.entries import IdentityPart
from sessions_log.models import Facet, Service

MOST_ROWS = 500
OUTCOME_NAMES = {1: "success", 2: "failure", 3: "denied"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for; None is anything. `before` and `after` are ids of the pages' edges.

    start is included, end is not. `target` is (type, id). Who and what are looked for by value, or where a value was
    found before, by the id of its reference: (`subject`, its id).
    """

    organization_id: int
    user: str | None = None
    session: str | None = None
    address: str | None = None
    target: tuple[str, str] | None = None
    action: str | None = None
    outcome: int | None = None
    service: str | None = None
    sensitive: bool | None = None
    start: datetime | None = None
    end: datetime | None = None
    before: UUID | None = None
    after: UUID | None = None
    limit: int = 50
    reference: tuple[str, UUID] | None = None


@dataclass(frozen=True, slots=True)
class SessionLogRow:
    """An entry's plain columns, and its opened identity part (None where it may not or cannot be opened)."""

    id: UUID
    organization_id: int
    seq: int
    timestamp: datetime
    recorded_at: datetime
    service: str
    action: str
    outcome: int
    duration: int | None
    sensitive: bool
    subject_id: UUID
    session_id: UUID
    target_id: UUID | None
    address_id: UUID | None
    target_type: str | None
    ai_model: str | None
    findings: dict[str, int] | None
    identity: IdentityPart | None

    @property
    def outcome_name(self) -> str:
        """success, failure or denied."""
        return OUTCOME_NAMES[self.outcome]


@dataclass(frozen=True, slots=True)
class SessionLogPage:
    """Rows, newest first, and whether there are more on either side."""

    rows: list[SessionLogRow]
    has_older: bool
    has_newer: bool


@dataclass(frozen=True, slots=True)
class Sealed:
    """A row's sealed identity part, with what is needed to open it."""

    entry_id: UUID
    subject_id: UUID
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Opener:
    """How sealed values are found and opened; made by wiring, given only to those who may.

    lookups: table and exact value to its keyed hashes, one for each epoch in use.
    open: opened parts in the order given, None where closed.
    """

    lookups: Callable[[str, str], list[bytes]]
    open: Callable[[Sequence[Sealed]], list[IdentityPart | None]]


def closed(rows: Sequence[Sealed]) -> list[IdentityPart | None]:
    """The `open` of those who may not see who and what."""
    return [None] * len(rows)


_COLUMNS = (
    "e.id, e.organization_id, e.seq, e.timestamp, e.recorded_at, e.service_id, e.action, e.outcome, e.duration,"
    " e.sensitive, e.subject_id, e.session_id, e.target_id, e.address_id, e.target_type, e.ai_model, e.findings::text,"
    " e.identity"
)


def session_log_page(search: Search, opener: Opener) -> SessionLogPage:
    """The page of at most `limit` rows (up to MOST_ROWS) that comes before `before` or after `after`."""
    limit = max(1, min(search.limit, MOST_ROWS))
    ids = _page_ids(search, opener, limit + 1)
    forwards = search.after is not None
    has_more = len(ids) > limit
    ids = ids[:limit]
    rows = _rows(search.organization_id, ids, opener)
    if forwards:
        return SessionLogPage(rows, has_older=True, has_newer=has_more)
    return SessionLogPage(rows, has_older=has_more, has_newer=search.before is not None)


def session_log(organization_id: int, log_id: UUID, opener: Opener) -> SessionLogRow | None:
    """One entry, or None."""
    rows = _rows(organization_id, [log_id], opener)
    return rows[0] if rows else None


def course_of_session(row: SessionLogRow, opener: Opener, around: int = 8) -> list[SessionLogRow]:
    """The entries of the row's session: up to `around` before it, itself, and up to `around` after it, oldest first."""
    session = ("session", row.session_id)
    before = Search(organization_id=row.organization_id, reference=session, before=row.id)
    after = Search(organization_id=row.organization_id, reference=session, after=row.id)
    ids = [*_page_ids(before, opener, around), *_page_ids(after, opener, around)]
    return sorted(
        [*_rows(row.organization_id, ids, opener), row],
        key=lambda one: (one.timestamp, one.seq),
    )


def facets(organization_id: int) -> list[Facet]:
    """The combinations of service, action, outcome and sensitivity that occur."""
    return list(Facet.objects.filter(organization_id=organization_id))


def service_names(organization_id: int) -> dict[int, str]:
    """Names by id."""
    return dict(Service.objects.filter(organization_id=organization_id).values_list("id", "name"))


class _Conditions:
    """SQL conditions with their values, joined by AND."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        self._parts.append(condition)
        self.values += values

    def __str__(self) -> str:
        return " AND ".join(self._parts)


def _page_ids(search: Search, opener: Opener, limit: int) -> list[UUID]:
    """Ids of the page, newest first when it goes back, oldest first when it goes forward, at most `limit`."""
    references = _references(search, opener)
    if references is None:
        return []
    direction = "ASC" if search.after is not None else "DESC"
    if references:
        return _ids_of_references(search, references, direction, limit)
    if any(value is not None for value in (search.action, search.outcome, search.service, search.sensitive)):
        return _ids_of_facets(search, direction, limit)
    conditions = _Conditions()
    conditions.add("organization_id = %s", search.organization_id)
    _add_bounds(conditions, search)
    # Only names written in this file are put into the text; values go beside it.
    return _ids(
        f"SELECT id FROM sessions_log_sessionlog WHERE {conditions} ORDER BY id {direction} LIMIT %s",  # nosec B608
        [*conditions.values, limit],
    )


def _references(search: Search, opener: Opener) -> dict[str, UUID] | None:
    """The reference columns searched by and their ids; None when a value was never seen."""
    wanted = {
        "subject": search.user,
        "session": search.session,
        "address": search.address,
        "target": "\x00".join(search.target) if search.target else None,
    }
    found: dict[str, UUID] = {f"{search.reference[0]}_id": search.reference[1]} if search.reference else {}
    for table, value in wanted.items():
        if value is None:
            continue
        with connection.cursor() as cursor:
            # Only names written in this file are put into the text; values go beside it.
            cursor.execute(
                f"SELECT id FROM sessions_log_{table} WHERE organization_id = %s AND lookup = ANY(%s)",  # nosec B608
                [search.organization_id, opener.lookups(table, value)],
            )
            row = cursor.fetchone()
        if row is None:
            return None
        found[f"{table}_id"] = row[0]
    return found


def _ids_of_references(search: Search, references: dict[str, UUID], direction: str, limit: int) -> list[UUID]:
    conditions = _Conditions()
    conditions.add("organization_id = %s", search.organization_id)
    for column, value in references.items():
        conditions.add(f"{column} = %s", value)
    _add_bounds(conditions, search)
    _add_hours(conditions, search)
    if search.action is not None:
        conditions.add("action = %s", search.action)
    if search.outcome is not None:
        conditions.add("outcome = %s", search.outcome)
    if search.sensitive is not None:
        conditions.add("sensitive = %s", search.sensitive)
    if search.service is not None:
        conditions.add(
            "service_id IN (SELECT id FROM sessions_log_service WHERE organization_id = %s AND name = %s)",
            search.organization_id,
            search.service,
        )
    # Only names written in this file are put into the text; values go beside it.
    return _ids(
        f"SELECT id FROM sessions_log_sessionlog WHERE {conditions} ORDER BY hour {direction}, id {direction} LIMIT %s",  # nosec B608
        [*conditions.values, limit],
    )


def _ids_of_facets(search: Search, direction: str, limit: int) -> list[UUID]:
    facet = _Conditions()
    facet.add("f.organization_id = %s", search.organization_id)
    for column, value in (
        ("action", search.action),
        ("outcome", search.outcome),
        ("sensitive", search.sensitive),
    ):
        if value is not None:
            facet.add(f"f.{column} = %s", value)
    if search.service is not None:
        facet.add("s.name = %s", search.service)
    conditions = _Conditions()
    _add_bounds(conditions, search, "e.")
    _add_hours(conditions, search, "e.")
    bounds = f" AND {conditions}" if conditions.values else ""
    # Only names written in this file are put into the text; values go beside it.
    return _ids(
        f"""
        SELECT page.id FROM sessions_log_facet f JOIN sessions_log_service s ON s.id = f.service_id
        CROSS JOIN LATERAL (
            SELECT e.id FROM sessions_log_sessionlog e
            WHERE e.organization_id = f.organization_id AND e.service_id = f.service_id AND e.action = f.action
              AND e.outcome = f.outcome AND e.sensitive = f.sensitive{bounds}
            ORDER BY e.hour {direction}, e.id {direction} LIMIT %s
        ) page
        WHERE {facet} ORDER BY page.id {direction} LIMIT %s
        """,  # nosec B608
        [*conditions.values, limit, *facet.values, limit],
    )


def _add_bounds(conditions: _Conditions, search: Search, prefix: str = "") -> None:
    """Bounds on the id, by which months are passed over."""
    if search.start is not None:
        conditions.add(f"{prefix}id >= %s", entry_id.lowest(search.start))
    if search.end is not None:
        conditions.add(f"{prefix}id < %s", entry_id.lowest(search.end))
    if search.before is not None:
        conditions.add(f"{prefix}id < %s", search.before)
    if search.after is not None:
        conditions.add(f"{prefix}id > %s", search.after)


def _add_hours(conditions: _Conditions, search: Search, prefix: str = "") -> None:
    """The same bounds in hours, by which the index is entered."""
    if search.before is not None:
        conditions.add(f"{prefix}hour <= %s", entry_id.hour_in(search.before))
    if search.end is not None:
        conditions.add(f"{prefix}hour <= %s", entry_id.hour_of(search.end))
    if search.after is not None:
        conditions.add(f"{prefix}hour >= %s", entry_id.hour_in(search.after))
    if search.start is not None:
        conditions.add(f"{prefix}hour >= %s", entry_id.hour_of(search.start))


def _ids(statement: str, values: list[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def _rows(organization_id: int, ids: Sequence[UUID], opener: Opener) -> list[SessionLogRow]:
    """The entries of these ids with what may be opened, newest first."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        # Only names written in this file are put into the text; values go beside it.
        cursor.execute(
            f"SELECT {_COLUMNS} FROM sessions_log_sessionlog e WHERE e.organization_id = %s AND e.id = ANY(%s)"  # nosec B608
            " AND e.id BETWEEN %s AND %s ORDER BY e.id DESC",
            [organization_id, list(ids), min(ids), max(ids)],
        )
        found = cursor.fetchall()
    names = service_names(organization_id)
    opened = opener.open([Sealed(row[0], row[10], row[17] and bytes(row[17])) for row in found])
    return [_row(row, names, identity) for row, identity in zip(found, opened, strict=True)]


def _row(row: Sequence[Any], names: dict[int, str], identity: IdentityPart | None) -> SessionLogRow:
    return SessionLogRow(
        id=row[0],
        organization_id=row[1],
        seq=row[2],
        timestamp=row[3],
        recorded_at=row[4],
        service=names.get(row[5], ""),
        action=row[6],
        outcome=row[7],
        duration=row[8],
        sensitive=row[9],
        subject_id=row[10],
        session_id=row[11],
        target_id=row[12],
        address_id=row[13],
        target_type=row[14],
        ai_model=row[15],
        findings=json.loads(row[16]) if row[16] else None,
        identity=identity,
    )
