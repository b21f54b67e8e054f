"""`manage.py rotate_keys`: an organization's keys changed for new ones, and with --destroy-old destroyed."""

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from sessions_log import wiring
from sessions_log.commands.rotating import CannotRotate, Rotated, RotateKeys, rotate_keys
from sessions_log.management.operator import operator
from sessions_log.management.progress import ProgressBar
from sessions_log.ports import KeyDestroyed, KeyringUnavailable
from sessions_log.queries.organizations import organization_by_slug


class Command(BaseCommand):
    """Acts as the role `retention`. May be stopped at any point and run again; recording and reading go on."""

    help = "Change an organization's keys (a new epoch). Takes up a change that was interrupted."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whose, and what becomes of the old ones."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--destroy-old",
            action="store_true",
            help="destroy the keys of all earlier epochs: backups from before can no longer be read",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Change them."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        bar = ProgressBar("rotate_keys")

        def told(done: Rotated) -> None:
            bar.show(f"{done.subjects + done.values:,} keys and values taken over", 0, 0)

        command = RotateKeys(organization_id=organization.id, is_old_destroyed=options["destroy_old"], actor=operator())
        try:
            done = rotate_keys(command, wiring.organization_keys(), wiring.ports(), told)
        except (CannotRotate, KeyDestroyed, KeyringUnavailable) as error:
            raise CommandError(f"{error}; run it again when that is mended") from None
        self.stdout.write(f"epoch {done.epoch}: {done.subjects:,} subjects and {done.values:,} values taken over")
        if options["destroy_old"]:
            self.stdout.write(f"the keys of {len(done.destroyed)} earlier epoch(s) are destroyed")
