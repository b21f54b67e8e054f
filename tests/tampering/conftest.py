"""Connections of every role, the owner's and the superuser's among them: here alone they are allowed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sessions_log import wiring
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.recording import Recorder
from tests.conftest import Servers

Connect = Callable[[str], psycopg.Connection[Any]]


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
