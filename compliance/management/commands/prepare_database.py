"""`manage.py prepare_database`: roles, migrations, rights and the partitions of today; safe to run again."""

import os
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections, transaction

from compliance.adapters.roles import ROLES, grant_rights, make_roles
from sessions_log import wiring


class Command(BaseCommand):
    """Run with DATABASE_URL_OWNER; the only command that uses it."""

    help = "Create the database roles, migrate, grant each role its rights, make partitions. Uses DATABASE_URL_OWNER."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do all of it."""
        if "owner" not in connections.settings:
            raise CommandError("DATABASE_URL_OWNER is not set: roles and migrations need the owner's URL.")
        names = [name.removeprefix("muniment_") for name in ROLES]
        passwords = {name: os.environ.get(f"MUNIMENT_PASSWORD_{name.upper()}", "") for name in names}
        with self._owner() as connection:
            make_roles(connection, passwords)
        call_command("migrate", database="owner", interactive=False, verbosity=min(options["verbosity"], 1))
        with self._owner() as connection:
            grant_rights(connection)
        wiring.make_partitions_ahead(using="owner")

    def _owner(self) -> Any:
        owner = connections["owner"]
        owner.ensure_connection()
        return _Transaction(owner.connection)


class _Transaction:
    """The owner's psycopg connection within one transaction of Django's."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._atomic = transaction.atomic(using="owner")

    def __enter__(self) -> Any:
        self._atomic.__enter__()
        return self._connection

    def __exit__(self, *error: Any) -> None:
        self._atomic.__exit__(*error)
