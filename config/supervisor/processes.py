"""Starting, finding and ending processes so that none is left behind or mistaken for another."""

import contextlib
import ctypes
import os
import pwd
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "MUNIMENT_SUPERVISED_HOME"
ROTATE_ABOVE_BYTES = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1
# Below the range from which systems take ports for outgoing connections, so that a port stays free while
# its server is down.
PORT_RANGE = range(20_000, 30_000)


Process = subprocess.Popen[bytes]


class StartFailed(Exception):
    """Something did not come up. Its text is for the terminal and names the log file, never a value."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system account for a process that must not run as root."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """The account for servers that refuse to run as root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def may_pass_through(folder: Path, account: Account) -> bool:
    """Whether the account may enter this folder: needs the right to pass on it and on each of its parents."""
    real = folder.resolve()
    steps = {folder, *folder.parents, real, *real.parents}  # links: both the way to them and beyond them
    return all(_may_enter(step.stat(), account) for step in steps)


def _may_enter(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path = Path("/"),
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> Process:
    """Start a process in a session of its own, which gets `death_signal` when this one dies.

    Call it from the main thread: Linux sends the signal when the starting *thread* ends.
    """
    with log.open("ab") as output:
        # Command lines of our own making, and no shell reads them.
        return subprocess.Popen(  # nosec B603
            argv,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_tied_to(os.getpid(), death_signal),
        )


def _tied_to(parent: int, death_signal: signal.Signals) -> Callable[[], None] | None:
    """Runs in the child before it becomes the program; elsewhere than on Linux there is no such tie."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        # The parent may have died before the tie: then no signal would ever come.
        if os.getppid() != parent:
            os._exit(1)

    return tie


def processes_in(folder: Path, program: str) -> list[int]:
    """Ids of the processes of this program whose working folder is this one."""
    wanted = str(folder.resolve())
    found = []
    for pid in _all_pids():
        with contextlib.suppress(OSError):
            here = str(Path(f"/proc/{pid}/cwd").readlink()) == wanted
            if here and Path(f"/proc/{pid}/exe").readlink().name.startswith(program):
                found.append(pid)
    return found


def title(pid: int) -> str:
    """What a process calls itself: its command line, or what it wrote over it. Empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def processes_of(home: Path) -> list[int]:
    """Ids of the portal's processes that a supervisor of this data folder started, whoever adopted them."""
    mark = f"{MARK}={home}".encode()
    found = []
    for pid in _all_pids():
        with contextlib.suppress(OSError):
            if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def _all_pids() -> list[int]:
    proc = Path("/proc")
    if not proc.is_dir():
        return []
    own = os.getpid()
    return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit() and int(entry.name) != own]


def end_all(find: Callable[[], list[int]], steps: Sequence[tuple[signal.Signals | None, float]]) -> None:
    """Bring found processes to an end: each step sends its signal (None: only wait) and waits its seconds."""
    for sign, limit_s in steps:
        pids = find()
        if not pids:
            return
        for pid in pids:
            if sign is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
        _wait_until(lambda: not find(), limit_s)


def _wait_until(done: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)


def end(process: Process, sign: signal.Signals, limit_s: float) -> None:
    """Ask a process we started to end, wait, then kill it and what is left in its session."""
    if process.poll() is None:
        process.send_signal(sign)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_group(process.pid)


def kill_group(leader: int) -> None:
    """Kill what a dead leader left in its process group (workers of a killed web server keep its port)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int | None) -> int:
    """The wanted port where nobody has it, else another one."""
    if wanted is not None and port_is_free(wanted):
        return wanted
    for port in random.SystemRandom().sample(PORT_RANGE, 200):
        if port_is_free(port):
            return port
    raise StartFailed("No free port between 20000 and 30000 on 127.0.0.1.")


def rotate(log: Path) -> None:
    """Start a log anew when it is large, keep one before it; closed to others either way."""
    if log.exists() and log.stat().st_size > ROTATE_ABOVE_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for a person at the terminal."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 16_384))
        text = stream.read().decode(errors="replace")
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
