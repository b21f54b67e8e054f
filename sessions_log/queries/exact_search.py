"""Finding a value by its keyed hash.

A search is answered in two steps, so that addresses, logs and histories carry random ids and never the value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from sessions_log.queries.session_logs import Opener

KINDS = ("subject", "session", "target", "address")
_MOST_SPLITS = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What a value is: the kind of reference and its random id."""

    kind: str
    id: UUID


def find_exactly(organization_id: int, value: str, opener: Opener) -> list[Found]:
    """What the value is in this organization: user, session, target (`type/id` or `type:id`) or address."""
    wanted = {"subject": [value], "session": [value], "address": [value], "target": list(_targets(value))}
    return [
        Found(kind, id_)
        for kind in KINDS
        for id_ in _ids(kind, organization_id, [lookup for one in wanted[kind] for lookup in opener.lookups(kind, one)])
    ]


def _targets(value: str) -> Iterator[str]:
    """Every way to read the value as a target's type and id; both may hold the sign that parts them."""
    places = [at for at, sign in enumerate(value) if sign in "/:" and 0 < at < len(value) - 1]
    for at in places[:_MOST_SPLITS]:
        yield f"{value[:at]}\x00{value[at + 1 :]}"


def _ids(table: str, organization_id: int, lookups: list[bytes]) -> list[UUID]:
    if not lookups:
        return []
    with connection.cursor() as cursor:
        # Only names written in this file are put into the text; values go beside it.
        cursor.execute(
            f"SELECT id FROM sessions_log_{table} WHERE organization_id = %s AND lookup = ANY(%s)",  # nosec B608
            [organization_id, lookups],
        )
        return [row[0] for row in cursor.fetchall()]
