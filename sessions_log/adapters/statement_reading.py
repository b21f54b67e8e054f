"""What the statements of a ledger account for, as a verification reads them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from psycopg import Connection

from sessions_log.domain.statements import UnfitStatement, details_of, read_statement
from sessions_log.domain.verification.scope import VerifiedLedger

# A statement waits in the inbox for its place, and what it states has happened: until it has one, the tombstones count.
# Not for long, and only where a recorder will take it: else a row that nobody ever reads would account for anything.
_PENDING = """
SELECT t.id FROM sessions_log_tombstone t WHERE t.organization_id = %(organization)s
    AND NOT EXISTS (SELECT FROM sessions_log_statement s WHERE s.id = t.statement_id)
    AND EXISTS (
        SELECT FROM sessions_log_inbox i JOIN sessions_log_organization o ON o.id = i.organization_id
        WHERE i.organization_id = t.organization_id AND i.entry_ids = uuid_send(t.statement_id)
            AND i.kind = 4 AND i.lane = 0 AND i.shard = o.shard AND i.received_at > now() - interval '15 minutes'
            AND NOT EXISTS (SELECT FROM sessions_log_outcome o WHERE o.id = i.id))
"""


def erased_subjects(connection: Connection[Any], ledger: VerifiedLedger) -> frozenset[UUID]:
    """Subjects whom a statement in the ledger says to be erased. A tombstone that none stands behind proves nothing."""
    stated = {
        subject for _, details in statements(connection, ledger, "erasure") for subject in _ids(details.get("subjects"))
    }
    pending = connection.execute(_PENDING, {"organization": ledger.organization_id})
    return frozenset(stated | {own_id for (own_id,) in pending})


def _ids(stated: Any) -> Iterator[UUID]:
    """The ids in a list of them; what is none accounts for nobody."""
    for one in stated if isinstance(stated, list) else ():
        with suppress(ValueError, TypeError, AttributeError):
            yield UUID(hex=one)


def statements(
    connection: Connection[Any], ledger: VerifiedLedger, of_type: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Seq and details of all statements of a type, in their order. What is none is told of with its entry."""
    with connection.cursor(name=f"statements_{of_type}") as cursor:
        cursor.execute(
            "SELECT seq, body FROM sessions_log_statement WHERE organization_id = %s AND type = %s ORDER BY seq",
            (ledger.organization_id, of_type),
            binary=True,
        )
        for seq, body in cursor:
            try:
                read_statement(body, ledger.uid)
            except UnfitStatement:
                continue
            yield seq, details_of(body)
