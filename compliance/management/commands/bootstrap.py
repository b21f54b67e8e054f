"""`manage.py bootstrap`: the first organization, officer and service key; does nothing where there are any."""

import argparse
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from compliance import wiring
from compliance.commands.people import AddPerson, GiveRight, add_person, give_right
from sessions_log import wiring as records
from sessions_log.commands.organizations import (
    AddService,
    CreateOrganization,
    add_service,
    create_organization,
)
from sessions_log.commands.service_keys import IssueKey, issue_key
from sessions_log.domain.portal_action import PORTAL_ORGANIZATION, Actor
from sessions_log.management.operator import operator
from sessions_log.queries.organizations import organization_by_slug

REASON = "first set-up of this installation"
# The first officer sees who did what; rights that lower somebody's privacy are given by name later.
FIRST_RIGHTS = ("metadata", "identities", "alerts", "access")
FIRST_SIGN_IN = "first-sign-in.txt"


class Command(BaseCommand):
    """Writes e-mail, password and key to `first-sign-in.txt` in the data folder, readable by its owner alone."""

    help = "Make the first organization, officer and service key. Safe to run again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Names of the first ones."""
        parser.add_argument("--slug", default="command-center")
        parser.add_argument("--name", default="Restaurant Build Command Center")
        parser.add_argument("--email", default="officer@muniment.example")
        parser.add_argument("--officer", default="First Officer")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing."""
        if organization_by_slug(PORTAL_ORGANIZATION) is not None:
            self.stdout.write("set up already")
            return
        actor = operator()
        ports = wiring.ports()
        with ports.records.transaction():
            portal = _organization(PORTAL_ORGANIZATION, "Muniment itself", actor)
            first = _organization(options["slug"], options["name"], actor)
            password = secrets.token_urlsafe(15)
            person = add_person(
                AddPerson(
                    email=options["email"],
                    password=password,
                    name=options["officer"],
                    organization_id=portal,
                    actor=actor,
                ),
                ports,
            )
            for organization_id in (portal, first):
                for right in FIRST_RIGHTS:
                    give_right(
                        GiveRight(
                            holder=person,
                            right=right,
                            organization_id=organization_id,
                            reason=REASON,
                            actor=actor,
                        ),
                        ports,
                    )
            service_id = add_service(
                AddService(organization_id=first, name="first-service", actor=actor), ports.records
            )
            scopes = ("ingest", "read", "identities")
            token = issue_key(IssueKey(service_id=service_id, scopes=scopes, actor=actor), ports.records)
            _write_first_sign_in(options["email"], password, token)
        self.stdout.write(f"the first sign-in is in {_path()}")


def _organization(slug: str, name: str, actor: Actor) -> int:
    return create_organization(CreateOrganization(slug=slug, name=name, actor=actor), records.ports())


def _path() -> Path:
    return Path(settings.MUNIMENT_HOME) / FIRST_SIGN_IN


def _write_first_sign_in(email: str, password: str, token: str) -> None:
    _path().parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"e-mail      {email}\npassword    {password}\nservice key {token}\n")
