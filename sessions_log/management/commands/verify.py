"""`manage.py verify`: what is stored of the ledgers, computed anew and compared with every checkpoint."""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sessions_log import wiring
from sessions_log.domain.verification.results import Verified
from sessions_log.domain.verification.runs import Kind, run_of
from sessions_log.domain.verification.scope import Scope, VerifiedLedger
from sessions_log.domain.verification.tree import StoredNote
from sessions_log.management.operator import operator, record_command
from sessions_log.management.progress import ProgressBar
from sessions_log.models import Organization
from sessions_log.queries.organizations import all_organizations, organization_by_slug

SHOWN_FAULTS = 20
MOST_PROCESSES = 4


class Command(BaseCommand):
    """Exits with 1 where anything is wrong, the first wrong place named first."""

    help = "Check ledgers: rows, leaves, tree, checkpoints, and whether they fit checkpoints kept elsewhere."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which ledgers, and against what."""
        parser.add_argument("--organization", metavar="SLUG", help="this one alone; without it all of them")
        parser.add_argument(
            "--from", dest="first", type=int, default=0, metavar="SEQ",
            help="check the rows of entries from this one on; leaves, tree and checkpoints are always checked whole",
        )  # fmt: skip
        parser.add_argument(
            "--against", type=Path, metavar="FILE", help="a checkpoint that was kept elsewhere (needs --organization)"
        )
        parser.add_argument(
            "--open", action="store_true",
            help="open each sealed part; compare what is in it, lookups and keys with the entries, and counters too",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Check them."""
        if options["against"] and not options["organization"]:
            raise CommandError("--against needs --organization: a checkpoint is of one ledger")
        if options["first"] < 0:
            raise CommandError("--from must be 0 or more")
        kept = _kept(options["against"])
        chosen = _chosen(options["organization"])
        scope = Scope(rows_from=options["first"], opens=options["open"], references=options["open"], kept=tuple(kept))
        wrong = [one.slug for one in chosen if not self._verify(one, scope)]
        for organization in chosen:
            record_command(operator(), organization.id, {"wrong": organization.slug in wrong})
        if wrong:
            raise CommandError(f"not as it was recorded: {', '.join(wrong)}", returncode=1)

    def _verify(self, organization: Organization, scope: Scope) -> bool:
        began, bar = time.monotonic(), ProgressBar(organization.slug)
        ledger = VerifiedLedger(organization.id, organization.uid, organization.slug)
        result = Verified()
        started_at, size = timezone.now(), 0
        verifier = wiring.ledger_verifier(min(MOST_PROCESSES, os.cpu_count() or 1))
        for result, size in verifier.run(ledger, scope):
            bar.show(f"{result.size:,} of {size:,} entries", result.size, size)
        seqs = range(min(scope.rows_from, size), size)
        run = run_of(organization.id, _kind(scope), seqs, result, started_at=started_at, finished_at=timezone.now())
        wiring.verification_runs().add([run])
        for fault in result.faults[:SHOWN_FAULTS]:
            self.stderr.write(f"{organization.slug}: {fault.place}: {fault.words}")
        told = {
            "organization": organization.slug,
            "entries": result.entries,
            "size": result.size,
            "root": result.root.hex(),
            "checkpoints": result.checkpoints,
            **({"opened": result.opened, "erased": result.erased} if scope.opens else {}),
            "faults": len(result.faults),
            "seconds": round(time.monotonic() - began, 1),
        }
        self.stdout.write(json.dumps(told))
        return not result.faults


def _kind(scope: Scope) -> Kind:
    if scope.kept:
        return Kind.AGAINST
    return Kind.OPENED if scope.opens else Kind.WHOLE


def _chosen(slug: str | None) -> list[Organization]:
    if slug is None:
        return all_organizations()
    organization = organization_by_slug(slug)
    if organization is None:
        raise CommandError(f"there is no organization {slug!r}; see list_organizations")
    return [organization]


def _kept(file: Path | None) -> list[StoredNote]:
    if file is None:
        return []
    try:
        return [StoredNote(f"checkpoint in {file.name}", file.read_bytes())]
    except OSError as error:
        raise CommandError(f"the checkpoint cannot be read: {error.strerror}") from None
