"""How the ledgers stand with their witnesses."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from sessions_log.domain.findings import Seen
from sessions_log.domain.witness_answer import WORDS, Refusal
from sessions_log.domain.witness_policy import WitnessPolicy

WITNESSED_WITHIN = timedelta(minutes=10)


def witness_findings(policy: WitnessPolicy | None, now: datetime) -> list[Seen]:
    """What is not well between ledgers and witnesses: forks, witnesses that fail, ledgers without a quorum."""
    if policy is None:
        return []
    return [*_forked(policy), *_failing(policy, now), *_unwitnessed(policy, now)]


def _forked(policy: WitnessPolicy) -> list[Seen]:
    rows = _rows(
        policy,
        """
        SELECT o.slug, w.name, s.refusal FROM sessions_log_witnessstanding s
        JOIN witness w ON (s.witness, s.key_id) = (w.name, w.key_id)
        JOIN sessions_log_organization o ON o.id = s.organization_id
        WHERE s.refusal IN ('forked', 'ahead') ORDER BY o.slug, w.name LIMIT 20
        """,
    )
    return [Seen("fork", f"{slug}, {name}"[:80], f"{name}: {WORDS[Refusal(refusal)]}") for slug, name, refusal in rows]


def _failing(policy: WitnessPolicy, now: datetime) -> list[Seen]:
    rows = _rows(
        policy,
        """
        SELECT w.name, s.refusal, count(*), min(s.failing_since) FROM sessions_log_witnessstanding s
        JOIN witness w ON (s.witness, s.key_id) = (w.name, w.key_id)
        WHERE s.failing_since < %s AND s.refusal NOT IN ('forked', 'ahead')
        GROUP BY w.name, s.refusal ORDER BY w.name, s.refusal LIMIT 50
        """,
        now - WITNESSED_WITHIN,
    )
    return [
        Seen("witness", f"{name}: {refusal}"[:80], f"{_ledgers(count)} not cosigned since {since:%F %R} UTC: "
             f"{name}: {WORDS[Refusal(refusal)]}")
        for name, refusal, count, since in rows
    ]  # fmt: skip


def unwitnessed_ledgers(policy: WitnessPolicy, now: datetime) -> list[str]:
    """The organizations (slugs) without a witnessed checkpoint as large as their newest of ten minutes ago."""
    rows = _rows(
        policy,
        """
        SELECT o.slug, k.size, array_agg(k.place) FROM sessions_log_organization o
        CROSS JOIN LATERAL (
            SELECT size FROM sessions_log_checkpoint c
            WHERE c.organization_id = o.id AND c.signed_at < %s ORDER BY c.id DESC LIMIT 1
        ) due
        LEFT JOIN LATERAL (
            SELECT c.size, w.place FROM sessions_log_cosignature c
            JOIN witness w ON (c.witness, c.key_id) = (w.name, w.key_id)
            WHERE c.organization_id = o.id AND c.size >= due.size
        ) k ON true
        GROUP BY o.slug, k.size ORDER BY o.slug
        """,
        now - WITNESSED_WITHIN,
    )
    keys = policy.keys
    witnessed = {slug for slug, _, places in rows if policy.is_met_by([keys[at - 1] for at in places if at])}
    return list(dict.fromkeys(slug for slug, _, _ in rows if slug not in witnessed))


def _unwitnessed(policy: WitnessPolicy, now: datetime) -> list[Seen]:
    waiting = unwitnessed_ledgers(policy, now)
    if not waiting:
        return []
    words = f"{_ledgers(len(waiting))} without a quorum of cosignatures for 10 minutes or more, the first: {waiting[0]}"
    return [Seen("unwitnessed", "Witnesses", words)]


def _rows(policy: WitnessPolicy, statement: str, *values: datetime) -> Sequence[tuple[Any, ...]]:
    """The rows of a statement that knows the policy's witnesses as `witness (name, key_id, place)`."""
    witness = (
        "WITH witness AS (SELECT * FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS w(name, key_id, place))"
    )
    with connection.cursor() as cursor:
        names, ids = [key.name for key in policy.keys], [key.id for key in policy.keys]
        cursor.execute(witness + statement, [names, ids, *values])
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _ledgers(count: int) -> str:
    return "1 ledger" if count == 1 else f"{count} ledgers"
