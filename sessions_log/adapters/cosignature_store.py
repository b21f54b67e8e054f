"""Cosignatures in PostgreSQL, on Django's connection, as the worker writes them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from sessions_log.domain.cosignature import Cosigned
from sessions_log.domain.witness_answer import Refusal
from sessions_log.domain.witness_policy import Witness
from sessions_log.ports import Uncosigned

_DUE = """
    WITH witness AS (
        SELECT * FROM unnest(%(names)s::text[], %(key_ids)s::bytea[]) WITH ORDINALITY AS w(name, key_id, place)
    ), foremost AS (
        SELECT DISTINCT ON (s.organization_id) s.organization_id, s.checkpoint_id, s.size
        FROM sessions_log_witnessstanding s JOIN witness w ON (s.witness, s.key_id) = (w.name, w.key_id)
        WHERE s.size > 0 ORDER BY s.organization_id, s.size DESC
    )
    SELECT w.place, due.organization_id, c.id, c.size, c.note, due.size, due.failures
    FROM witness w CROSS JOIN LATERAL (
        SELECT latest.organization_id, coalesce(s.size, 0) AS size, coalesce(s.failures, 0) AS failures,
               coalesce(s.next_at, '-infinity') AS next_at,
               CASE WHEN f.size > coalesce(s.size, 0) THEN f.checkpoint_id ELSE latest.id END AS checkpoint_id
        FROM (
            SELECT o.id AS organization_id, c.id, c.size FROM sessions_log_organization o CROSS JOIN LATERAL (
                SELECT id, size FROM sessions_log_checkpoint WHERE organization_id = o.id ORDER BY id DESC LIMIT 1
            ) c
        ) latest
        LEFT JOIN sessions_log_witnessstanding s
            ON (s.organization_id, s.witness, s.key_id) = (latest.organization_id, w.name, w.key_id)
        LEFT JOIN foremost f ON f.organization_id = latest.organization_id
        WHERE latest.size > coalesce(s.size, 0) AND coalesce(s.next_at, '-infinity') <= %(now)s
        ORDER BY next_at, latest.organization_id DESC LIMIT %(most)s
    ) due JOIN sessions_log_checkpoint c ON c.id = due.checkpoint_id
    ORDER BY w.place, due.next_at, due.organization_id DESC
"""


class CosignatureStore:
    """See `sessions_log.ports.Cosignatures`. most: how many checkpoints are due for a witness at once."""

    def __init__(self, most: int = 50) -> None:
        self._most = most

    def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
        """See the port."""
        with connection.cursor() as cursor:
            cursor.execute(
                _DUE,
                {
                    "names": [witness.key.name for witness in witnesses],
                    "key_ids": [witness.key.id for witness in witnesses],
                    "now": now,
                    "most": self._most,
                },
            )
            rows = cursor.fetchall()
        return [
            Uncosigned(organization_id, checkpoint_id, size, note, witnesses[place - 1], cosigned, failures)
            for place, organization_id, checkpoint_id, size, note, cosigned, failures in rows
        ]

    def add(self, asked: Uncosigned, cosignature: Cosigned, at: datetime) -> None:
        """See the port."""
        key = asked.witness.key
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO sessions_log_cosignature"
                " (organization_id, checkpoint_id, size, witness, key_id, line, cosigned_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [
                    asked.organization_id, asked.checkpoint_id, asked.size, key.name, key.id,
                    cosignature.line, cosignature.at,
                ],
            )  # fmt: skip
            cursor.execute(
                """
                INSERT INTO sessions_log_witnessstanding AS s
                    (organization_id, witness, key_id, checkpoint_id, size, refusal, failures, next_at)
                VALUES (%s, %s, %s, %s, %s, '', 0, %s)
                ON CONFLICT (organization_id, witness, key_id) DO UPDATE SET
                    checkpoint_id = excluded.checkpoint_id, size = excluded.size, refusal = '', failures = 0,
                    failing_since = NULL, next_at = excluded.next_at
                WHERE s.size <= excluded.size
                """,
                [asked.organization_id, key.name, key.id, asked.checkpoint_id, asked.size, at],
            )

    def refused(self, asked: Uncosigned, refusal: Refusal, at: datetime, again_at: datetime) -> None:
        """See the port."""
        key = asked.witness.key
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO sessions_log_witnessstanding AS s
                    (organization_id, witness, key_id, size, refusal, failures, failing_since, next_at)
                VALUES (%s, %s, %s, 0, %s, 1, %s, %s)
                ON CONFLICT (organization_id, witness, key_id) DO UPDATE SET
                    refusal = excluded.refusal, failures = s.failures + 1,
                    failing_since = coalesce(s.failing_since, excluded.failing_since), next_at = excluded.next_at
                """,
                [asked.organization_id, key.name, key.id, refusal.value, at, again_at],
            )
