"""The product, started as its users start it, in a data folder of its own."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.supervisor.postgres import DATABASE, SUPERUSER
from config.supervisor.state import Home, Secrets, State
from tests.perf.sides import START_LIMIT_S, Server, free_port, manage, one, started

POLL_S = 0.05
CATCH_UP_LIMIT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Product:
    """The running product. What it acknowledges lies in the inbox until recorder and followers took it."""

    server: Server
    home: Path
    port: int
    key: str
    organization_id: int
    organization: str
    name: str = "product"
    answers_when_recorded: bool = False

    def connect(self) -> psycopg.Connection:
        return self.server.connect(DATABASE)

    def stored(self) -> int:
        """How many records have their place in the organization's ledger."""
        with self.connect() as connection:
            return records_of(connection, self.organization_id)

    def wait_until_recorded(self) -> None:
        """Poll until the recorder is past the inbox's last row and each follower past the last batch.

        Raises TimeoutError.
        """
        deadline = time.monotonic() + CATCH_UP_LIMIT_S
        with self.connect() as connection:
            while not (is_recorded(connection) and is_followed(connection)):
                if time.monotonic() > deadline:
                    raise TimeoutError("the recorder or a follower does not catch up")
                time.sleep(POLL_S)

    def manage(self, *arguments: str) -> str:
        """Run a management command against the running servers; gives its last line."""
        return manage("manage", *arguments, environment=environment(self.home))


def is_recorded(connection: psycopg.Connection) -> bool:
    """Whether each lane's position has reached the last row of the inbox."""
    behind = one(
        connection,
        """
        SELECT EXISTS (
            SELECT FROM (SELECT DISTINCT shard FROM sessions_log_organization) AS shards
            CROSS JOIN (VALUES (0), (1)) AS lanes (lane)
            CROSS JOIN LATERAL (
                SELECT xid, serial FROM sessions_log_inbox AS inbox
                WHERE inbox.shard = shards.shard AND inbox.lane = lanes.lane
                ORDER BY xid DESC, serial DESC LIMIT 1
            ) AS newest
            LEFT JOIN sessions_log_recorderposition AS position
                ON (position.shard, position.lane) = (shards.shard, lanes.lane)
            WHERE position.id IS NULL OR (position.xid, position.serial) < (newest.xid, newest.serial)
        )
        """,
    )
    return not behind


def is_followed(connection: psycopg.Connection) -> bool:
    """Whether each follower has applied the last batch of each shard."""
    behind = one(
        connection,
        """
        SELECT EXISTS (
            SELECT FROM sessions_log_followerposition AS position
            JOIN (SELECT shard, max(number) AS number FROM sessions_log_batch GROUP BY shard) AS last
                USING (shard)
            WHERE position.batch < last.number
        )
        """,
    )
    return not behind


def records_of(connection: psycopg.Connection, organization_id: int) -> int:
    """The ledger's size without the product's own statements, which come while nothing is sent, too."""
    row = connection.execute(
        "SELECT size - (SELECT count(*) FROM sessions_log_statement s WHERE s.organization_id = h.organization_id)"
        " FROM sessions_log_ledgerhead h WHERE organization_id = %s",
        (organization_id,),
    ).fetchone()
    return int(row[0]) if row else 0


@contextlib.contextmanager
def running_product(folder: Path) -> Iterator[Product]:
    """`make up` without demo data in this folder, and a key that may send, read and open identities."""
    folder.mkdir()
    folder.chmod(0o711)
    home, port, log = folder / "home", free_port(), folder / "product.log"
    variables = environment(home) | {"PORT": str(port), "MUNIMENT_DEMO": "0"}
    with started([sys.executable, "-m", "config.supervisor"], variables, log) as process:
        wait_until_ready(process, log)
        state = State.load(Home(home).state)
        password = Secrets.load_or_create(Home(home).secrets).role_password(SUPERUSER)
        server = Server(port=state.ports["postgres"], user=SUPERUSER, password=password)
        with server.connect(DATABASE) as connection:
            row = connection.execute(
                "SELECT id, slug FROM sessions_log_organization WHERE slug <> 'portal' ORDER BY id LIMIT 1"
            ).fetchone()
        if row is None:
            raise LookupError("the first start made no organization")
        yield Product(
            server=server,
            home=home,
            port=port,
            key=new_key(home, row[1]),
            organization_id=row[0],
            organization=row[1],
        )


def new_key(home: Path, organization: str) -> str:
    scopes = [part for scope in ("ingest", "read", "identities") for part in ("--scope", scope)]
    return manage(
        "manage",
        "create_service_key",
        *("--organization", organization, "--service", "bench", "--records-per-minute", "100000000"),
        *scopes,
        environment=environment(home),
    )


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    """Return at the supervisor's `ready` line. Raises ChildProcessError or TimeoutError."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if any(line.startswith("ready ") for line in log.read_text().splitlines()):
            return
        if process.poll() is not None:
            raise ChildProcessError(f"the product did not start; see {log}")
        time.sleep(0.1)
    raise TimeoutError(f"the product was not ready after {START_LIMIT_S:.0f} s; see {log}")


def environment(home: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    return inherited | {"MUNIMENT_HOME": str(home)}
