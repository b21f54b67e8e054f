"""The recorder's word that there is a new batch: LISTEN on a connection of its own."""

from types import TracebackType
from typing import Any, Self

import psycopg

from sessions_log.adapters.recorder_store import BATCH_CHANNEL


class BatchAnnouncements:
    """Waits for NOTIFY; as a context manager it closes its connection."""

    def __init__(self, conninfo: str) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            conninfo, autocommit=True, connect_timeout=3, application_name="follower-listen"
        )
        self._connection.execute(f"LISTEN {BATCH_CHANNEL}")

    def wait(self, at_most_s: float) -> None:
        """Return when a batch was announced, or after the time. Raises psycopg.OperationalError when cut off."""
        for _ in self._connection.notifies(timeout=at_most_s, stop_after=1):
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
