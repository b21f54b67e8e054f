"""A production start against Debian's PostgreSQL and Redis over TLS: what is verified works, nothing else does."""

import json
import os
import secrets
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from signal import SIGTERM
from typing import Any

import psycopg
import pytest
from celery import Celery

from config.env import broker
from config.supervisor.portal import command_lines
from config.supervisor.processes import end, free_port, spawn, tail
from config.supervisor.state import PROCESS_ROLES, Home
from tests.e2e.tls_servers import (
    HOST,
    PROXY_ADDRESS,
    ROLE_PASSWORD,
    Authority,
    Postgres,
    Valkey,
    tls_postgres,
    tls_proxy,
    tls_valkey,
    until,
)

ROOT = Path(__file__).resolve().parent.parent.parent
SESSION_LOGS = "/api/v1/session-logs"
PORTAL_SECRET = secrets.token_urlsafe(64)
pytestmark = pytest.mark.slow

# Tries each driver as the product has set it up: psycopg, django-redis (limits) and Celery (jobs).
CONNECT = """
import django, psycopg
django.setup()
from config.celery import app
from sessions_log.wiring import conninfo, valkey_answers

def tried(connect):
    try:
        connect()
    except Exception as error:
        return f"{type(error).__name__} {error}"
    return "connected"

print("database:", tried(lambda: psycopg.connect(conninfo())))
print("limits:", valkey_answers())
print("jobs:", tried(lambda: app.connection_for_write().ensure_connection(max_retries=1, interval_start=0)))
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the web process; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Installation:
    """A production installation: its servers, its folder, and the processes that a test starts in it."""

    def __init__(self, folder: Path, authority: Authority, postgres: Postgres, valkey: Valkey) -> None:
        self.home = Home(folder)
        self.home.keyring.mkdir(mode=0o700, parents=True)
        self.home.logs.mkdir()
        self.authority, self.postgres, self.valkey = authority, postgres, valkey
        self.public_port = free_port(None)
        self.url = f"https://{HOST}:{self.public_port}"

    def environment(self, role: str = "web", **changed: str) -> dict[str, str]:
        """The environment of a process, with nothing of this one's but the path."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home.folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MUNIMENT_ENV": "production",
            "MUNIMENT_HOME": str(self.home.folder),
            "MUNIMENT_SECRET_KEY": PORTAL_SECRET,
            "MUNIMENT_PUBLIC_URL": self.url,
            "MUNIMENT_TRUSTED_PROXIES": PROXY_ADDRESS,
            "DATABASE_URL": self.postgres.url(f"muniment_{role}"),
            "VALKEY_URL": self.valkey.url(),
            **changed,
        }

    def run(self, *argv: str, role: str = "web", **changed: str) -> subprocess.CompletedProcess[str]:
        """A Python program of the product, to its end."""
        environment = self.environment(role, **changed)
        return subprocess.run(
            [sys.executable, *argv], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60
        )

    def prepare_database(self) -> None:
        """Roles, tables and rights, as `docs/operations.md` has it."""
        passwords = {
            f"MUNIMENT_PASSWORD_{role.removeprefix('muniment_').upper()}": ROLE_PASSWORD for role in PROCESS_ROLES
        }
        owner = self.postgres.url("muniment_owner")
        ended = self.run("manage.py", "prepare_database", DATABASE_URL_OWNER=owner, **passwords)
        assert ended.returncode == 0, ended.stderr

    def service_key(self) -> str:
        """A new key that may do all."""
        scopes = ("--scope=ingest", "--scope=read", "--scope=identities")
        ended = self.run("manage.py", "create_service_key", "--organization=command-center", *scopes)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    @contextmanager
    def running(self, name: str, *, port: int = 0, more: tuple[str, ...] = (), **changed: str) -> Iterator[Path]:
        """One of the long-running processes, by the command line that the product gives it; its log."""
        role, argv = command_lines(port, self.home)[name]
        log = self.home.logs / f"{name}-{port}.log"
        environment = self.environment(role.lower() or "web", **changed)
        process = spawn([*argv, *more], log=log, env=environment, cwd=ROOT)
        try:
            yield log
        finally:
            end(process, SIGTERM, 10)

    @contextmanager
    def web(self, *, scheme: str = "http", more: tuple[str, ...] = (), **changed: str) -> Iterator[str]:
        """The web process once it is ready; the address of its own port."""
        port = free_port(None)
        own = f"{scheme}://{HOST}:{port}"
        with self.running("web", port=port, more=more, **changed) as log:
            until(lambda: self.is_ready(own), lambda: tail(log))
            yield own

    def is_ready(self, address: str) -> bool:
        try:
            return self.ask(f"{address}/healthz/ready").status == 200
        except urllib.error.URLError:
            return False

    def ask(self, url: str, body: Any = None, **headers: str) -> Answer:
        """One request that trusts the authority alone and follows no redirect."""
        sent = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        request = urllib.request.Request(url, sent, {"Content-Type": "application/json", **named})
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.authority.ca))
        try:
            with urllib.request.build_opener(tls, _NoRedirect()).open(request, timeout=10) as answer:
                return _read(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return _read(refused)


def _read(answer: Any) -> Answer:
    return Answer(answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.read())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def record() -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "sessionId": "s-1",
        "userId": "m.russo",
        "timestamp": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
        "action": "record.view",
    }


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Servers and database, prepared."""
    folder = tmp_path_factory.mktemp("production")
    authority = Authority.make(folder / "authority")
    with tls_postgres(authority) as postgres, tls_valkey(authority, folder / "valkey") as valkey:
        made = Installation(folder / "home", authority, postgres, valkey)
        made.prepare_database()
        bootstrapped = made.run("manage.py", "bootstrap")
        assert bootstrapped.returncode == 0, bootstrapped.stderr
        yield made


@pytest.fixture(scope="module")
def key(installation: Installation) -> str:
    return f"Bearer {installation.service_key()}"


@pytest.fixture(scope="module")
def behind_proxy(installation: Installation) -> Iterator[str]:
    """The web process behind the proxy that it names; the address of its own port."""
    proxy = partial(tls_proxy, installation.authority, installation.public_port)
    with installation.web() as own, proxy(int(own.rpartition(":")[2])):
        yield own


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that did not sign the servers' certificate."""
    return Authority.make(tmp_path_factory.mktemp("other") / "authority")


def rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(installation.postgres.url("postgres")) as connection:
        return connection.execute(query.encode()).fetchall()


def test_owner_who_is_no_superuser_prepares_roles_and_tables(installation: Installation) -> None:
    query = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'muniment_owner'"
    assert rows(installation, query) == [(False, False, True)]
    query = "SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname LIKE 'muniment%' ORDER BY rolname"
    assert rows(installation, query) == [
        ("muniment_beat", True, False),
        ("muniment_follower", True, False),
        ("muniment_intake", False, False),
        ("muniment_owner", True, False),
        ("muniment_recorder", True, False),
        ("muniment_retention", True, False),
        ("muniment_web", True, False),
        ("muniment_worker", True, False),
    ]


def test_database_is_prepared_again_without_harm(installation: Installation) -> None:
    installation.prepare_database()


def test_passwords_of_roles_are_in_no_log_of_the_server(installation: Installation) -> None:
    log = installation.postgres.log.read_text()
    assert 'ALTER ROLE "muniment_web" PASSWORD' in log
    assert ROLE_PASSWORD not in log


def test_record_goes_the_whole_way_over_tls(installation: Installation, key: str, behind_proxy: str) -> None:
    sent = record()
    answer = installation.ask(f"{installation.url}{SESSION_LOGS}", [sent], Authorization=key)
    assert answer.status == 202, answer.body
    receipt = f"{installation.url}{answer.json['receipt']}"
    with installation.running("recorder") as log:
        until(lambda: _is_recorded(installation.ask(receipt, Authorization=key)), lambda: tail(log))
    with installation.running("follower") as log:
        until(lambda: _is_followed(installation), lambda: tail(log))
    found = installation.ask(f"{installation.url}{SESSION_LOGS}?limit=10", Authorization=key).json["results"]
    assert sent["id"] in [one["id"] for one in found]
    ours = next(one for one in found if one["id"] == sent["id"])
    assert {name: ours[name] for name in ("sessionId", "userId", "action")} == {
        name: sent[name] for name in ("sessionId", "userId", "action")
    }


def _is_followed(installation: Installation) -> bool:
    newest = "SELECT max(number) FROM sessions_log_batch"
    return rows(installation, f"SELECT min(batch) = ({newest}) FROM sessions_log_followerposition") == [(True,)]


def _is_recorded(receipt: Answer) -> bool:
    return bool(receipt.json == {**receipt.json, "state": "done", "recorded": 1})


def test_every_connection_is_encrypted_that_of_the_intake_too(
    installation: Installation, key: str, behind_proxy: str
) -> None:
    assert installation.ask(f"{installation.url}{SESSION_LOGS}", [record()], Authorization=key).status == 202
    found = rows(
        installation,
        "SELECT DISTINCT usename::text, application_name = 'intake', ssl"
        " FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE usename LIKE 'muniment%' ORDER BY 2",
    )
    assert found == [("muniment_web", False, True), ("muniment_web", True, True)]


def test_key_in_the_clear_is_refused_and_not_redirected(
    installation: Installation, key: str, behind_proxy: str
) -> None:
    answer = installation.ask(f"{behind_proxy}{SESSION_LOGS}", [record()], Authorization=key)
    assert answer.status == 403
    assert answer.json["detail"].startswith("Keys are taken over https only.")


@pytest.mark.parametrize("header", ["X_Forwarded_Proto", "X_Forwarded_Ssl", "Forwarded"])
def test_peer_that_is_not_named_is_not_believed_to_speak_https(
    installation: Installation, key: str, behind_proxy: str, header: str
) -> None:
    said = {"X_Forwarded_Proto": "https", "X_Forwarded_Ssl": "on", "Forwarded": "proto=https"}[header]
    answer = installation.ask(f"{behind_proxy}{SESSION_LOGS}", [record()], Authorization=key, **{header: said})
    assert answer.status == 403


def test_person_in_the_clear_is_sent_to_the_public_address(installation: Installation, behind_proxy: str) -> None:
    answer = installation.ask(f"{behind_proxy}/admin/")
    assert (answer.status, answer.headers["location"]) == (301, f"{installation.url}/admin/")


@pytest.mark.parametrize("path", ["/admin/login/", SESSION_LOGS, "/healthz/live"])
def test_every_answer_over_https_holds_browsers_to_it_for_two_years(
    installation: Installation, behind_proxy: str, path: str
) -> None:
    answer = installation.ask(f"{installation.url}{path}")
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


def test_web_process_with_tls_of_its_own_needs_no_proxy(installation: Installation, key: str) -> None:
    authority = installation.authority
    tls = ("--ssl-certificate", str(authority.certificate), "--ssl-keyfile", str(authority.key))
    with installation.web(scheme="https", more=tls, MUNIMENT_TRUSTED_PROXIES="none") as own:
        answer = installation.ask(f"{own}{SESSION_LOGS}", [record()], Authorization=key)
    assert answer.status == 202, answer.body


def connections(installation: Installation, **changed: str) -> dict[str, str]:
    """What CONNECT tells of each driver."""
    ended = installation.run("-c", CONNECT, **changed)
    lines = [line.partition(": ") for line in ended.stdout.splitlines()]
    return {driver: told for driver, _, told in lines if driver in ("database", "limits", "jobs")}


def test_every_driver_reaches_its_server(installation: Installation) -> None:
    assert connections(installation) == {"database": "connected", "limits": "True", "jobs": "connected"}


def test_worker_answers_over_tls(installation: Installation) -> None:
    url = broker(installation.valkey.url())
    client = Celery(broker=url["BROKER_URL"], broker_use_ssl=url["BROKER_USE_SSL"])
    with installation.running("worker") as log:
        until(lambda: bool(client.control.ping(timeout=0.3)), lambda: tail(log))


@pytest.mark.parametrize(("variable", "database"), [("SSL_CERT_FILE", "connected"), ("UNUSED", "OperationalError")])
def test_system_s_authorities_are_those_that_openssl_is_told_of(
    installation: Installation, variable: str, database: str
) -> None:
    url = installation.postgres.url("muniment_web", ca=Path("system"))
    told = connections(installation, DATABASE_URL=url, SSL_CERT_DIR="/", **{variable: str(installation.authority.ca)})
    assert told["database"].startswith(database)


def _wrong_ca(installation: Installation, other: Authority) -> dict[str, str]:
    return {
        "DATABASE_URL": installation.postgres.url("muniment_web", ca=other.ca),
        "VALKEY_URL": installation.valkey.url(ca=other.ca),
    }


def _wrong_name(installation: Installation, _: Authority) -> dict[str, str]:
    return {
        "DATABASE_URL": installation.postgres.url("muniment_web", host="127.0.0.1"),
        "VALKEY_URL": installation.valkey.url(host="127.0.0.1"),
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(_wrong_ca, "certificate verify failed"), (_wrong_name, 'does not match host name "127.0.0.1"')],
)
def test_server_that_is_not_the_named_one_is_refused(
    installation: Installation,
    other_authority: Authority,
    wrong: Callable[[Installation, Authority], dict[str, str]],
    words: str,
) -> None:
    told = connections(installation, **wrong(installation, other_authority))
    assert words in told["database"]
    assert told["limits"] == "False"
    assert "CERTIFICATE_VERIFY_FAILED" in told["jobs"]


def test_database_takes_no_connection_without_tls(installation: Installation) -> None:
    plain = installation.postgres.url("muniment_web").replace("sslmode=verify-full", "sslmode=disable")
    assert "no encryption" in connections(installation, DATABASE_URL=plain)["database"]
