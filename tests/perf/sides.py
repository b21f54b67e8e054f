"""The two sides of the comparison, and the PostgreSQL server they share."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import sql

from tests.perf.shape import web_command

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 300.0
CLASSIC_DATABASE = "classic"


@dataclass(frozen=True, slots=True)
class Server:
    """The PostgreSQL server, by its superuser."""

    port: int
    user: str
    password: str

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def setting(self, name: str) -> str:
        with self.connect("postgres") as connection:
            return str(one(connection, "SELECT current_setting(%s)", name))

    def checkpoint(self) -> None:
        with self.connect("postgres") as connection:
            connection.execute("CHECKPOINT")


class Side(Protocol):
    """One of the two that answer the same requests."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def key(self) -> str: ...

    @property
    def answers_when_recorded(self) -> bool:
        """Whether an acknowledged record is in the table already, with nothing to wait for."""

    def stored(self) -> int:
        """How many entries stand in the table that is read."""

    def wait_until_recorded(self) -> None:
        """Return when all that was acknowledged is stored and every read model has it."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The classic project, running. What it acknowledges is recorded."""

    server: Server
    port: int
    key: str
    name: str = "baseline"
    answers_when_recorded: bool = True

    def stored(self) -> int:
        with self.server.connect(CLASSIC_DATABASE) as connection:
            return int(one(connection, "SELECT count(*) FROM activity_sessionlog"))

    def wait_until_recorded(self) -> None:
        return


@contextlib.contextmanager
def running_baseline(server: Server, folder: Path) -> Iterator[Baseline]:
    """A fresh database with the classic table, its web server, and a key."""
    port = free_port()
    with server.connect("postgres") as connection:
        name = sql.Identifier(CLASSIC_DATABASE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    environment = os.environ | {
        "CLASSIC_SECRET_KEY": secrets.token_urlsafe(64),
        "CLASSIC_DB_NAME": CLASSIC_DATABASE,
        "CLASSIC_DB_HOST": "127.0.0.1",
        "CLASSIC_DB_PORT": str(server.port),
        "CLASSIC_DB_USER": server.user,
        "CLASSIC_DB_PASSWORD": server.password,
    }
    manage("tests.perf.classic.manage", "migrate", "--verbosity=0", environment=environment)
    key = manage("tests.perf.classic.manage", "create_classic_key", environment=environment)
    command = web_command("tests.perf.classic.wsgi:application", port, folder)
    with started(command, environment, folder / "classic.log"):
        wait_for_port(port)
        yield Baseline(server=server, port=port, key=key)


def manage(module: str, *arguments: str, environment: Mapping[str, str]) -> str:
    """Run a management command to its end and give the last line it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip().rpartition("\n")[2]


@contextlib.contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is asked to end on leaving, and killed when it does not."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int) -> None:
    """Return once something listens. Raises TimeoutError."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one(connection: psycopg.Connection, query: str, *values: object) -> Any:
    """The only value of the only row."""
    row = connection.execute(query, values or None).fetchone()
    if row is None:
        raise LookupError("the query gave no row")
    return row[0]
