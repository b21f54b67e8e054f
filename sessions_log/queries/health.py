"""How the product itself is: what readiness and the Health page say."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from django.db import connection
from django.db.models import Count

from sessions_log.domain.findings import Seen
from sessions_log.models import Finding, FollowerPosition, QuarantinedRequest
from sessions_log.queries.verification import FailedLedger, failed_ledgers

# Together a minute: whatever is acknowledged and not under a checkpoint by then is seen by the one or the other.
LAG_ALLOWED = timedelta(seconds=45)
SIGNED_WITHIN = timedelta(seconds=15)
_KINDS = {
    "PostgreSQL": "database",
    "Partitions": "partition",
    "Recorder": "lag",
    "Follower": "follower_lag",
    "Ledger": "checkpoint",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name, whether it is well, and its value in words."""

    name: str
    is_well: bool
    words: str


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits for the recorder: requests, and how long the oldest has waited."""

    requests: int
    oldest: timedelta


def takes_connections() -> bool:
    """Whether the server lets somebody in now, asked past the pool; answered in about 2 seconds at most."""
    try:
        psycopg.connect(**connection.get_connection_params() | {"connect_timeout": 2}).close()
    except psycopg.Error:
        return False
    return True


def recorder_lag(now: datetime) -> Lag:
    """What lies in the inbox after the recorder's positions; counts at most 10,000 requests."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), min(received_at) FROM (
                SELECT i.received_at FROM sessions_log_recorderposition p JOIN sessions_log_inbox i
                    ON i.shard = p.shard AND i.lane = p.lane AND (i.xid, i.serial) > (p.xid, p.serial)
                LIMIT 10000
            ) waiting
            """
        )
        requests, oldest = cursor.fetchone()
    return Lag(requests, max(now - oldest, timedelta()) if oldest else timedelta())


def follower_lags() -> dict[str, int]:
    """How many batches each follower is behind, over all shards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT shard, max(number) FROM sessions_log_batch GROUP BY shard")
        newest = dict(cursor.fetchall())
    lags: dict[str, int] = {}
    for follower, shard, batch in FollowerPosition.objects.values_list("follower", "shard", "batch"):
        lags[follower] = lags.get(follower, 0) + max(0, newest.get(shard, 0) - batch)
    return lags


def checks(now: datetime) -> list[Check]:
    """PostgreSQL, partitions, recorder and followers, in the order of the Health page. Raises DatabaseError."""
    lag = recorder_lag(now)
    return [
        Check("PostgreSQL", True, "answers"),
        _partitions_ahead(now),
        _recorder(lag),
        _ledgers(now),
        *(
            Check(
                f"Follower {name}",
                behind < 1000,
                "up to date" if not behind else f"{behind:,} batches behind",
            )
            for name, behind in sorted(follower_lags().items())
        ),
    ]


def findings_now(now: datetime) -> list[Seen]:
    """What is not well now. Raises DatabaseError."""
    seen = [Seen(_KINDS[check.name.split()[0]], check.name, check.words) for check in checks(now) if not check.is_well]
    if blocking := _blocking_process(now):
        seen.append(blocking)
    for reason, requests in _quarantined():
        seen.append(Seen("quarantine", reason[:80], f"{requests:,} requests could not be recorded: {reason}"))
    seen += [_failed(one) for one in failed_ledgers()]
    return seen


def _failed(ledger: FailedLedger) -> Seen:
    return Seen("verification", ledger.slug, f"{ledger.place}: {ledger.words} ({ledger.runs:,} runs failed)")


def _blocking_process(now: datetime) -> Seen | None:
    """The transaction that holds back the inbox's order, where records wait for its end and not for the recorder.

    Found by its xid, which every role may see; since when it runs only its own role and monitors may.
    """
    lag = recorder_lag(now)
    if lag.oldest < LAG_ALLOWED:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.pid, a.application_name
            FROM pg_stat_activity a, pg_snapshot_xmin(pg_current_snapshot()) AS oldest
            WHERE a.backend_xid::text::bigint = oldest::text::bigint % 4294967296
              AND EXISTS (
                SELECT FROM sessions_log_recorderposition p CROSS JOIN LATERAL (
                    SELECT i.xid FROM sessions_log_inbox i
                    WHERE i.shard = p.shard AND i.lane = p.lane AND (i.xid, i.serial) > (p.xid, p.serial)
                    ORDER BY i.xid, i.serial LIMIT 1
                ) next WHERE next.xid >= oldest)
            """
        )
        row = cursor.fetchone()
    if row is None:
        return None
    pid, name = row
    words = f"process {pid} ({name}) keeps a transaction open: records wait for its end, {_words(lag)}"
    return Seen("long_transaction", "inbox", words)


def _quarantined() -> list[tuple[str, int]]:
    waiting = QuarantinedRequest.objects.filter(retried_at=None).values_list("reason")
    return list(waiting.annotate(requests=Count("id")).order_by("reason")[:20])


def open_findings() -> list[Finding]:
    """What is not as it should be now, newest first; at most 100."""
    return list(Finding.objects.filter(closed_at__isnull=True).order_by("-opened_at")[:100])


def _partitions_ahead(now: datetime) -> Check:
    tomorrow = (now.astimezone(UTC) + timedelta(days=1)).date()
    names = [f"sessionlog_{tomorrow:%Y_%m}", f"inbox_{tomorrow:%Y_%m_%d}"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL", [names])
        missing = [row[0] for row in cursor.fetchall()]
    return Check("Partitions", not missing, f"missing: {', '.join(missing)}" if missing else "made ahead")


def _recorder(lag: Lag) -> Check:
    """Whether the recorder keeps up, and whether its position is one of this server's.

    A logical dump that is restored elsewhere brings positions along that the new server's transactions have not
    reached: what comes in would lie in the inbox unseen.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sessions_log_recorderposition WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())"
        )
        if cursor.fetchone()[0]:
            return Check("Recorder", False, "its position is ahead of this server: restored from a logical dump?")
    return Check("Recorder", lag.oldest < LAG_ALLOWED, _words(lag))


def _ledgers(now: datetime) -> Check:
    """Whether every entry is under a checkpoint soon after it was recorded."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), min(since) FROM (
                SELECT (SELECT min(b.recorded_at) FROM sessions_log_batchspan s
                        JOIN sessions_log_batch b ON (b.shard, b.number) = (s.shard, s.number)
                        WHERE s.shard = o.shard AND s.number > coalesce(last.batch, 0) AND s.organization_id = o.id)
                       AS since
                FROM sessions_log_ledgerhead h JOIN sessions_log_organization o ON o.id = h.organization_id
                LEFT JOIN LATERAL (
                    SELECT c.size, c.batch FROM sessions_log_checkpoint c
                    WHERE c.organization_id = o.id ORDER BY c.id DESC LIMIT 1
                ) last ON true
                WHERE h.size > coalesce(last.size, 0)
            ) unsigned WHERE since < %s
            """,
            [now - SIGNED_WITHIN],
        )
        ledgers, since = cursor.fetchone()
    if not ledgers:
        return Check("Ledger", True, "every head is signed")
    waits = (now - since).total_seconds()
    return Check("Ledger", False, f"{ledgers:,} ledgers have grown without a checkpoint, the first for {waits:.0f} s")


def _words(lag: Lag) -> str:
    if not lag.requests:
        return "nothing waits"
    return f"{lag.requests:,} requests wait, the oldest for {lag.oldest.total_seconds():.0f} s"
