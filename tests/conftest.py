"""Real servers for the whole run: PostgreSQL with the product's roles, and Valkey.

The tests act as the runtime roles do: Django as `web`, recorders and followers on connections of their own roles.
Nothing is rolled back or flushed (the guards on evidence would refuse it): each test makes its own organization.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from config.supervisor.postgres import PostgresServer, embedded_postgres
from config.supervisor.valkey import embedded_valkey

LONGEST_FILE = "test_kills.py"
RunAs = Callable[[str], AbstractContextManager[None]]
_TOLD = pytest.StashKey[list[str]]()


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of this run, and where the processes of a test find them."""

    postgres: PostgresServer
    valkey_url: str
    keyring: Path

    def url(self, role: str) -> str:
        """The database as this role: web, recorder, follower, worker, owner, ..."""
        return self.postgres.url(f"muniment_{role}")

    def environment(self, role: str) -> dict[str, str]:
        """The environment of a process of the product in this role."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings_test",
            "DATABASE_URL": self.url(role),
            "VALKEY_URL": self.valkey_url,
            "MUNIMENT_KEYRING": str(self.keyring),
            "MUNIMENT_SECRET_KEY": settings.SECRET_KEY,
        }


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL and Valkey with the product's tables, roles and rights; keyring in a folder of this run."""
    with embedded_postgres() as postgres, embedded_valkey() as valkey:
        yield Servers(postgres, valkey.url(), tmp_path_factory.mktemp("keyring"))


@pytest.fixture(scope="session")
def django_db_setup(servers: Servers, django_db_blocker: pytest.Item) -> None:
    """In place of pytest-django's: the database is made as `manage.py prepare_database` makes it."""
    from config.env import database
    from config.supervisor.state import PROCESS_ROLES

    settings.KEYRING_FOLDER = str(servers.keyring)
    settings.CACHES["default"]["LOCATION"] = servers.valkey_url
    settings.CELERY_BROKER_URL = servers.valkey_url
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's fixture has no public type
        connections.settings["owner"] = connections.configure_settings(
            {"default": {}, "owner": database("owner", servers.url("owner"))}
        )["owner"]
        call_command("prepare_database", verbosity=0)
        servers.postgres.allow_login(PROCESS_ROLES)
        connections["owner"].close()
        del connections["owner"]
        del connections.settings["owner"]
        connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone
        web = database("web", servers.url("web"))
        connections.settings["default"].update(
            {name: web[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
        )
        del connections["default"]


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: pytest.Item) -> Iterator[None]:
    """The real database, with real commits: what a test does stays, so each makes its own organization."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # as above
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that one process does not wait at the end for the other that has it."""
    items.sort(key=lambda item: item.path.name != LONGEST_FILE)


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Shows a line at the end of the run, whether its test failed or not: a seed that repeats it, and its figures."""
    return request.config.stash.setdefault(_TOLD, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was told to the process that shows the results, where this is another one."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["told"] = session.config.stash.get(_TOLD, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what was told in a process of its own."""
    told = getattr(node, "workeroutput", {}).get("told", [])
    node.config.stash.setdefault(_TOLD, []).extend(told)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was told."""
    for line in config.stash.get(_TOLD, []):
        terminalreporter.write_line(line)


@pytest.fixture
def run_as(servers: Servers, db: None) -> RunAs:
    """Django's connection as another role than web's, for as long as the context lasts."""

    @contextmanager
    def running(role: str) -> Iterator[None]:
        chosen = connections.settings["default"]
        usual = chosen["USER"], chosen["PASSWORD"]
        name = f"muniment_{role}"
        _use(name, servers.postgres.secrets.role_password(name))
        try:
            yield
        finally:
            _use(*usual)

    return running


def _use(user: str, password: str) -> None:
    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone
    connections.settings["default"].update({"USER": user, "PASSWORD": password})
    del connections["default"]
