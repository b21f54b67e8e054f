"""Keeps a set of processes running: starts them in order, again when they die, and stops them in reverse."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.supervisor.processes import Process, StartFailed, end, kill_group, rotate, spawn, tail

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 5.0
STEADY_AFTER_S = 30.0
STOP_WITHIN_S = 14.0
DEATHS_BEFORE_GIVING_UP = 5
DEATHS_TOLD = 3
TICK_S = 0.1


class StopRequested(Exception):
    """Somebody asked the supervisor to stop: Ctrl-C, a signal, a closed terminal."""


@dataclass(slots=True)
class Service:
    """A process to keep running, and what is known of its present life."""

    name: str
    launch: Callable[[], Process]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_limit_s: float = 2.0
    process: Process | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    start_due: float = field(default=0.0, init=False)
    deaths: int = field(default=0, init=False)


class Services:
    """The running set. Everything happens in one thread, in `tend`, which every wait calls."""

    def __init__(self, *, say: Callable[[str], None], changed: Callable[[dict[str, int]], None]) -> None:
        """say: prints a line; changed: gets the process ids by name whenever one was started."""
        self._say = say
        self._changed = changed
        self._services: list[Service] = []
        self._stop_requested = False

    def request_stop(self, *_: object) -> None:
        """Signal handler: the next wait raises StopRequested."""
        self._stop_requested = True

    def start(self, service: Service) -> None:
        """Start a service and keep it running from now on. Raises what its launch raises."""
        rotate(service.log)
        self._launch(service)
        self._services.append(service)

    def pause(self, seconds: float) -> None:
        """Sleep. Raises StopRequested as soon as somebody asked for it."""
        deadline = time.monotonic() + seconds
        while not self._stop_requested:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            time.sleep(min(TICK_S, remaining))
        raise StopRequested

    def tend_until(self, done: Callable[[], bool], limit_s: float = float("inf")) -> bool:
        """Keep the services running until `done` or the limit; says which of them it was."""
        deadline = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > deadline:
                return False
            self.pause(TICK_S)
            self.tend()
        return True

    def tend(self) -> None:
        """Notice who died, and start again whose time has come."""
        for service in self._services:
            if service.process is not None and service.process.poll() is not None:
                self._bury(service)
            if service.process is None and time.monotonic() >= service.start_due:
                self._revive(service)

    def give_up_on_the_dying(self) -> None:
        """Raise StartFailed when a service dies again and again, with the end of its log."""
        for service in self._services:
            if service.deaths >= DEATHS_BEFORE_GIVING_UP:
                raise StartFailed(f"{service.name} does not stay up. From {service.log}:\n{tail(service.log)}")

    def run(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        """Run one command to its end while the services are kept up. Raises StartFailed when it fails."""
        rotate(log)
        process = spawn(argv, log=log, env=env, cwd=cwd)
        try:
            self.tend_until(lambda: process.poll() is not None)
        finally:
            end(process, signal.SIGTERM, 2)
        if process.returncode != 0:
            raise StartFailed(f"{name} failed. From {log}:\n{tail(log)}")

    def stop(self) -> None:
        """Stop all, the last started first. Who takes too long is killed, which bounds the whole."""
        deadline = time.monotonic() + STOP_WITHIN_S
        first = self._services[0] if self._services else None
        for service in reversed(self._services):
            if service.process is not None:
                left = max(1.0, deadline - time.monotonic())
                # The first one started is the database: its last checkpoint may have all that is left.
                limit_s = left if service is first else min(left, service.stop_limit_s)
                end(service.process, service.stop_signal, limit_s)
                service.process = None

    def _launch(self, service: Service) -> None:
        service.process = service.launch()
        service.started_at = time.monotonic()
        self._changed({each.name: each.process.pid for each in [*self._services, service] if each.process})

    def _bury(self, service: Service) -> None:
        if service.process is None:
            return
        kill_group(service.process.pid)
        lived_s = time.monotonic() - service.started_at
        service.deaths = 1 if lived_s > STEADY_AFTER_S else service.deaths + 1
        if service.deaths <= DEATHS_TOLD:
            how = _how(service.process.returncode)
            last = ", from now on without a word" if service.deaths == DEATHS_TOLD else ""
            self._say(f"{service.name} ended ({how}; see {service.log}) and is started again{last}")
        service.process = None
        self._postpone(service)

    def _revive(self, service: Service) -> None:
        try:
            self._launch(service)
        except (StartFailed, OSError) as error:
            service.deaths += 1
            self._say(f"{service.name} could not be started: {error}")
            self._postpone(service)

    @staticmethod
    def _postpone(service: Service) -> None:
        delay_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (service.deaths - 1))
        service.start_due = time.monotonic() + delay_s


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    return f"by {signal.Signals(-returncode).name}"
