"""The processes behind the API, run at a test's word and in their own roles."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings

from sessions_log import wiring
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.completeness import Completeness
from sessions_log.commands.recording import Recorder
from sessions_log.followers.reading import follow, load
from sessions_log.ports import EntriesRefused
from tests.conftest import RunAs, Servers

State = Callable[[datetime], None]
GRACE = timedelta(minutes=15)


@pytest.fixture
def recorder(servers: Servers, db: None) -> Iterator[Recorder]:
    """A recorder of shard 0, in its own role."""
    store = PostgresRecorderStore(lambda: servers.url("recorder"), 0)
    yield Recorder(store, wiring.keyring())
    store.close()


@pytest.fixture
def record_all(recorder: Recorder) -> Callable[[], None]:
    """Record until the inbox is empty."""

    def run() -> None:
        while recorder.record_batch(datetime.now(UTC)):
            pass

    return run


@pytest.fixture
def state(recorder: Recorder) -> State:
    """Make all statements that are due at a time, round by round as the recorder's process does."""

    def run(now: datetime) -> None:
        completeness = Completeness(recorder.store, GRACE)
        is_more = True
        while is_more:
            with suppress(EntriesRefused):  # of ledgers that other tests have damaged
                is_more = completeness.state(now)

    return run


@pytest.fixture
def checkpointer(recorder: Recorder) -> Checkpointer:
    """Signs what the recorder recorded, on its connection."""
    store = recorder.store
    assert isinstance(store, PostgresRecorderStore)
    return wiring.checkpointer(store, 0)


@pytest.fixture
def follow_all(run_as: RunAs) -> Callable[[], None]:
    """Apply every batch to every read model, in the followers' role."""

    def run() -> None:
        with run_as("follower"):
            for follower in load(settings.FOLLOWERS):
                while follow(follower, 0):
                    pass

    return run
