"""`manage.py verify`: what is stored of the ledgers, computed anew and compared with every checkpoint."""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import transaction

from sessions_log import wiring
from sessions_log.domain.verification import StoredNote, Verified, verify
from sessions_log.management.operator import operator, record_command
from sessions_log.management.progress import ProgressBar
from sessions_log.models import Organization
from sessions_log.queries.organizations import all_organizations, organization_by_slug
from sessions_log.queries.signatures import cosignature_faults, retired_signature
from sessions_log.queries.verification import as_of_one_moment, stored_ledger

SHOWN_FAULTS = 20


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

    def handle(self, *args: Any, **options: Any) -> None:
        """Check them."""
        if options["against"] and not options["organization"]:
            raise CommandError("--against needs --organization: a checkpoint is of one ledger")
        if options["first"] < 0:
            raise CommandError("--from must be 0 or more")
        kept = _kept(options["against"])
        chosen = _chosen(options["organization"])
        wrong = [one.slug for one in chosen if not self._verify(one, kept, options["first"])]
        for organization in chosen:
            record_command(operator(), organization.id, {"wrong": organization.slug in wrong})
        if wrong:
            raise CommandError(f"not as it was recorded: {', '.join(wrong)}", returncode=1)

    def _verify(self, organization: Organization, kept: list[StoredNote], first: int) -> bool:
        began, bar = time.monotonic(), ProgressBar(organization.slug)
        signer = wiring.ledger_signer()
        keys = signer.verifiers(organization.uid, f"{settings.LEDGER_ORIGIN}/{organization.slug}")
        signed = signer.signed(organization.uid)
        beside = [StoredNote(f"checkpoint beside the keys, line {line}", note) for line, note in signed]
        result = Verified()
        with transaction.atomic():
            as_of_one_moment()
            ledger = stored_ledger(organization, keys, [*kept, *beside], first)
            for result in verify(ledger):
                bar.show(f"{result.size:,} of {ledger.size:,} entries", result.size, ledger.size)
        for place, words in self._signatures(organization):
            result.fault(place, words)
        for fault in result.faults[:SHOWN_FAULTS]:
            self.stderr.write(f"{organization.slug}: {fault.place}: {fault.words}")
        told = {
            "organization": organization.slug,
            "entries": result.entries,
            "size": result.size,
            "root": result.root.hex(),
            "checkpoints": result.checkpoints,
            "faults": len(result.faults),
            "seconds": round(time.monotonic() - began, 1),
        }
        self.stdout.write(json.dumps(told))
        return not result.faults

    def _signatures(self, organization: Organization) -> Iterator[tuple[str, str]]:
        signer, origin = wiring.ledger_signer(), f"{settings.LEDGER_ORIGIN}/{organization.slug}"
        signing, keys = signer.signing(organization.uid, origin), signer.verifiers(organization.uid, origin)
        yield from retired_signature(organization.id, signing, keys)
        if (policy := wiring.witness_policy()) is not None:
            yield from cosignature_faults(organization.id, policy)


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
