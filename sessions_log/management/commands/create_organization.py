"""`manage.py create_organization`: another tenant, with its keys and its service `portal`."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from sessions_log import wiring
from sessions_log.commands.organizations import CreateOrganization, SlugTaken, create_organization
from sessions_log.management.operator import operator
from sessions_log.models import Organization


class Command(BaseCommand):
    """Who may see it is given apart: nobody may at first."""

    help = "Create an organization. Its slug stands in addresses and in its ledger's name, and never changes."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What it is called."""
        parser.add_argument("slug", help="letters, digits, hyphens and underscores, at most 63")
        parser.add_argument("--name", required=True, help="what people read, at most 200 characters")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it and print its slug."""
        try:
            Organization(slug=options["slug"], name=options["name"]).clean_fields()
        except ValidationError as error:
            raise CommandError(
                "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
            ) from None
        try:
            create_organization(
                CreateOrganization(slug=options["slug"], name=options["name"], actor=operator()), wiring.ports()
            )
        except SlugTaken as error:
            raise CommandError(str(error)) from None
        self.stdout.write(options["slug"])
