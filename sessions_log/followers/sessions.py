"""The inventory of sessions: since when, until when, how much, and how it went."""

from django.db import connection

from sessions_log.followers.reading import Entries
from sessions_log.models import SessionSummary


class Sessions:
    """See `sessions_log.followers.reading.Follower`."""

    name = "sessions"

    def apply(self, entries: Entries) -> None:
        """Add the entries to their sessions, but for those of erased people.

        A session that has ended and goes on keeps its first end.

        Where two people act at the same moment the higher id wins, so that rebuilding gives the same rows.
        """
        with connection.cursor() as cursor:
            # Only names written in this file are put into the text; values go beside it.
            cursor.execute(
                f"""
                WITH by_subject AS (
                    SELECT session_id, organization_id, subject_id, min(timestamp) AS first_seen,
                        max(timestamp) AS last_seen, count(*) AS entries,
                        count(*) FILTER (WHERE outcome = 2) AS failures,
                        count(*) FILTER (WHERE outcome = 3) AS denials,
                        count(*) FILTER (WHERE ai_model IS NOT NULL OR action LIKE 'ai.%%') AS ai_uses,
                        count(*) FILTER (WHERE sensitive) AS sensitive,
                        min(timestamp) FILTER (WHERE action IN ('session.end', 'session.revoke', 'auth.logout'))
                            AS ended_at
                    FROM ({entries.sql}) e
                    WHERE NOT EXISTS (SELECT FROM sessions_log_tombstone t WHERE t.id = e.subject_id)
                    GROUP BY session_id, organization_id, subject_id
                )
                INSERT INTO sessions_log_sessionsummary AS summary (id, organization_id, subject_id, first_seen,
                    last_seen, entries, failures, denials, ai_uses, sensitive, ended_at)
                SELECT session_id, organization_id, (array_agg(subject_id ORDER BY last_seen DESC, subject_id DESC))[1],
                    min(first_seen), max(last_seen), sum(entries), sum(failures), sum(denials), sum(ai_uses),
                    sum(sensitive), min(ended_at)
                FROM by_subject GROUP BY session_id, organization_id ORDER BY session_id
                ON CONFLICT (id) DO UPDATE SET
                    subject_id = CASE WHEN (excluded.last_seen, excluded.subject_id)
                                           > (summary.last_seen, summary.subject_id)
                                      THEN excluded.subject_id ELSE summary.subject_id END,
                    first_seen = least(summary.first_seen, excluded.first_seen),
                    last_seen = greatest(summary.last_seen, excluded.last_seen),
                    entries = summary.entries + excluded.entries,
                    failures = summary.failures + excluded.failures,
                    denials = summary.denials + excluded.denials,
                    ai_uses = summary.ai_uses + excluded.ai_uses,
                    sensitive = summary.sensitive + excluded.sensitive,
                    ended_at = least(summary.ended_at, excluded.ended_at)
                """,  # nosec B608
                entries.values,
            )

    def clear(self) -> None:
        """Empty the inventory."""
        SessionSummary.objects.all().delete()
