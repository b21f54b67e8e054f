"""`manage.py list_organizations`: slug and name, one a line."""

from typing import Any

from django.core.management import BaseCommand

from sessions_log.management.operator import operator, record_command
from sessions_log.queries.organizations import all_organizations


class Command(BaseCommand):
    """For scripts and people."""

    help = "Print slug and name of every organization, one a line."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        for organization in all_organizations():
            self.stdout.write(f"{organization.slug}\t{organization.name}")
        record_command(operator(), None, {})
