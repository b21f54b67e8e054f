"""What the supervisor leaves in the data folder, for itself after a crash and for management commands."""

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

# What this begins with, a production start refuses.
MADE_UP = "development-"
OWNER_ROLE = "muniment_owner"
WEB_ROLE = "muniment_web"
# Variables that hold the URL of a process's own role, for commands that must act as that process.
ROLE_VARIABLES = {
    "DATABASE_URL_RECORDER": "muniment_recorder",
    "DATABASE_URL_FOLLOWER": "muniment_follower",
    "DATABASE_URL_WORKER": "muniment_worker",
    "DATABASE_URL_BEAT": "muniment_beat",
    "DATABASE_URL_RETENTION": "muniment_retention",
}
PROCESS_ROLES = (WEB_ROLE, *ROLE_VARIABLES.values())


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder (MUNIMENT_HOME) and where things lie in it."""

    folder: Path

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def valkey(self) -> Path:
        return self.folder / "valkey"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def keyring(self) -> Path:
        return self.folder / "keyring"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        return self.folder / "supervisor.lock"

    @property
    def first_sign_in(self) -> Path:
        return self.folder / "first-sign-in.txt"

    def create(self) -> None:
        """Make what is missing of the folder; what exists keeps its mode.

        As root the folder itself may be passed through (not listed), because PostgreSQL runs under another
        account; everything in it is closed to others.
        """
        if not self.folder.exists():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir()
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for private in (self.logs, self.keyring, self.valkey):
            private.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was made up at the first start: the passwords of both servers and the portal's own secret."""

    database: str
    valkey: str
    portal: str

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the file, or make it up and store it for good before anything depends on it."""
        if path.exists():
            stored = json.loads(path.read_text())
            return cls(database=stored["database"], valkey=stored["valkey"], portal=stored["portal"])
        made = cls(secrets.token_hex(32), secrets.token_hex(32), f"{MADE_UP}{secrets.token_urlsafe(64)}")
        write_private(path, {"database": made.database, "valkey": made.valkey, "portal": made.portal})
        return made

    def role_password(self, role: str) -> str:
        """The password of a database role, derived, so that any role has one without a list of them."""
        return hmac.new(self.database.encode(), role.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class State:
    """The contents of state.json. Empty where the file is missing or was cut short by a crash."""

    url: str = ""
    supervisor_pid: int = 0
    ports: dict[str, int] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    prepared: str = ""
    demo_filled: str = ""

    @classmethod
    def load(cls, path: Path) -> Self:
        try:
            stored = json.loads(path.read_text())
            return cls(**stored)
        except (OSError, ValueError, TypeError):
            return cls()

    def save(self, path: Path) -> None:
        write_private(
            path,
            {
                "url": self.url,
                "supervisor_pid": self.supervisor_pid,
                "ports": self.ports,
                "pids": self.pids,
                "environment": self.environment,
                "prepared": self.prepared,
                "demo_filled": self.demo_filled,
            },
        )


def running_urls(home: Path) -> dict[str, str] | None:
    """What a management command needs to reach the running servers of this data folder.

    Keys are names of environment variables: DATABASE_URL (the portal's role), DATABASE_URL_OWNER,
    DATABASE_URL_RECORDER, _FOLLOWER, _WORKER, _BEAT and _RETENTION, VALKEY_URL, MUNIMENT_SECRET_KEY,
    MUNIMENT_KEYRING, MUNIMENT_PUBLIC_URL, PORT, and where they were set MUNIMENT_ENV and
    MUNIMENT_TRUSTED_PROXIES. None where no supervisor is running.
    """
    state = State.load(Home(home).state)
    if not state.environment or not is_running(state.supervisor_pid):
        return None
    return dict(state.environment)


def is_running(pid: int) -> bool:
    """Whether a process of this id exists, ours or not."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_private(path: Path, content: object) -> None:
    """Replace a file by this JSON in one step: readers see the old or the new one, also after a power cut."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as stream:
            json.dump(content, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
