"""`manage.py create_service_key`: a key for a service, printed alone and only once."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.organizations import AddService, add_service
from sessions_log.commands.service_keys import USUAL_RECORDS_PER_MINUTE, IssueKey, NoScope, ReservedService, issue_key
from sessions_log.domain.service_key import SCOPES, UnknownNetwork, UnknownScope
from sessions_log.management.operator import operator
from sessions_log.models import Service
from sessions_log.queries.organizations import organization_by_slug, service_id_of

MOST_DAYS = 3650
MOST_RECORDS_PER_MINUTE = 2_000_000_000


class Command(BaseCommand):
    """The service is added where the organization has none of that name."""

    help = "Create a service key and print it. It is shown this once: only its hash is kept."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """For whom, and what for."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--service", default="api", metavar="NAME", help="the service that uses it (api)")
        parser.add_argument("--scope", action="append", required=True, choices=SCOPES, dest="scopes")
        parser.add_argument("--days", type=int, help="days until it expires; never when left out")
        parser.add_argument("--network", action="append", default=[], dest="networks", metavar="CIDR")
        parser.add_argument("--records-per-minute", type=int, default=USUAL_RECORDS_PER_MINUTE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print it."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}; see list_organizations")
        _refuse_nonsense(options)
        actor, ports = operator(), wiring.ports()
        days = options["days"]
        try:
            service_id = service_id_of(organization.id, options["service"]) or add_service(
                AddService(organization_id=organization.id, name=options["service"], actor=actor), ports
            )
            token = issue_key(
                IssueKey(
                    service_id=service_id,
                    scopes=tuple(options["scopes"]),
                    actor=actor,
                    expires_at=None if days is None else timezone.now() + timedelta(days=days),
                    allowed_networks=tuple(options["networks"]),
                    records_per_minute=options["records_per_minute"],
                ),
                ports,
            )
        except (UnknownScope, UnknownNetwork, NoScope, ReservedService) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(token)


def _refuse_nonsense(options: dict[str, Any]) -> None:
    if options["days"] is not None and not 1 <= options["days"] <= MOST_DAYS:
        raise CommandError(f"--days must be 1 to {MOST_DAYS}")
    if not 1 <= options["records_per_minute"] <= MOST_RECORDS_PER_MINUTE:
        raise CommandError(f"--records-per-minute must be 1 to {MOST_RECORDS_PER_MINUTE}")
    try:
        Service(name=options["service"]).clean_fields(exclude=("organization",))
    except ValidationError:
        raise CommandError("--service must be letters, digits, hyphens and underscores, at most 63") from None
