"""`manage.py add_person`: somebody who may sign in, with a first password that is printed alone and only once."""

import argparse
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.core.validators import validate_email

from compliance import wiring
from compliance.commands.people import AddPerson, EmailTaken, add_person
from sessions_log.management.operator import operator
from sessions_log.queries.organizations import organization_by_slug


class Command(BaseCommand):
    """The person has no right yet: see `give_right`."""

    help = "Add a person and print the first password. It is shown this once."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Who."""
        parser.add_argument("--organization", required=True, metavar="SLUG", help="in whose records this stands")
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the person."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        if not 0 < len(options["name"].strip()) <= 120:
            raise CommandError("--name must have 1 to 120 characters")
        try:
            validate_email(options["email"])
        except ValidationError:
            raise CommandError("--email must be an e-mail address") from None
        password = secrets.token_urlsafe(15)
        command = AddPerson(
            email=options["email"],
            password=password,
            name=options["name"].strip(),
            organization_id=organization.id,
            actor=operator(),
        )
        try:
            add_person(command, wiring.ports())
        except EmailTaken as error:
            raise CommandError(str(error)) from None
        self.stdout.write(password)
