"""`manage.py give_right`: a right on an organization for a person, with a reason and, where it has one, an end."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from compliance import wiring
from compliance.commands.people import GiveRight, NoReason, give_right
from compliance.domain.rights import RIGHTS
from compliance.queries import person_of
from sessions_log.management.operator import operator
from sessions_log.queries.organizations import organization_by_slug

MOST_DAYS = 3650


class Command(BaseCommand):
    """Does nothing where the person holds the right without an end."""

    help = "Give a person a right on an organization."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which right, to whom, on what, and why."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--email", required=True)
        parser.add_argument("--right", required=True, choices=RIGHTS)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--days", type=int, help="days until it ends; never when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give it."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        holder = person_of(options["email"])
        if holder is None:
            raise CommandError("nobody has this e-mail address; see add_person")
        days = options["days"]
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days must be 1 to {MOST_DAYS}")
        command = GiveRight(
            holder=holder,
            right=options["right"],
            organization_id=organization.id,
            reason=options["reason"],
            actor=operator(),
            ends_at=None if days is None else timezone.now() + timedelta(days=days),
        )
        try:
            give_right(command, wiring.ports())
        except NoReason as error:
            raise CommandError(str(error)) from None
        self.stdout.write("given")
