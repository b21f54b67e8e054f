"""A whole portal of its own for a test module: real supervisor, real servers, in a temporary folder.

Making a cluster and preparing the database takes longest, so it is done once per run; each module works on a copy.
"""

import atexit
import functools
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from config.supervisor.portal import readiness
from config.supervisor.postgres import SUPERUSER
from config.supervisor.processes import Process, end, free_port, processes_in, spawn
from config.supervisor.state import Home, Secrets, State, running_urls

ROOT = Path(__file__).resolve().parent.parent.parent
# What a test run sets for itself must not reach the portal.
FOREIGN = ("DATABASE_URL", "VALKEY_URL", "MUNIMENT_", "DJANGO_", "PORT")
UP_WITHIN_S = 120
RECORDED_WITHIN_S = 60
ORGANIZATION = "command-center"
SERVICE = "first-service"
_MAKE_ORGANIZATION = """
from sessions_log import wiring
from sessions_log.commands.organizations import AddService, CreateOrganization, add_service, create_organization
from sessions_log.commands.service_keys import IssueKey, issue_key
from sessions_log.domain.portal_action import Actor
actor, ports = Actor(user="tests", session="tests"), wiring.ports()
made = create_organization(CreateOrganization(slug="%(slug)s", name="Trattoria Due", actor=actor), ports)
service = add_service(AddService(organization_id=made, name="orders", actor=actor), ports)
print(issue_key(IssueKey(service_id=service, scopes=("ingest", "read", "identities"), actor=actor), ports))
"""
_CHANGE_ORGANIZATION = """
from sessions_log import wiring
from sessions_log.commands.organizations import ChangeOrganization, change_organization
from sessions_log.domain.portal_action import Actor
from sessions_log.models import Organization
organization = Organization.objects.get(slug="%(slug)s")
change_organization(ChangeOrganization(organization_id=organization.id, name=organization.name,
    accepts_back_days=%(days)d, actor=Actor(user="tests", session="tests")), wiring.ports())
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said, and how long it took to say it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    took_s: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class RunningPortal:
    """A supervisor and its children."""

    home: Home
    process: Process
    port: int
    token: str = field(repr=False)

    def connect(self, role: str = "muniment_owner") -> psycopg.Connection:
        """The database as this role, in autocommit."""
        secrets = Secrets.load_or_create(self.home.secrets)
        password = secrets.role_password(role)
        port = State.load(self.home.state).ports["postgres"]
        url = f"postgresql://{role}:{password}@127.0.0.1:{port}/muniment"
        return psycopg.connect(url, autocommit=True, connect_timeout=5)

    def as_superuser(self) -> psycopg.Connection:
        return self.connect(SUPERUSER)

    def scalar(self, query: str, *values: Any) -> Any:
        """The first column of the first row, asked by the owner."""
        with self.connect() as connection:
            row = connection.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]

    def pid(self, name: str) -> int:
        """The process of this name as the supervisor last noted it; 0 where there is none."""
        return State.load(self.home.state).pids.get(name, 0)

    def manage(
        self, *arguments: str, check: bool = True, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a management command as an operator would, who knows only MUNIMENT_HOME.

        environment: another than his.
        """
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment or self.operator(),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def operator(self) -> dict[str, str]:
        """The environment of an operator's terminal."""
        return clean_environment() | {"MUNIMENT_HOME": str(self.home.folder)}

    def make_organization(self, slug: str) -> str:
        """An organization of this name. Returns a service key of its service `orders`."""
        return self.manage("shell", "--verbosity=0", "--command", _MAKE_ORGANIZATION % {"slug": slug}).stdout.strip()

    def accept_back(self, slug: str, days: int) -> None:
        """What an officer does on the organization's page."""
        self.manage("shell", "--verbosity=0", "--command", _CHANGE_ORGANIZATION % {"slug": slug, "days": days})

    def client(self, token: str | None = None, timeout_s: float = 30.0) -> "Client":
        return Client(self.port, token or self.token, timeout_s)

    def wait_until_ready(self) -> None:
        wait_until(lambda: readiness(self.port) == 200, UP_WITHIN_S, "the portal is ready")

    def wait_until_recorded(self) -> None:
        """Wait until nothing waits in the inbox and every follower has applied every batch."""
        wait_until(lambda: self._waiting() == 0, RECORDED_WITHIN_S, "everything is recorded and followed")

    def _waiting(self) -> int:
        return int(
            self.scalar(
                """
                SELECT (SELECT count(*) FROM sessions_log_inbox i
                        WHERE NOT EXISTS (SELECT FROM sessions_log_outcome o WHERE o.id = i.id))
                     + (SELECT count(*) FROM sessions_log_batch b, sessions_log_followerposition f
                        WHERE b.number > f.batch)
                """
            )
        )


@dataclass(slots=True)
class Client:
    """One keep-alive connection of a service; not shared between threads."""

    port: int
    token: str = field(repr=False)
    timeout_s: float
    _connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, content_type: str = "application/json", **headers: str) -> Answer:
        """Send records. Raises OSError or HTTPException when no whole answer comes."""
        return self._request("POST", "/api/v1/session-logs", body, {"Content-Type": content_type, **headers})

    def send(self, records: Any) -> Answer:
        return self.post(json.dumps(records).encode())

    def get(self, path: str) -> Answer:
        return self._request("GET", path, None, {})

    def pages(self, query: str) -> Iterator[list[dict[str, Any]]]:
        """Every page of a search of session logs."""
        path: str | None = f"/api/v1/session-logs?limit=500&{query}"
        while path:
            answer = self.get(path)
            assert answer.status == 200, answer.body
            page = answer.json()
            yield page["results"]
            path = page["next"] and page["next"].partition(f":{self.port}")[2]

    def results(self, query: str) -> list[dict[str, Any]]:
        return [result for page in self.pages(query) for result in page]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        own = {"Authorization": f"Bearer {self.token}", "Host": f"localhost:{self.port}"}
        begun = time.monotonic()
        try:
            self._connection.request(method, path, body, own | headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        return Answer(response.status, response.headers, content, time.monotonic() - begun)


@contextmanager
def running_portal(prepare: Callable[[Home, ExitStack], None] | None = None) -> Iterator[RunningPortal]:
    """A portal without demo data, up and ready.

    prepare: may change its folder before the start, and leave on the stack what undoes that after the stop.
    """
    with ExitStack() as undone:
        parent = _open_folder("muniment-faults-")
        undone.callback(shutil.rmtree, parent)
        home = Home(parent / "home")
        _copy(_prepared_home(), home.folder)
        if prepare:
            prepare(home, undone)
        portal = _start(home)
        undone.callback(_stop, portal)
        portal.wait_until_ready()
        yield portal


def wait_until(fact: Callable[[], bool], limit_s: float, what: str) -> None:
    """Wait for a fact; while the database is away it is not one."""
    deadline = time.monotonic() + limit_s
    while not _is_so(fact):
        assert time.monotonic() < deadline, f"not so within {limit_s} s: {what}"
        time.sleep(0.05)


def clean_environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """These processes stand still."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def postgres_processes(portal: RunningPortal) -> list[int]:
    """The server and its backends, the server first."""
    server = portal.pid("postgres")
    return sorted(processes_in(portal.home.postgres, "postgres"), key=lambda pid: pid != server)


def _is_so(fact: Callable[[], bool]) -> bool:
    try:
        return fact()
    except (psycopg.Error, OSError, http.client.HTTPException):
        return False


@functools.cache
def _prepared_home() -> Path:
    """A data folder whose database is prepared and whose portal is stopped."""
    parent = _open_folder("muniment-prepared-")
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    home = Home(parent / "home")
    portal = _start(home)
    try:
        portal.wait_until_ready()
    finally:
        _stop(portal)
    return home.folder


def _open_folder(prefix: str) -> Path:
    # Not pytest's own folder: as root nobody else may enter that, PostgreSQL's account neither.
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder


def _copy(source: Path, target: Path) -> None:
    """Copy a data folder, owners and modes included."""
    subprocess.run(["/bin/cp", "-a", str(source), str(target)], check=True)


def _start(home: Home) -> RunningPortal:
    port = free_port(None)
    environment = {"MUNIMENT_HOME": str(home.folder), "MUNIMENT_DEMO": "0", "PORT": str(port)}
    log = home.folder.with_name("supervisor.log")
    process = spawn(
        [sys.executable, "-m", "config.supervisor"], log=log, env=clean_environment() | environment, cwd=ROOT
    )

    def is_up() -> bool:
        assert process.poll() is None, log.read_text()
        return f"ready http://localhost:{port}" in log.read_text()

    try:
        wait_until(is_up, UP_WITHIN_S, "the supervisor says ready")
    except BaseException:
        end(process, signal.SIGTERM, 20)
        raise
    token = home.first_sign_in.read_text().split()[-1]
    return RunningPortal(home, process, port, token)


def _stop(portal: RunningPortal) -> None:
    with suppress(ProcessLookupError):
        os.kill(portal.process.pid, signal.SIGCONT)
    end(portal.process, signal.SIGTERM, 30)
    assert running_urls(portal.home.folder) is None
