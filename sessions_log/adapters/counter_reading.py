"""The counters by minute, held against the entries that they count."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from psycopg import Connection

from sessions_log.domain.verification.results import MOST_FAULTS, Fault
from sessions_log.models.read_models import COUNTED

_NAMES = ", ".join(COUNTED)
_COUNTS = ", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in COUNTED.items())
_SAME = ", ".join(f"counted.{name}" for name in COUNTED), ", ".join(f"kept.{name}" for name in COUNTED)
# What the follower has not read yet is left out: entries of later batches have higher seqs.
# Only names written in this project are put into the text; values go beside it.
_DIFFERENT = f"""
WITH followed AS (
    SELECT coalesce(min(s.first_seq), 9223372036854775807) AS size
    FROM sessions_log_organization o JOIN sessions_log_batchspan s ON s.shard = o.shard AND s.organization_id = o.id
    WHERE o.id = %(organization)s AND s.number > coalesce((
        SELECT p.batch FROM sessions_log_followerposition p WHERE p.follower = 'counters' AND p.shard = o.shard), 0)
), counted AS (
    SELECT minute, {_COUNTS} FROM (
        SELECT date_trunc('minute', timestamp) AS minute, action, outcome, sensitive,
            findings IS NOT NULL AS is_redacted, ai_model IS NOT NULL AS names_model
        FROM sessions_log_sessionlog
        WHERE organization_id = %(organization)s AND seq < (SELECT size FROM followed)
    ) e GROUP BY minute
), kept AS (
    SELECT minute, {_NAMES} FROM sessions_log_minutecounter WHERE organization_id = %(organization)s
)
SELECT minute, coalesce(kept.entries, 0), coalesce(counted.entries, 0) FROM counted FULL JOIN kept USING (minute)
WHERE ({_SAME[0]}) IS DISTINCT FROM ({_SAME[1]}) ORDER BY minute LIMIT %(most)s
"""  # nosec B608


def counter_faults(connection: Connection[Any], organization_id: int) -> Iterator[Fault]:
    """Minutes whose counters are not what their entries come to, oldest first; at most MOST_FAULTS."""
    rows = connection.execute(_DIFFERENT.encode(), {"organization": organization_id, "most": MOST_FAULTS})
    for minute, kept, there in rows:
        words = "its counters are not those of its entries"
        if kept != there:
            words = f"it counts {kept:,} entries, and there are {there:,}"
        yield Fault(f"minute {minute.astimezone(UTC):%Y-%m-%dT%H:%MZ}", words)
