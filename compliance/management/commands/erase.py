"""`manage.py erase`: a person's data made unreadable for good, with a statement that accounts for it."""

import argparse
import sys
from typing import Any

from django.core.management import BaseCommand, CommandError

from compliance import wiring
from compliance.commands.erasing import ApprovalMissing, EraseOnTwoNames, UnknownGround, erase_on_two_names
from compliance.domain.grounds import GROUNDS
from sessions_log.commands.erasing import Erased, NoSuchSubject, PersonsBusy
from sessions_log.management.operator import operator
from sessions_log.ports import KeyDestroyed, KeyringUnavailable
from sessions_log.queries.organizations import organization_by_slug


class Command(BaseCommand):
    """Acts as the role `retention`. Where the console may not approve, it refuses."""

    help = "Erase a person: two holders of the right 'privacy' are named, one asks and one approves."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whom, why, and on whose word."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--user", required=True, metavar="USER_ID", help="his exact user id; - reads it from a line of input"
        )
        parser.add_argument("--ground", required=True, choices=GROUNDS, help="the ground in law")
        parser.add_argument("--requested-by", required=True, metavar="E-MAIL")
        parser.add_argument("--approved-by", required=True, metavar="E-MAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase him, or say why not."""
        if not wiring.may_approve_on_console():
            raise CommandError("two names on the console approve nothing here (MUNIMENT_CONSOLE_APPROVAL is not 1)")
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        user = sys.stdin.readline().rstrip("\n") if options["user"] == "-" else options["user"]
        try:
            erased = erase_on_two_names(
                EraseOnTwoNames(
                    organization_id=organization.id,
                    user_id=user,
                    ground=options["ground"],
                    requested_by=options["requested_by"],
                    approved_by=options["approved_by"],
                    actor=operator(),
                ),
                wiring.ports(),
            )
        except (ApprovalMissing, UnknownGround, NoSuchSubject, PersonsBusy, KeyDestroyed, KeyringUnavailable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(_words(erased, organization.slug))


def _words(erased: Erased, slug: str) -> str:
    gone = erased.gone
    return "\n".join(
        (
            f"erased: {len(erased.subjects)} subject(s) with the key of {erased.entries:,} entries,"
            f" {gone.sessions} session(s), {gone.addresses} address(es), {gone.targets} target(s)",
            *(f"statement: {statement}" for statement in erased.statements),
            f"no copy in the inbox can be opened from {erased.inbox_until} on",
            "copies in backups and in the write-ahead log die with their keys:"
            f" manage.py rotate_keys --organization {slug} --destroy-old",
        )
    )
