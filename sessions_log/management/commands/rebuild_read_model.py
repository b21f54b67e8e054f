"""`manage.py rebuild_read_model NAME`: a read model made anew from the entries that are kept."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from sessions_log.followers.reading import load, rebuild
from sessions_log.management.operator import operator, record_command


class Command(BaseCommand):
    """Runs beside recorder and followers; they wait for the position's row, no longer."""

    help = "Make a read model anew from the entries that are kept."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which one."""
        parser.add_argument("name", help=", ".join(follower.name for follower in load(settings.FOLLOWERS)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild it."""
        followers = {follower.name: follower for follower in load(settings.FOLLOWERS)}
        if options["name"] not in followers:
            raise CommandError(f"there is no read model {options['name']!r}; there are {', '.join(followers)}")
        rebuild(followers[options["name"]])
        record_command(operator(), None, {"name": options["name"]})
        self.stdout.write(f"{options['name']} is rebuilt")
