"""The inventory of sessions: since when, until when, how much, and how it went."""

from django.db import connection

from sessions_log.followers.reading import Entries
from sessions_log.models import SessionSummary


class Sessions:
    """See `sessions_log.followers.reading.Follower`."""

    name = "sessions"

    def apply(self, entries: Entries) -> None:
        """Add the entries to their sessions. A session that has ended and goes on keeps its first end.

        Where two people act at the same moment the higher id wins, so that rebuilding gives the same rows.
        """
        with connection.cursor() as cursor:
            # Only names written in this file are put into the text; values go beside it.
            cursor.execute(
                f"""
                INSERT INTO sessions_log_sessionsummary AS summary (id, organization_id, subject_id, first_seen,
                    last_seen, entries, failures, denials, ai_uses, sensitive, ended_at)
                SELECT session_id, organization_id, (array_agg(subject_id ORDER BY timestamp DESC, subject_id DESC))[1],
                    min(timestamp), max(timestamp), count(*), count(*) FILTER (WHERE outcome = 2),
                    count(*) FILTER (WHERE outcome = 3),
                    count(*) FILTER (WHERE action LIKE 'ai.%%' OR ai_model IS NOT NULL),
                    count(*) FILTER (WHERE sensitive),
                    min(timestamp) FILTER (WHERE action IN ('session.end', 'session.revoke', 'auth.logout'))
                FROM ({entries.sql}) e GROUP BY session_id, organization_id ORDER BY session_id
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
