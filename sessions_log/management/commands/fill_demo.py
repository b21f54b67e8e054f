"""`manage.py fill_demo`: two weeks of a restaurant-build command center, through the real intake."""

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from sessions_log import wiring
from sessions_log.commands.importing import chunks, months_of, put_chunk, read_chunk
from sessions_log.commands.organizations import AddService, add_service
from sessions_log.domain.demo import demo_records
from sessions_log.domain.inbox import LANE_BULK
from sessions_log.domain.portal_action import Actor
from sessions_log.domain.session_record import MOST_RECORDS, Window
from sessions_log.management.operator import operator, record_command
from sessions_log.queries.organizations import organization_by_slug, service_id_of

SEED = 20_26
DAYS = 14


class Command(BaseCommand):
    """For a first look; everything in it is invented."""

    help = "Fill an organization with two weeks of invented session logs, through the real intake."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which organization."""
        parser.add_argument("--organization", default="command-center", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Store them; the recorder does the rest."""
        organization = organization_by_slug(options["organization"])
        if organization is None:
            raise CommandError(f"there is no organization {options['organization']!r}")
        actor, now = operator(), timezone.now()
        record_command(actor, organization.id, {"days": DAYS})
        waiting: dict[str, list[bytes]] = defaultdict(list)
        stored = 0
        for service, record in demo_records(until=now, days=DAYS, seed=SEED):
            waiting[service].append(json.dumps(record).encode())
            if len(waiting[service]) == MOST_RECORDS:
                stored += _put(organization.id, service, waiting.pop(service), actor)
        for service, lines in waiting.items():
            stored += _put(organization.id, service, lines, actor)
        self.stdout.write(f"{stored} session logs")


def _put(organization_id: int, service: str, lines: list[bytes], actor: Actor) -> int:
    ports = wiring.ports()
    if service_id_of(organization_id, service) is None:
        add_service(AddService(organization_id=organization_id, name=service, actor=actor), ports)
    sender = replace(ports.organizations.sender(organization_id, service), lane=LANE_BULK, back=None)
    (chunk,) = chunks(lines)
    records = read_chunk(chunk, Window.around(timezone.now(), back=None))
    wiring.make_months(sorted(months_of(records)))
    return put_chunk(chunk, records, sender, timezone.now(), wiring.keyring(), wiring.inbox()).accepted
