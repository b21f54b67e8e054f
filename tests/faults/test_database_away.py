"""PostgreSQL down, frozen, full or without a free connection; Valkey down or frozen.

Intake then says so in bounded time, promises nothing that is not stored, and recovers by itself.
"""

import base64
import os
import random
import signal
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from config.supervisor.state import Home
from tests.faults.running_portal import (
    ORGANIZATION,
    SERVICE,
    Answer,
    RunningPortal,
    frozen,
    postgres_processes,
    running_portal,
    wait_until,
)

pytestmark = pytest.mark.slow
ANSWERS_WITHIN_S = 6.0
READINESS_KNOWS_WITHIN_S = 1.0
READS_END_WITHIN_S = 12.0
RECOVERS_WITHIN_S = 10.0
DISK_BYTES = 512 * 1024 * 1024
SENDERS = 6


@dataclass
class Intake:
    """Services that keep sending, and what they were told."""

    portal: RunningPortal
    token: str
    answers: list[Answer] = field(default_factory=list)
    promised: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, size_bytes: int = 100) -> Answer:
        """Send one record, with metadata of about this size that does not compress."""
        filling = base64.b64encode(random.randbytes(size_bytes)).decode()
        record = {
            "id": str(uuid.uuid4()),
            "sessionId": f"session-{random.randrange(50)}",
            "timestamp": datetime.now(UTC).isoformat(),
            "action": "record.view",
            "metadata": {"filling": filling},
        }
        client = self.portal.client(self.token)
        answer = client.send(record)
        client.close()
        with self._lock:
            self.answers.append(answer)
            if answer.status == 202:
                self.promised.append(answer.json()["receipts"][0]["entryId"])
        return answer

    def send_by_many(self, rounds: int = 1) -> list[Answer]:
        """Several services at once, each this often. Returns their answers."""
        before = len(self.answers)
        threads = [threading.Thread(target=self._send_often, args=(rounds,)) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.answers[before:]

    def _send_often(self, rounds: int) -> None:
        for _ in range(rounds):
            self.send()


@pytest.fixture(scope="module")
def portal() -> Iterator[RunningPortal]:
    """A portal whose database lies on a small disk of its own, where one can be mounted."""
    with running_portal(_onto_small_disk) as portal:
        yield portal


@pytest.fixture(scope="module")
def token(portal: RunningPortal) -> str:
    """A key whose limit is so low that Valkey is asked again after a few records."""
    return _new_key(portal)


def _new_key(portal: RunningPortal) -> str:
    limit = ("--scope=ingest", "--records-per-minute=1000")
    return portal.manage(
        "create_service_key", "--organization", ORGANIZATION, "--service", SERVICE, *limit
    ).stdout.strip()


@pytest.fixture
def intake(portal: RunningPortal, token: str) -> Iterator[Intake]:
    """Works before and after each test, and what it promised by then is recorded."""
    intake = Intake(portal, token)
    assert intake.send().status == 202
    yield intake
    portal.wait_until_recorded()
    client = portal.client()
    states = Counter(client.get(f"/api/v1/receipts/{entry}").json()["state"] for entry in intake.promised)
    assert states == {"recorded": len(intake.promised)}
    stored = [result["entryId"] for result in client.results(f"service={SERVICE}")]
    assert len(set(stored)) == len(stored)


@pytest.mark.parametrize("strike", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
def test_without_valkey_intake_goes_on_and_readiness_says_so(
    portal: RunningPortal, intake: Intake, strike: signal.Signals
) -> None:
    valkey = portal.pid("valkey")
    with frozen([portal.process.pid]):
        os.kill(valkey, strike)
        answers = intake.send_by_many(rounds=3)
        ready = portal.client().get("/healthz/ready")
        if strike is signal.SIGSTOP:
            os.kill(valkey, signal.SIGCONT)
    assert Counter(answer.status for answer in answers) == {202: 3 * SENDERS}
    assert max(answer.took_s for answer in answers) < 2
    assert ready.status == 200
    assert ready.json()["checks"]["Valkey"] == {
        "well": False,
        "words": "cannot be reached; limits are off, intake goes on",
    }
    wait_until(lambda: _valkey_is_well(portal), 30, "Valkey is back")


def test_database_killed(portal: RunningPortal, intake: Intake) -> None:
    with frozen([portal.process.pid]):  # so that nobody starts it again
        for pid in postgres_processes(portal):
            os.kill(pid, signal.SIGKILL)
        ready = portal.client().get("/healthz/ready")
        assert (ready.status, ready.took_s < READINESS_KNOWS_WITHIN_S) == (503, True)
        _is_refused_in_time(intake.send_by_many(rounds=2))
    _recovers(portal, intake)


def test_database_frozen(portal: RunningPortal, intake: Intake) -> None:
    intake.send_by_many()
    intake.token = _new_key(portal)  # which no process remembers
    with frozen(postgres_processes(portal)):
        _is_refused_in_time(intake.send_by_many(rounds=2))
    _recovers(portal, intake)


def test_database_frozen_while_keys_are_remembered(portal: RunningPortal, intake: Intake) -> None:
    intake.send_by_many()
    with frozen(postgres_processes(portal)):
        _is_refused_in_time(intake.send_by_many())
        ready = portal.client().get("/healthz/ready")
        assert (ready.status, ready.took_s < ANSWERS_WITHIN_S) == (503, True)
    _recovers(portal, intake)


@pytest.mark.parametrize("path", ["/api/v1/session-logs", "/api/v1/receipts/0193a3f0-0000-7000-8000-000000000001"])
def test_reading_from_a_frozen_database_ends(portal: RunningPortal, intake: Intake, path: str) -> None:
    reader = portal.client()
    wait_until(lambda: reader.get("/api/v1/session-logs").status == 200, 10, "reading works")
    with frozen(postgres_processes(portal)):
        answers = [portal.client().get(path) for _ in range(2)]
    assert Counter(answer.status for answer in answers) == {503: len(answers)}
    assert max(answer.took_s for answer in answers) < READS_END_WITHIN_S
    wait_until(lambda: reader.get("/api/v1/session-logs").status == 200, 10, "reading works again")
    _recovers(portal, intake)


def test_inbox_locked(portal: RunningPortal, intake: Intake) -> None:
    with portal.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE sessions_log_inbox IN EXCLUSIVE MODE")
        _is_refused_in_time(intake.send_by_many())
    _recovers(portal, intake)


def test_no_connection_left(portal: RunningPortal, intake: Intake) -> None:
    with _all_connections_taken(portal):
        _is_refused_in_time(intake.send_by_many(rounds=2))
    _recovers(portal, intake)


def test_disk_full(portal: RunningPortal, intake: Intake) -> None:
    disk = portal.home.postgres.resolve().parent
    if not os.path.ismount(disk):
        pytest.skip("a small disk cannot be mounted here: that takes the rights of root")
    with _filled(disk):
        answers = [intake.send(size_bytes=20_000) for _ in range(60)]
        refused = [answer for answer in answers if answer.status != 202]
        assert len(refused) > 20
        _is_refused_in_time(refused)
    _recovers(portal, intake)


def _is_refused_in_time(answers: list[Answer]) -> None:
    """Every answer is a 503 that says when to come again, and came soon."""
    assert Counter(answer.status for answer in answers) == {503: len(answers)}
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in answers)
    assert max(answer.took_s for answer in answers) < ANSWERS_WITHIN_S


def _recovers(portal: RunningPortal, intake: Intake) -> None:
    """Intake works again soon after the database does, with nobody's help."""
    wait_until(lambda: portal.scalar("SELECT 1") == 1, 60, "the database answers again")
    wait_until(lambda: _all_are_taken(intake), RECOVERS_WITHIN_S, "intake works again")
    assert {answer.status for answer in intake.answers} <= {202, 503}


def _all_are_taken(intake: Intake) -> bool:
    """Whether every web process takes what many send at once."""
    return {answer.status for answer in intake.send_by_many()} == {202}


@contextmanager
def _all_connections_taken(portal: RunningPortal) -> Iterator[None]:
    """Somebody else has every connection, also those that the portal had."""
    with ExitStack() as held, portal.as_superuser() as superuser:
        own = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE usename <> 'postgres' AND application_name <> 'greedy' AND backend_type = 'client backend'"
        )
        while superuser.execute(own).fetchone() != (0,):
            _take_what_is_free(portal, held)
        yield


def _take_what_is_free(portal: RunningPortal, held: ExitStack) -> None:
    with suppress(psycopg.OperationalError):
        while True:
            connection = portal.connect("muniment_beat")
            held.enter_context(connection)
            connection.execute("SET application_name = 'greedy'")


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """Not a byte is left on this disk."""
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024 * 1024))
    with filling.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filling.unlink()


def _onto_small_disk(home: Home, undone: ExitStack) -> None:
    """Move the database to a disk of DISK_BYTES, where mounting one is allowed."""
    disk = home.folder.with_name("disk")
    disk.mkdir(mode=0o755)
    options = f"size={DISK_BYTES},mode=755"
    mount = ["/bin/mount", "-t", "tmpfs", "-o", options, "muniment-faults", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        return
    undone.callback(subprocess.run, ["/bin/umount", str(disk)], check=True)
    subprocess.run(["/bin/cp", "-a", str(home.postgres), str(disk)], check=True)
    subprocess.run(["/bin/rm", "-r", str(home.postgres)], check=True)
    home.postgres.symlink_to(disk / "postgres")


def _valkey_is_well(portal: RunningPortal) -> bool:
    return bool(portal.client().get("/healthz/ready").json()["checks"]["Valkey"]["well"])
