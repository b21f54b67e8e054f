"""People as subjects, found and erased on Django's connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection

from sessions_log.adapters.organization_keys import OrganizationKeysRepository
from sessions_log.commands.erasing import Gone, Holding, PersonsBusy
from sessions_log.models.read_models import FOLLOWER_LOCK
from sessions_log.ports import RecordingOrganization

LONGEST_WAIT = "5s"


class PersonRepository:
    """See `sessions_log.commands.erasing.Persons`."""

    def lock(self, organization_id: int) -> RecordingOrganization:
        """See the protocol. The follower's lock first: waiting for it with a transaction number holds up all."""
        try:
            _rows("SELECT set_config('lock_timeout', %(limit)s, true)", limit=LONGEST_WAIT)
            _rows("SELECT pg_advisory_xact_lock(%(class)s, hashtext('sessions'))", **{"class": FOLLOWER_LOCK})
        except OperationalError:
            raise PersonsBusy("a read model is being kept or rebuilt; try again when that is done") from None
        return OrganizationKeysRepository().lock(organization_id)

    def subjects(self, organization_id: int, lookups: Sequence[bytes]) -> list[UUID]:
        """See the protocol."""
        rows = _rows(
            """
            WITH person AS (
                SELECT id FROM sessions_log_subject
                WHERE organization_id = %(organization)s AND lookup = ANY(%(lookups)s)
            )
            SELECT id FROM (
                SELECT id, 0 AS place FROM person UNION
                SELECT provisional_id, 1 FROM sessions_log_subjectlink JOIN person ON subject_id = person.id
            ) found ORDER BY place, id
            """,
            organization=organization_id,
            lookups=list(lookups),
        )
        return [row[0] for row in rows]

    def holding(self, organization_id: int, subjects: Sequence[UUID]) -> Holding:
        """See the protocol."""
        rows = _rows(
            """
            SELECT (SELECT count(*) FROM sessions_log_sessionlog
                    WHERE organization_id = %(organization)s AND subject_id = ANY(%(subjects)s)),
                   EXISTS (SELECT FROM sessions_log_quarantinedrequest
                           WHERE retried_at IS NULL)
            """,
            organization=organization_id,
            subjects=list(subjects),
        )
        return Holding(*rows[0])

    def erase(self, organization_id: int, subjects: Mapping[UUID, UUID], at: datetime) -> Gone:
        """See the protocol."""
        own: dict[str, Any] = {"organization": organization_id, "subjects": list(subjects)}
        # First what needs the rows that go: which addresses and targets stand in nobody else's entries.
        addresses, targets = (_delete_exclusive(column, own) for column in ("address", "target"))
        _clean_inventory(own)
        _hand_over_sessions(own)
        sessions = _change("DELETE FROM sessions_log_session WHERE subject_id = ANY(%(subjects)s)", own)
        _change(
            "DELETE FROM sessions_log_subjectlink"
            " WHERE provisional_id = ANY(%(subjects)s) OR subject_id = ANY(%(subjects)s)",
            own,
        )
        _change("DELETE FROM sessions_log_subjectkey WHERE subject_id = ANY(%(subjects)s)", own)
        _change("DELETE FROM sessions_log_subject WHERE id = ANY(%(subjects)s)", own)
        _change(
            "INSERT INTO sessions_log_tombstone (id, organization_id, statement_id, erased_at)"
            " SELECT id, %(organization)s, statement, %(at)s"
            " FROM unnest(%(subjects)s, %(statements)s) AS gone (id, statement)",
            {**own, "statements": list(subjects.values()), "at": at},
        )
        _change("UPDATE sessions_log_organization SET erasures = erasures + 1 WHERE id = %(organization)s", own)
        return Gone(sessions, addresses, targets)


def _delete_exclusive(column: str, own: dict[str, Any]) -> int:
    # Only names written in this file are put into the text; values go beside it.
    return _change(
        f"""
        DELETE FROM sessions_log_{column} r WHERE r.id IN (
            SELECT e.{column}_id FROM sessions_log_sessionlog e
            WHERE e.organization_id = %(organization)s AND e.subject_id = ANY(%(subjects)s)
        ) AND NOT EXISTS (
            SELECT FROM sessions_log_sessionlog e WHERE e.organization_id = %(organization)s
            AND e.{column}_id = r.id AND e.subject_id <> ALL(%(subjects)s)
        )
        """,  # nosec B608
        own,
    )


def _hand_over_sessions(own: dict[str, Any]) -> None:
    """A session in which somebody else acted too is his from now on, with its token."""
    _change(
        """
        UPDATE sessions_log_session s SET subject_id = other.subject_id FROM sessions_log_session shared
        CROSS JOIN LATERAL (
            SELECT e.subject_id FROM sessions_log_sessionlog e WHERE e.organization_id = %(organization)s
            AND e.session_id = shared.id AND e.subject_id <> ALL(%(subjects)s)
            AND EXISTS (SELECT FROM sessions_log_subject k WHERE k.id = e.subject_id) LIMIT 1
        ) other
        WHERE shared.subject_id = ANY(%(subjects)s) AND s.id = shared.id
        """,
        own,
    )


def _clean_inventory(own: dict[str, Any]) -> None:
    """Sessions in which he alone acted go; of one that he shared what is counted stays.

    The follower that keeps them stands still meanwhile; from then on it passes over whoever has a tombstone.
    """
    _change(
        """
        DELETE FROM sessions_log_sessionsummary s WHERE s.id IN (
            SELECT e.session_id FROM sessions_log_sessionlog e
            WHERE e.organization_id = %(organization)s AND e.subject_id = ANY(%(subjects)s)
        ) AND NOT EXISTS (
            SELECT FROM sessions_log_sessionlog e WHERE e.organization_id = %(organization)s
            AND e.session_id = s.id AND e.subject_id <> ALL(%(subjects)s)
        )
        """,
        own,
    )


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _change(statement: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
