"""A ledger with its first checkpoint, and two witnesses that trust its key."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.ports import HeadRefused, KeyDestroyed
from tests.conftest import RunAs
from tests.integration.witnessed_ledger import Ledger
from tests.witnesses import RunningWitness


@pytest.fixture
def own(record_all: Callable[[], None], checkpointer: Checkpointer, run_as: RunAs) -> Ledger:
    """A ledger with its first checkpoint."""

    def publish() -> None:
        record_all()
        with suppress(KeyDestroyed, HeadRefused):  # of organizations that other tests have damaged
            checkpointer.publish(datetime.now(UTC))

    return Ledger(publish, run_as)


@pytest.fixture
def start(own: Ledger, tmp_path: Path) -> Iterator[Callable[[str], RunningWitness]]:
    """Starts a witness that trusts the ledger's key."""
    running: list[RunningWitness] = []

    def started(name: str) -> RunningWitness:
        running.append(RunningWitness(tmp_path / name, name, own.keys))
        return running[-1]

    yield started
    for one in running:
        one.stop()


@pytest.fixture
def north(start: Callable[[str], RunningWitness]) -> RunningWitness:
    """A witness."""
    return start("north")


@pytest.fixture
def south(start: Callable[[str], RunningWitness]) -> RunningWitness:
    """Another."""
    return start("south")
