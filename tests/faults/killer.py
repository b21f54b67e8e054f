"""Kills the portal's processes with -9, at random moments, as often as asked."""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from tests.faults.running_portal import RunningPortal, postgres_processes, wait_until
from tests.faults.senders import Pace

# How often each is killed in a round: the recorder, which alone writes to the ledgers, twice.
VICTIMS = {"postgres": 1, "valkey": 1, "web": 1, "recorder": 2, "follower": 1}
# Besides the processes themselves: a web worker, and a backend (upon which PostgreSQL starts all others anew).
CHILDREN = ("web", "postgres")
BACK_WITHIN_S = 60
LONGEST_MOMENT_S = 0.3
LONGEST_REQUEST_S = 0.02
BITS = 10


def kill_in_rounds(portal: RunningPortal, rounds: int, chosen: random.Random, pace: Pace, records: int) -> Counter[str]:
    """Kill every victim once or twice a round, in random order, each in the midst of a share of the records.

    Returns how often each was killed.
    """
    killed: Counter[str] = Counter()
    once = [(name, False) for name, times in VICTIMS.items() for _ in range(times)] + [
        (name, True) for name in CHILDREN
    ]
    plans = [list(once) for _ in range(rounds)]
    for plan in plans:
        chosen.shuffle(plan)
    steps = [step for plan in plans for step in plan]
    for done, (name, is_child) in enumerate(steps):
        wait_until(lambda: _web_lives(portal), BACK_WITHIN_S, "web answers")
        _victims(portal, name, is_child)
        if name == "recorder":
            _wait_until_it_records(portal, pace, records)
        _let_through(pace, max(0, records * (done + 1) // len(steps) - pace.so_far), chosen)
        while not _kill(chosen.choice(_victims(portal, name, is_child))):
            continue
        killed[f"child of {name}" if is_child else name] += 1
    return killed


def _wait_until_it_records(portal: RunningPortal, pace: Pace, most: int) -> None:
    """A recorder that has only begun to start is not worth killing: wait for its next batch."""
    newest = "SELECT coalesce(max(number), 0) FROM sessions_log_batch"
    before: list[int] = []

    def has_recorded() -> bool:
        before.append(portal.scalar(newest))
        pace.let_through(min(1, most - pace.so_far))
        return before[-1] > before[0]

    wait_until(has_recorded, BACK_WITHIN_S, "the recorder records")


def _let_through(pace: Pace, share: int, chosen: random.Random) -> None:
    """Let a share of the records through bit by bit, and return at a random moment within the work on the last bit."""
    pause_s = chosen.uniform(0, LONGEST_MOMENT_S) / BITS
    for bit in range(BITS):
        time.sleep(pause_s)
        pace.let_through(share * (bit + 1) // BITS - share * bit // BITS)
    time.sleep(chosen.uniform(0, LONGEST_REQUEST_S))


def _web_lives(portal: RunningPortal) -> bool:
    """Whether there is somebody to send to; the database may be away."""
    client = portal.client(timeout_s=2)
    try:
        return client.get("/healthz/live").status == 200
    finally:
        client.close()


def _victims(portal: RunningPortal, name: str, is_child: bool) -> list[int]:
    """This process, or its children, as soon as it runs again."""
    victims: list[int] = []

    def found() -> bool:
        main = portal.pid(name)
        if not _is_child_of(main, portal.process.pid):
            return False
        victims[:] = _children(portal, name, main) if is_child else [main]
        return bool(victims)

    wait_until(found, BACK_WITHIN_S, f"{name} runs again")
    return victims


def _kill(pid: int) -> bool:
    """Kill it. False where it was gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _children(portal: RunningPortal, name: str, main: int) -> list[int]:
    if name == "postgres":
        return postgres_processes(portal)[1:]
    return [pid for pid in map(int, _pids()) if _is_child_of(pid, main)]


def _pids() -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _is_child_of(pid: int, parent: int) -> bool:
    """Whether this process lives and was started by that one; keeps a stale number from meaning somebody else."""
    try:
        state, ppid = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return False
    return pid > 0 and int(ppid) == parent and state != "Z"
