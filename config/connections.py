"""Connections that give up with the request they serve.

A statement timeout is kept by the server; one that is frozen, or cut off without a word, keeps nothing. The
client then waits for ever, and with it a thread of the web process.
"""

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from sessions_log.domain.deadline import seconds_left

_INTERVAL_S = 0.1  # how often psycopg looks whether it was interrupted


class BoundedConnection(psycopg.Connection[Any]):
    """Raises OperationalError and closes where the server does not answer before the deadline, if there is one."""

    def wait(self, gen: Any, interval: float = _INTERVAL_S, timeout: float | None = None) -> Any:
        """See psycopg, which waits for the server here and nowhere else."""
        left = seconds_left()
        if left is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, left if timeout is None else min(left, timeout))
        except psycopg.OperationalError:
            # What it was sent may still be under way: nobody may use it again.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise
