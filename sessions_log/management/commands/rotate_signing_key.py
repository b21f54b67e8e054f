"""`manage.py rotate_signing_key`: a new key that signs the ledger beside the old one; with --retire-old alone."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from sessions_log import wiring
from sessions_log.commands.signing_keys import (
    NothingToRetire,
    NotSignedYet,
    RetireSigningKeys,
    RotateSigningKey,
    retire_signing_keys,
    rotate_signing_key,
)
from sessions_log.domain.statements import UnfitStatement
from sessions_log.management.operator import operator
from sessions_log.models import Organization
from sessions_log.ports import KeyDestroyed, KeyringUnavailable
from sessions_log.queries.ledger import latest_checkpoint
from sessions_log.queries.organizations import organization_by_slug


class Command(BaseCommand):
    """May be stopped at any point and run again; checkpoints go on being signed."""

    help = "Let a new key sign a ledger's checkpoints beside the present one, or with --retire-old in its place."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whose, and which step."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--retire-old",
            action="store_true",
            help="end the time in which both sign: the old key is destroyed, what it signed keeps verifying",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the step, and print the verifier keys that sign now, one a line, the newest last."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        step = _retire if options["retire_old"] else _rotate
        try:
            step(organization)
        except NothingToRetire:
            raise CommandError("one key alone signs this ledger: make another without --retire-old first") from None
        except NotSignedYet as error:
            raise CommandError(f"{error}; try again in a minute, with the recorder running") from None
        except (KeyDestroyed, KeyringUnavailable) as error:
            raise CommandError(f"{error}; run it again when that is mended") from None
        except UnfitStatement as error:
            raise CommandError(f"the new key cannot be announced: {error}") from None
        for key in wiring.ledger_signer().signing(organization.uid, _origin(organization)):
            self.stdout.write(str(key))


def _rotate(organization: Organization) -> None:
    command = RotateSigningKey(
        organization_id=organization.id,
        organization_uid=organization.uid,
        origin=_origin(organization),
        actor=operator(),
    )
    rotate_signing_key(command, wiring.ledger_signer(), wiring.ports())


def _retire(organization: Organization) -> None:
    latest = latest_checkpoint(organization.id)
    command = RetireSigningKeys(
        organization_id=organization.id,
        organization_uid=organization.uid,
        origin=_origin(organization),
        served=latest.note if latest is not None else None,
        actor=operator(),
    )
    retire_signing_keys(command, wiring.ledger_signer(), wiring.ports())


def _origin(organization: Organization) -> str:
    return f"{settings.LEDGER_ORIGIN}/{organization.slug}"
