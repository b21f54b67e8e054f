"""`make up`: the servers, the portal and its jobs on this machine, until Ctrl-C.

Environment: PORT, MUNIMENT_HOME, MUNIMENT_DEMO=0 for no demo data; DATABASE_URL (with DATABASE_URL_OWNER) and
VALKEY_URL where servers of your own are to be used.
"""

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config.supervisor import portal, postgres, valkey
from config.supervisor.processes import (
    Process,
    StartFailed,
    end_all,
    port_is_free,
    processes_of,
    spawn,
)
from config.supervisor.services import Service, Services, StopRequested
from config.supervisor.state import (
    OWNER_ROLE,
    PROCESS_ROLES,
    ROLE_VARIABLES,
    WEB_ROLE,
    Home,
    Secrets,
    State,
)

USUAL_PORT = 8000
HIGHEST_PORT = 65_535
READY_WITHIN_S = 120


def say(line: str) -> None:
    """Print a line of progress; a terminal that was closed meanwhile is no reason to stop."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class Portal:
    """One run of everything, from the servers to the sign-in."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.secrets = Secrets.load_or_create(home.secrets)
        self.state = State.load(home.state)
        self.state.pids = {}
        self.state.environment = {}
        self.state.supervisor_pid = os.getpid()
        self.services = Services(say=say, changed=self._remember_pids)
        self.database: postgres.PostgresServer | None = None

    def run(self) -> None:
        """Start all, say so, and keep all running until a stop is requested."""
        begun = time.monotonic()
        end_all(
            lambda: processes_of(self.home.folder),
            [(None, 0.5), (signal.SIGTERM, 4), (signal.SIGKILL, 4)],
        )
        port = self._web_port()
        self.state.url = f"http://localhost:{port}"
        self.state.save(self.home.state)
        self._start_servers(port)
        self._prepare()
        for name, (role, argv) in portal.command_lines(port, self.home).items():
            self.services.start(self._service(name, role, argv))
        self._wait_until_ready(port)
        self._fill_demo()
        self._greet(time.monotonic() - begun)
        self.services.tend_until(lambda: False)

    def stop(self) -> None:
        """Stop all, and leave word that nothing runs here any more."""
        self.services.stop()
        self.state.pids = {}
        self.state.environment = {}
        self.state.supervisor_pid = 0
        self.state.save(self.home.state)

    def _web_port(self) -> int:
        wanted = os.environ.get("PORT", "")
        if wanted and not (wanted.isascii() and wanted.isdecimal() and 0 < int(wanted) <= HIGHEST_PORT):
            raise StartFailed(f"PORT must be a whole number from 1 to {HIGHEST_PORT}.")
        port = int(wanted) if wanted else self.state.ports.get("web", USUAL_PORT)
        if not port_is_free(port):
            if wanted:
                raise StartFailed(f"Port {port} is taken by another program. Choose one: PORT=8001 make up")
            taken, port = port, next(filter(port_is_free, range(USUAL_PORT + 1, USUAL_PORT + 1000)))
            say(f"port {taken} is taken by another program; this portal uses {port}")
        self.state.ports["web"] = port
        return port

    def _start_servers(self, port: int) -> None:
        self.state.environment = {
            **self._database_addresses(),
            "VALKEY_URL": self._valkey_url(),
            "MUNIMENT_SECRET_KEY": os.environ.get("MUNIMENT_SECRET_KEY") or self.secrets.portal,
            "MUNIMENT_KEYRING": os.environ.get("MUNIMENT_KEYRING") or str(self.home.keyring),
            "MUNIMENT_PUBLIC_URL": os.environ.get("MUNIMENT_PUBLIC_URL") or self.state.url,
            "PORT": str(port),
            **portal.said_of_production(),
        }
        self.state.save(self.home.state)

    def _database_addresses(self) -> dict[str, str]:
        if os.environ.get("DATABASE_URL"):
            return portal.own_addresses(os.environ)
        log = self.home.logs / "postgres.log"
        self.database = server = postgres.server_for(
            self.home.postgres, secrets=self.secrets, log=log, port=self.state.ports.get("postgres"), say=say
        )
        self.services.start(Service("postgres", server.start, log, stop_signal=signal.SIGINT))
        server.wait_until_ready(self.services.pause)
        server.create_database()
        self.state.ports["postgres"] = server.port
        say(f"PostgreSQL is up on port {server.port}")
        return {
            "DATABASE_URL": server.url(WEB_ROLE),
            "DATABASE_URL_OWNER": server.url(OWNER_ROLE),
            **{variable: server.url(role) for variable, role in ROLE_VARIABLES.items()},
        }

    def _valkey_url(self) -> str:
        if url := os.environ.get("VALKEY_URL"):
            return url
        log = self.home.logs / "valkey.log"
        server = valkey.server_for(self.home.valkey, secrets=self.secrets, log=log, port=self.state.ports.get("valkey"))
        self.services.start(Service("valkey", server.start, log))
        server.wait_until_ready(self.services.pause)
        self.state.ports["valkey"] = server.port
        say(f"Valkey is up on port {server.port}")
        return server.url()

    def _prepare(self) -> None:
        """Roles, migrations and the first organization; nothing where nothing changed since the last time."""
        fingerprint = portal.fingerprint(self._cluster())
        if self.database is not None and fingerprint == self.state.prepared:
            return
        if self.state.environment["DATABASE_URL_OWNER"]:
            owner = portal.owner_environment(self.state.environment, self.home)
            self._run("prepare_database", owner)
            if self.database is not None:
                self.database.allow_login(PROCESS_ROLES)
        else:
            say("DATABASE_URL_OWNER is not set: roles and migrations are left as they are")
        self._run("bootstrap", portal.child_environment(self.state.environment, self.home))
        self.state.prepared = fingerprint
        self.state.save(self.home.state)
        say("the database is prepared")

    def _run(self, command: str, env: dict[str, str]) -> None:
        log = self.home.logs / "prepare.log"
        self.services.run(command, portal.management(command), env=env, cwd=portal.ROOT, log=log)

    def _cluster(self) -> str:
        return self.database.identity() if self.database else self.state.environment["DATABASE_URL"]

    def _service(self, name: str, role: str, argv: list[str]) -> Service:
        log = self.home.logs / f"{name}.log"
        env = portal.child_environment(self.state.environment, self.home, role=role)

        def launch() -> Process:
            return spawn(argv, log=log, env=env, cwd=portal.ROOT)

        return Service(name, launch, log)

    def _wait_until_ready(self, port: int) -> None:
        def ready() -> bool:
            self.services.give_up_on_the_dying()
            return portal.readiness(port) == 200

        if not self.services.tend_until(ready, READY_WITHIN_S):
            say(f"not ready after {READY_WITHIN_S} s, but running: {self.state.url}/healthz/ready says why")

    def _fill_demo(self) -> None:
        cluster = self._cluster()
        is_wanted = os.environ.get("MUNIMENT_DEMO") != "0" and os.environ.get("MUNIMENT_ENV") != "production"
        if not is_wanted or self.state.demo_filled == cluster:
            return
        say("filling in demo data (MUNIMENT_DEMO=0 leaves it out)")
        self._run("fill_demo", portal.child_environment(self.state.environment, self.home))
        self.state.demo_filled = cluster
        self.state.save(self.home.state)

    def _greet(self, seconds: float) -> None:
        say(f"ready {self.state.url}")
        if self.home.first_sign_in.exists():
            say(self.home.first_sign_in.read_text().rstrip())
        say(f"Started in {seconds:.0f} s. Data and logs: {self.home.folder}. Ctrl-C stops everything.")

    def _remember_pids(self, pids: dict[str, int]) -> None:
        self.state.pids = pids
        self.state.save(self.home.state)


@contextlib.contextmanager
def lock(home: Home) -> Iterator[bool]:
    """Whether this process may run the data folder; nobody else may while it does. Ends with the process."""
    with home.lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def main() -> int:
    """Run until stopped. Gives the exit code: 0 stopped as asked, 1 did not come up."""
    home = Home(Path(os.environ.get("MUNIMENT_HOME") or portal.ROOT / ".data").resolve())
    try:
        home.create()
        with lock(home) as ours:
            if not ours:
                running = State.load(home.state)
                say(f"Muniment is already up from {home.folder}: {running.url} (pid {running.supervisor_pid})")
                return 1
            return _supervise(Portal(home))
    except PermissionError:
        say(f"{home.folder} belongs to another account. Choose another: MUNIMENT_HOME=/path make up")
        return 1
    except (FileExistsError, NotADirectoryError):
        say(f"{home.folder} is no folder. Choose one: MUNIMENT_HOME=/path make up")
        return 1


def _supervise(run: Portal) -> int:
    stop: Callable[..., None] = run.services.request_stop
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it to outlive the terminal
        signal.signal(signal.SIGHUP, stop)
    try:
        run.run()
    except StopRequested:
        say("stopping")
        return 0
    except StartFailed as error:
        say(str(error))
        return 1
    finally:
        run.stop()
        say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
