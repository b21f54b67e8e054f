"""Connections of every role, the owner's and the superuser's among them: here alone they are allowed."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg import sql

from sessions_log import wiring
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.recording import Recorder
from sessions_log.management.commands.verify import SHOWN_FAULTS
from sessions_log.ports import HeadRefused, KeyDestroyed
from tests.conftest import Servers
from tests.integration.api import accepted
from tests.organizations import Tenant, make_tenant, session_record

Connect = Callable[[str], psycopg.Connection[Any]]
Verify = Callable[..., list[str]]
Tamper = Callable[..., None]
ENTRIES = 600
GUARDED = ("sessionlog", "leafbundle", "treenode", "checkpoint", "statement", "tombstone", "verification")


@pytest.fixture
def connect(servers: Servers, db: None) -> Iterator[Connect]:
    """A connection in autocommit as a role: owner, superuser, or a process's own; intake as web becomes it."""
    with ExitStack() as stack:

        def connected(role: str) -> psycopg.Connection[Any]:
            if role == "superuser":
                return stack.enter_context(servers.postgres.as_superuser("muniment"))
            url = servers.url("web" if role == "intake" else role)
            connection = stack.enter_context(psycopg.connect(url, autocommit=True))
            if role == "intake":
                connection.execute("SET ROLE muniment_intake")
            return connection

        yield connected


@pytest.fixture
def store(servers: Servers, db: None) -> Iterator[PostgresRecorderStore]:
    """The recorder's storage, in its own role."""
    store = PostgresRecorderStore(lambda: servers.url("recorder"), 0)
    yield store
    store.close()


@pytest.fixture
def record_all(store: PostgresRecorderStore) -> Callable[[], None]:
    """Run the recorder until the inbox is empty."""
    recorder = Recorder(store, wiring.keyring())

    def run() -> None:
        while recorder.record_batch(datetime.now(UTC)):
            pass

    return run


@pytest.fixture
def publish(store: PostgresRecorderStore, record_all: Callable[[], None]) -> Callable[[], None]:
    """Record what was sent, and sign."""

    def run() -> None:
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            wiring.checkpointer(store, 0).publish(datetime.now(UTC))

    return run


@pytest.fixture
def tenant(publish: Callable[[], None]) -> Tenant:
    """An organization with two whole bundles and a tail, and two checkpoints."""
    tenant = make_tenant()
    for count in (100, ENTRIES - 100):
        accepted(tenant, [session_record(sessionId=f"s-{at % 7}", ipAddress="192.0.2.1") for at in range(count)])
        publish()
    return tenant


@pytest.fixture
def verify(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> Verify:
    """The faults that the command names, without the organization's name, in its order."""

    def run(*arguments: str) -> list[str]:
        is_well = False
        with suppress(CommandError):
            call_command("verify", "--organization", tenant.organization.slug, *arguments)
            is_well = True
        told = capsys.readouterr()
        faults = [line.removeprefix(f"{tenant.organization.slug}: ") for line in told.err.splitlines()]
        assert is_well is (not faults)
        assert min(json.loads(told.out)["faults"], SHOWN_FAULTS) == len(faults)
        return faults

    return run


@pytest.fixture
def tamper(connect: Connect, tenant: Tenant) -> Tamper:
    """Do something to the organization's rows of a table, past its trigger: {org} stands for the organization."""
    connection = connect("superuser")

    def run(table: str, statement: str, *values: Any) -> None:
        with connection.transaction():
            name = sql.Identifier(f"sessions_log_{table}")
            is_guarded = table in GUARDED
            if is_guarded:
                connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER evidence").format(name))
            done = connection.execute(statement.format(org=tenant.organization.id).encode(), values or None)
            assert done.rowcount
            if is_guarded:
                connection.execute(sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER evidence").format(name))

    return run
