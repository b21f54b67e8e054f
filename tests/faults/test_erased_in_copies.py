"""An erased person cannot be read from copies taken before: base backup with its WAL, inbox, whoever has every key.

The records are put into the inbox of three days ago, so that the day can be dropped as the hourly job drops it.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.supervisor.postgres import SUPERUSER, PostgresServer, installed_programs, server_for
from config.supervisor.state import Secrets, State, running_urls
from tests.faults.history import as_lines, history
from tests.faults.running_portal import ORGANIZATION, RunningPortal, running_portal
from tests.faults.thief import Loot, steal

pytestmark = pytest.mark.slow
PUT_DAYS_AGO = 3
EVERY_WAY = {"entry", "name", "session token", "request", "guess"}
_PUT = """
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sessions_log import wiring
from sessions_log.adapters.partitions import make_days
from sessions_log.commands.importing import chunks, months_of, put_chunk, read_chunk
from sessions_log.domain.session_record import Window
from sessions_log.models import Organization
from sessions_log.queries.organizations import organization_by_slug
organization = organization_by_slug("{slug}")
then = datetime.now(UTC) - timedelta(days={days})
sender = wiring.ports().organizations.sender(organization.id, "first-service")
import psycopg
with psycopg.connect(wiring.conninfo(), autocommit=True) as connection:
    make_days(connection, [then.date()])
with open("{file}", "rb") as lines:
    for chunk in chunks(lines):
        records = read_chunk(chunk, Window.around(then, back=timedelta(days=3650)))
        wiring.make_months(sorted(months_of(records)))
        put_chunk(chunk, records, sender, then, wiring.keyring(), wiring.inbox())
"""
_DROP = """
from datetime import UTC, datetime, timedelta
from sessions_log import wiring
day = (datetime.now(UTC) - timedelta(days={days})).date()
wiring.drop_inbox_day(day) or exit("the day was not dropped")
"""
_PERSON = ("--organization", ORGANIZATION)


@dataclass(frozen=True, slots=True)
class Story:
    """What could be read when, and what the erased user had."""

    user: str
    tokens: set[str]
    entries: int
    others: set[str]
    before: Loot
    copy_with_keys_of_then: Loot
    copy: Loot
    now: Loot
    verified: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Records put, copied, one user erased, keys changed; at each stage a thief with database and keyring."""
    records = history()
    user, entries = Counter(one["userId"] for one in records if one.get("userId")).most_common(2)[1]
    others = {one["userId"] for one in records if one.get("userId")} - {user}
    sessions: dict[str, set[Any]] = {}
    for one in records:
        sessions.setdefault(one["sessionId"], set()).add(one.get("userId"))
    tokens = {token for token, users in sessions.items() if users <= {user, None}}
    file = tmp_path_factory.mktemp("history") / "history.ndjson"
    file.write_bytes(as_lines(records))
    with running_portal() as portal, ExitStack() as stack:
        _shell(portal, _PUT.format(slug=ORGANIZATION, days=PUT_DAYS_AGO, file=file))
        portal.wait_until_recorded()
        with portal.as_superuser() as connection:
            before = steal(connection, portal.home.keyring, [user])
        copy = stack.enter_context(_copy_of(portal, stack))
        keys_of_then = Path(shutil.copytree(portal.home.keyring, tmp_path_factory.mktemp("keys") / "keyring"))
        _shell(portal, _DROP.format(days=PUT_DAYS_AGO), role="WORKER")
        _erase(portal, user)
        portal.manage("rotate_keys", *_PERSON, "--destroy-old")
        portal.wait_until_recorded()
        with portal.as_superuser() as connection:
            now = steal(connection, portal.home.keyring, [user])
        yield Story(
            user=user,
            tokens=tokens,
            entries=entries,
            others=others,
            before=before,
            copy_with_keys_of_then=steal(copy, keys_of_then, [user]),
            copy=steal(copy, portal.home.keyring, [user]),
            now=now,
            verified=portal.manage("verify", *_PERSON).stdout,
        )


def _shell(portal: RunningPortal, code: str, role: str = "") -> None:
    environment = portal.operator()
    if role:
        urls = running_urls(portal.home.folder)
        assert urls is not None
        environment["DATABASE_URL"] = urls[f"DATABASE_URL_{role}"]
    portal.manage("shell", "--verbosity=0", "--command", code, environment=environment)


def _erase(portal: RunningPortal, user: str) -> None:
    people = ("asks@muniment.example", "approves@muniment.example")
    for email in people:
        portal.manage("add_person", *_PERSON, "--email", email, "--name", "An Officer")
        portal.manage("give_right", *_PERSON, "--email", email, "--right", "privacy", "--reason", "to erase on request")
    asks, approves = people
    portal.manage(
        "erase", *_PERSON, "--user", user, "--ground", "GDPR-17-1-a", "--requested-by", asks, "--approved-by", approves
    )


class _copy_of:  # noqa: N801 -- used as a context manager only
    """A base backup with the WAL it needs, started as a server of its own."""

    def __init__(self, portal: RunningPortal, stack: ExitStack) -> None:
        self._place = portal.home.folder.with_name("copy")
        self._place.mkdir()
        self._place.chmod(0o711)
        secrets = Secrets.load_or_create(portal.home.secrets)
        self._server: PostgresServer = server_for(
            self._place / "postgres", secrets=secrets, log=self._place / "postgres.log"
        )
        source = f"postgresql://{SUPERUSER}@127.0.0.1:{State.load(portal.home.state).ports['postgres']}/"
        subprocess.run(
            [
                str(installed_programs() / "pg_basebackup"), f"--dbname={source}", f"--pgdata={self._server.folder}",
                "--wal-method=stream", "--checkpoint=fast",
            ],
            env={**os.environ, "PGPASSWORD": secrets.role_password(SUPERUSER)},
            check=True,
            capture_output=True,
        )  # fmt: skip
        if (account := self._server.account) is not None:
            for path in (self._server.folder, *self._server.folder.rglob("*")):
                os.chown(path, account.uid, account.gid)

    def __enter__(self) -> psycopg.Connection[Any]:
        self._server.start()
        self._server.wait_until_ready()
        self._connection = self._server.as_superuser("muniment")
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._server.stop()


def test_everything_of_him_could_be_read_before(story: Story) -> None:
    assert story.tokens
    assert story.before.of(story.user, story.tokens) == EVERY_WAY
    assert story.before.users[story.user] == story.entries


def test_copy_could_be_read_with_the_keys_of_then(story: Story) -> None:
    assert story.copy_with_keys_of_then.of(story.user, story.tokens) == EVERY_WAY
    assert story.copy_with_keys_of_then.users[story.user] == story.entries


def test_nothing_of_him_can_be_read_from_the_copy_with_the_keys_of_now(story: Story) -> None:
    assert story.copy.of(story.user, story.tokens) == set()


def test_nothing_of_him_can_be_read_from_the_database_while_others_can(story: Story) -> None:
    assert story.now.of(story.user, story.tokens) == set()
    assert story.now.names >= story.others
    assert {user for user in story.now.users if user} >= story.others


def test_verification_opens_everything_else_and_accounts_for_him(story: Story) -> None:
    assert '"faults": 0' in story.verified
