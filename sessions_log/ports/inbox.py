"""The durable hand-over to the recorder."""

from typing import Protocol

from sessions_log.domain.inbox import InboxRequest


class Inbox(Protocol):
    """The durable hand-over to the recorder."""

    def put(self, request: InboxRequest) -> None:
        """Store a request; it must not return before it is durable (COMMIT with synchronous_commit on).

        Raises InboxUnavailable in bounded time when that cannot be had.
        """


class OverLimit(Exception):
    """The sender has used up what it may send in this minute."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("over the limit of records per minute")
        self.retry_after_s = retry_after_s


class NeverPermitted(Exception):
    """The request alone carries more records than its sender may send in a minute."""

    def __init__(self, per_minute: int) -> None:
        super().__init__("more records than a minute's limit")
        self.per_minute = per_minute


class InboxUnavailable(Exception):
    """The request could not be stored now; nothing of it was acknowledged."""
