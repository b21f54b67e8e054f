"""Counters: one wide row per organization and minute, and the combinations of values that occur."""

from django.db import connection

from sessions_log.followers.reading import Entries
from sessions_log.models import Facet, MinuteCounter
from sessions_log.models.read_models import COUNTED

_NAMES = ", ".join(COUNTED)
_COUNTS = ", ".join(f"coalesce(sum(n) FILTER (WHERE {condition}), 0)" for condition in COUNTED.values())
_SUMS = ", ".join(f"{name} = counter.{name} + excluded.{name}" for name in COUNTED)


class Counters:
    """See `sessions_log.followers.reading.Follower`."""

    name = "counters"

    def apply(self, entries: Entries) -> None:
        """Add the entries to their minutes, and combinations seen for the first time to the facets."""
        with connection.cursor() as cursor:
            # Entries are alike by the hundred: they are grouped once, and the conditions asked of the groups.
            # Only names written in this file are put into the text; values go beside it.
            cursor.execute(
                f"""
                WITH alike AS MATERIALIZED (
                    SELECT organization_id, service_id, date_trunc('minute', timestamp) AS minute, action, outcome,
                        sensitive, findings IS NOT NULL AS is_redacted, ai_model IS NOT NULL AS names_model,
                        count(*) AS n
                    FROM ({entries.sql}) e GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
                ), new_facets AS (
                    INSERT INTO sessions_log_facet (organization_id, service_id, action, outcome, sensitive)
                    SELECT DISTINCT organization_id, service_id, action, outcome, sensitive FROM alike e
                    WHERE NOT EXISTS (
                        SELECT FROM sessions_log_facet f WHERE f.organization_id = e.organization_id
                        AND f.service_id = e.service_id AND f.action = e.action AND f.outcome = e.outcome
                        AND f.sensitive = e.sensitive)
                    ON CONFLICT DO NOTHING
                )
                INSERT INTO sessions_log_minutecounter AS counter (organization_id, minute, {_NAMES})
                SELECT organization_id, minute, {_COUNTS} FROM alike GROUP BY 1, 2 ORDER BY 1, 2
                ON CONFLICT (organization_id, minute) DO UPDATE SET {_SUMS}
                """,  # nosec B608
                entries.values,
            )

    def clear(self) -> None:
        """Empty counters and facets."""
        MinuteCounter.objects.all().delete()
        Facet.objects.all().delete()
