"""References in the database: subjects with their keys, sessions, targets, addresses."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection, sql

from sessions_log.domain.references import ADDRESS, SESSION, TARGET, Reference, SubjectReference, Wanted


class PostgresReferences:
    """See `sessions_log.ports.References`; works within the transaction of its connection."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def find(self, organization_id: int, table: str, lookups: Sequence[bytes]) -> dict[bytes, Reference]:
        """See the port."""
        statement = sql.SQL("SELECT lookup, id FROM {} WHERE organization_id = %s AND lookup = ANY(%b::bytea[])")
        rows = self._connection.execute(
            statement.format(sql.Identifier(f"sessions_log_{table}")), (organization_id, list(lookups))
        ).fetchall()
        return {row[0]: Reference(row[1].bytes) for row in rows}

    def sessions(self, organization_id: int, lookups: Sequence[bytes]) -> dict[bytes, Reference]:
        """See the port."""
        rows = self._connection.execute(
            "SELECT lookup, id, subject_id FROM sessions_log_session"
            " WHERE organization_id = %s AND lookup = ANY(%b::bytea[])",
            (organization_id, list(lookups)),
        ).fetchall()
        return {row[0]: Reference(row[1].bytes, row[2].bytes) for row in rows}

    def subjects(self, organization_id: int, lookups: Sequence[bytes]) -> dict[bytes, SubjectReference]:
        """See the port."""
        rows = self._connection.execute(
            "SELECT s.lookup, s.id, s.is_provisional, k.epoch, k.wrapped FROM sessions_log_subject s"
            " JOIN sessions_log_subjectkey k ON k.subject_id = s.id AND k.part = 1"
            " WHERE s.organization_id = %s AND s.lookup = ANY(%b::bytea[])",
            (organization_id, list(lookups)),
        ).fetchall()
        return {row[0]: SubjectReference(row[1].bytes, *row[2:]) for row in rows}

    def subject_keys(self, ids: Sequence[bytes]) -> list[SubjectReference]:
        """See the port."""
        rows = self._connection.execute(
            "SELECT s.id, s.is_provisional, k.epoch, k.wrapped FROM sessions_log_subject s"
            " JOIN sessions_log_subjectkey k ON k.subject_id = s.id AND k.part = 1 WHERE s.id = ANY(%s::uuid[])",
            (uuids(ids),),
        ).fetchall()
        return [SubjectReference(row[0].bytes, *row[1:]) for row in rows]

    def hold_subjects(self, ids: Sequence[bytes]) -> set[bytes]:
        """See the port. In the order of their ids, so that two holders cannot block each other."""
        rows = self._connection.execute(
            "SELECT s.id FROM sessions_log_subject s WHERE s.id = ANY(%s::uuid[]) AND EXISTS"
            " (SELECT FROM sessions_log_subjectkey k WHERE k.subject_id = s.id AND k.part = 1)"
            " ORDER BY s.id FOR KEY SHARE OF s",
            (uuids(ids),),
        ).fetchall()
        return {row[0].bytes for row in rows}

    def add(self, wanted: Wanted) -> None:
        """See the port."""
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO sessions_log_subject (id, organization_id, epoch, lookup, sealed, is_provisional)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (UUID(bytes=one.id), wanted.organization_id, wanted.epoch, one.lookup, one.sealed,
                     one.is_provisional)
                    for one in wanted.subjects
                ],
            )  # fmt: skip
            cursor.executemany(
                "INSERT INTO sessions_log_subjectkey (id, subject_id, part, epoch, wrapped)"
                " VALUES (gen_random_uuid(), %s, %s, %s, %s)",
                [(UUID(bytes=one.id), one.part, wanted.epoch, one.wrapped) for one in wanted.subjects],
            )
        for table in (TARGET, ADDRESS, SESSION):
            self._add_references(wanted, table)
        for link in wanted.links:
            self._link(wanted.organization_id, link.session, link.provisional, link.subject)

    def _add_references(self, wanted: Wanted, table: str) -> None:
        new = [one for one in wanted.references if one.table == table]
        values = [
            (UUID(bytes=one.id), wanted.organization_id, wanted.epoch, one.lookup, one.sealed)
            + (() if one.subject is None else (UUID(bytes=one.subject),))
            for one in new
        ]
        columns = ["id", "organization_id", "epoch", "lookup", "sealed"] + ["subject_id"] * (table == SESSION)
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(f"sessions_log_{table}"),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        )
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, values)

    def _link(self, organization_id: int, session: bytes, provisional: bytes, subject: bytes) -> None:
        self._connection.execute(
            "UPDATE sessions_log_session SET subject_id = %s WHERE id = %s",
            (UUID(bytes=subject), UUID(bytes=session)),
        )
        self._connection.execute(
            "INSERT INTO sessions_log_subjectlink (id, organization_id, provisional_id, subject_id)"
            " VALUES (gen_random_uuid(), %s, %s, %s)",
            (organization_id, UUID(bytes=provisional), UUID(bytes=subject)),
        )


def uuids(ids: Sequence[bytes]) -> str:
    """Ids as one array literal: far quicker than a list of UUID objects."""
    return "{" + ",".join([one.hex() for one in ids]) + "}"
