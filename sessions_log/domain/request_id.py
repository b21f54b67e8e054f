"""The id of the request that is being answered, for the log lines written meanwhile."""

from contextvars import ContextVar

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
