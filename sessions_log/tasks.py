"""Scheduled work: partitions made ahead, finished days of the inbox dropped, health watched, ledgers verified.

Celery beat only ticks; each run claims its period first, so a job is done once however many beats there are.
"""

import time
from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.findings import note_findings
from sessions_log.domain.verification.runs import Kind
from sessions_log.queries.health import findings_now
from sessions_log.queries.witnesses import witness_findings

OUTCOMES_KEPT_DAYS = 60
VERIFYING_AT_ONCE_S = 8.0  # witnesses are asked every ten


@shared_task
def make_partitions_ahead() -> None:
    """Months and days that will be needed."""
    wiring.run_once("partitions", timedelta(hours=1), wiring.make_partitions_ahead)


@shared_task
def drop_finished_inbox_days() -> None:
    """Drop days of the inbox whose every request has its outcome, destroy their keys, drop old outcomes."""
    today = datetime.now(UTC).date()
    for back in range(2, OUTCOMES_KEPT_DAYS):
        wiring.drop_inbox_day(today - timedelta(days=back))


@shared_task
def seek_cosignatures() -> None:
    """Show the witnesses, where the settings name any, the checkpoints that they have not cosigned."""
    policy = wiring.witness_policy()
    if policy is not None and wiring.claim("witnesses", timedelta(seconds=10)):
        wiring.witnessing(policy).seek()


@shared_task
def watch_health() -> None:
    """Open a finding for what is not well, close it when it is again."""
    wiring.run_once("health", timedelta(seconds=30), _note_findings)


def _note_findings() -> None:
    now = timezone.now()
    seen = [*findings_now(now), *witness_findings(wiring.witness_policy(), now)]
    note_findings(seen, wiring.findings(), wiring.ports())


@shared_task
def verify_next_parts() -> None:
    """Once an hour, verify the next part of each ledger."""
    wiring.run_long("verify-parts", timedelta(hours=1), _verify_parts)


@shared_task
def verify_everything() -> None:
    """Once a week, verify all there is and open all that is sealed; a while at a time, so that no job waits long."""
    wiring.run_long("verify-everything", timedelta(days=7), _verify_for_a_while)


def _verify_parts(_: datetime) -> bool:
    """As many as can be done in a while; those that are left come first the next time."""
    verification, until = wiring.scheduled_verification(), time.monotonic() + VERIFYING_AT_ONCE_S
    for ledger in wiring.verification_runs().ledgers(Kind.PART):
        verification.next_part(ledger)
        if time.monotonic() >= until:
            break
    return True


def _verify_for_a_while(since: datetime) -> bool:
    """Returns whether all that is due since then is done."""
    verification, until = wiring.scheduled_verification(), time.monotonic() + VERIFYING_AT_ONCE_S
    for ledger in wiring.verification_runs().ledgers(Kind.OPENED):
        while not verification.next_step(ledger, since):
            if time.monotonic() >= until:
                return False
    return True
