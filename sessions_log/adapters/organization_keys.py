"""What stands under an organization's epoch keys, on Django's connection."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_log.commands.rotating import NewSubject, NewValue, OldSubject, OldValue, WrappedKey
from sessions_log.ports import RecordingOrganization

KEYS_LOCK = 0x6B657973  # "keys": an organization's, shared by its recorder, held alone by who changes keys


class OrganizationKeysRepository:
    """See `sessions_log.commands.rotating.OrganizationKeys`."""

    def lock(self, organization_id: int) -> RecordingOrganization:
        """See the protocol."""
        _execute("SELECT pg_advisory_xact_lock(%s, %s)", KEYS_LOCK, organization_id)
        rows = _execute(
            "SELECT id, uid, epoch, old_epoch, erasures FROM sessions_log_organization WHERE id = %s", organization_id
        )
        return RecordingOrganization(*rows[0])

    def oldest_epoch(self, organization_id: int) -> int | None:
        """See the protocol."""
        rows = _execute(
            """
            SELECT least(
                (SELECT min(epoch) FROM sessions_log_subject WHERE organization_id = o.id),
                (SELECT min(k.epoch) FROM sessions_log_subjectkey k
                    JOIN sessions_log_subject s ON s.id = k.subject_id WHERE s.organization_id = o.id),
                (SELECT min(epoch) FROM sessions_log_session WHERE organization_id = o.id),
                (SELECT min(epoch) FROM sessions_log_target WHERE organization_id = o.id),
                (SELECT min(epoch) FROM sessions_log_address WHERE organization_id = o.id))
            FROM sessions_log_organization o WHERE o.id = %s
            """,
            organization_id,
        )
        return None if rows[0][0] is None else int(rows[0][0])

    def set_epochs(self, organization_id: int, epoch: int, old_epoch: int | None) -> None:
        """See the protocol."""
        _execute(
            "UPDATE sessions_log_organization SET epoch = %s, old_epoch = %s WHERE id = %s RETURNING id",
            epoch,
            old_epoch,
            organization_id,
        )

    def old_subjects(self, organization_id: int, epoch: int, after: UUID, most: int) -> list[OldSubject]:
        """See the protocol."""
        rows = _execute(
            """
            SELECT s.id, s.is_provisional, s.sealed, k.id, k.part, k.wrapped FROM (
                SELECT id, is_provisional, sealed FROM sessions_log_subject
                WHERE organization_id = %s AND epoch = %s AND id > %s ORDER BY id LIMIT %s
            ) s LEFT JOIN sessions_log_subjectkey k ON k.subject_id = s.id AND k.epoch = %s ORDER BY s.id
            """,
            organization_id,
            epoch,
            after,
            most,
            epoch,
        )
        subjects: dict[Any, OldSubject] = {}
        for own_id, is_provisional, sealed, key_id, part, wrapped in rows:
            subject = subjects.setdefault(own_id, OldSubject(own_id, is_provisional, bytes(sealed), []))
            if key_id is not None:
                subject.keys.append(WrappedKey(key_id, part, bytes(wrapped)))
        return list(subjects.values())

    def renew_subjects(self, epoch: int, subjects: Sequence[NewSubject]) -> None:
        """See the protocol."""
        _many(
            "UPDATE sessions_log_subject SET epoch = %s, lookup = %s WHERE id = %s",
            [(epoch, one.lookup, one.id) for one in subjects],
        )
        _many(
            "UPDATE sessions_log_subjectkey SET epoch = %s, wrapped = %s WHERE id = %s",
            [(epoch, wrapped, key_id) for one in subjects for key_id, wrapped in one.keys],
        )

    def old_values(self, table: str, organization_id: int, epoch: int, after: UUID, most: int) -> list[OldValue]:
        """See the protocol."""
        # Only names written in the code are put into the text; values go beside it.
        rows = _execute(
            f"SELECT id, sealed FROM sessions_log_{table}"  # nosec B608
            " WHERE organization_id = %s AND epoch = %s AND id > %s ORDER BY id LIMIT %s",
            organization_id,
            epoch,
            after,
            most,
        )
        return [OldValue(own_id, bytes(sealed)) for own_id, sealed in rows]

    def renew_values(self, table: str, epoch: int, values: Sequence[NewValue]) -> None:
        """See the protocol."""
        # Only names written in the code are put into the text; values go beside it.
        _many(
            f"UPDATE sessions_log_{table} SET epoch = %s, lookup = %s, sealed = %s WHERE id = %s",  # nosec B608
            [(epoch, one.lookup, one.sealed, one.id) for one in values],
        )


def _execute(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _many(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
