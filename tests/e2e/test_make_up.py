"""The whole of `make up`: every process of the portal, stopped and killed as they would be."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from config.supervisor.portal import readiness
from config.supervisor.processes import processes_in, processes_of
from config.supervisor.state import Home, State, running_urls

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES = ("postgres", "valkey", "web", "recorder", "follower", "worker", "beat")
FOREIGN = ("DATABASE_URL", "VALKEY_URL", "MUNIMENT_", "DJANGO_", "PORT")
UP_WITHIN_S = 120


@dataclass
class Supervisor:
    """A supervisor process of a data folder and the lines it prints."""

    process: subprocess.Popen[str]
    lines: "queue.Queue[str]"

    @classmethod
    def of(cls, home: Home) -> "Supervisor":
        environment = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
        process = subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"],
            cwd=ROOT,
            env={**environment, "MUNIMENT_HOME": str(home.folder), "MUNIMENT_DEMO": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        return cls(process, lines)

    def wait_for(self, beginning: str) -> list[str]:
        """The lines up to one that begins so."""
        seen: list[str] = []
        deadline = time.monotonic() + UP_WITHIN_S
        while not (seen and seen[-1].startswith(beginning)):
            try:
                seen.append(self.lines.get(timeout=max(0.1, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"no {beginning!r} in {seen}") from None
            assert seen[-1], f"ended before {beginning!r}: {seen}"
        return seen


class Installation:
    """A data folder and its supervisor, which is started when a test needs it and none runs."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.supervisor: Supervisor | None = None

    def start(self) -> tuple[Supervisor, list[str]]:
        """The new supervisor, and what it said while starting."""
        self.supervisor = Supervisor.of(self.home)
        return self.supervisor, self.supervisor.wait_for("ready http://localhost:")

    def running(self) -> Supervisor:
        """The supervisor, started where it is not running."""
        if self.supervisor is None or self.supervisor.process.poll() is not None:
            return self.start()[0]
        return self.supervisor


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    # Not pytest's own folder: as root nobody else may enter that, PostgreSQL's account neither.
    parent = Path(tempfile.mkdtemp(prefix="muniment-up-"))
    parent.chmod(0o711)
    made = Installation(Home(parent / "home"))
    try:
        yield made
    finally:
        if made.supervisor is not None:
            made.supervisor.process.terminate()
            made.supervisor.process.wait(20)
        shutil.rmtree(parent)


def test_each_process_killed_by_itself_is_back_at_work(installation: Installation) -> None:
    installation.running()
    home = installation.home
    for name in PROCESSES:
        assert _becomes_true(partial(_all_run, home))
        killed = State.load(home.state).pids[name]
        os.kill(killed, signal.SIGKILL)
        assert _becomes_true(partial(_has_another_process, home, name, killed)), name
    assert _becomes_true(lambda: readiness(State.load(home.state).ports["web"]) == 200)


def test_all_processes_killed_at_once_leave_a_folder_that_starts_again(installation: Installation) -> None:
    supervisor, home = installation.running(), installation.home
    urls = running_urls(home.folder)
    for pid in (supervisor.process.pid, *State.load(home.state).pids.values(), *processes_of(home.folder)):
        _kill(pid)
    supervisor.process.wait(5)
    _, said = installation.start()
    assert "the database is prepared" not in said
    assert running_urls(home.folder) == urls
    assert readiness(State.load(home.state).ports["web"]) == 200


def test_ctrl_c_ends_everything_within_15_seconds(installation: Installation) -> None:
    supervisor, home = installation.running(), installation.home
    supervisor.process.send_signal(signal.SIGINT)
    assert supervisor.process.wait(15) == 0
    assert processes_of(home.folder) == []
    assert processes_in(home.postgres, "postgres") == []
    assert processes_in(home.valkey, "valkey-server") == []
    assert running_urls(home.folder) is None


def test_log_lines_of_all_processes_were_json_from_start_to_end(installation: Installation) -> None:
    supervisor, home = installation.supervisor or installation.start()[0], installation.home
    if supervisor.process.poll() is None:
        supervisor.process.send_signal(signal.SIGINT)
        supervisor.process.wait(15)
    for name in ("web", "recorder", "follower", "worker", "beat"):
        lines = [_json_line(line) for line in (home.logs / f"{name}.log").read_text().splitlines()]
        assert lines, name
        assert all(line.keys() >= {"at", "level", "logger", "message"} for line in lines), name


def _json_line(line: str) -> dict[str, str]:
    try:
        fields: dict[str, str] = json.loads(line)
    except ValueError:
        raise AssertionError(f"no JSON: {line!r}") from None
    return fields


def _all_run(home: Home) -> bool:
    return set(State.load(home.state).pids) == set(PROCESSES)


def _has_another_process(home: Home, name: str, killed: int) -> bool:
    return State.load(home.state).pids.get(name, killed) != killed


def _read(process: subprocess.Popen[str], lines: "queue.Queue[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.rstrip("\n"))
    lines.put("")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _becomes_true(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not fact() and time.monotonic() < deadline:
        time.sleep(0.05)
    return fact()
