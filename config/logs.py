"""Log lines of every process: one JSON object a line, with the request's id and no value of a record."""

import json
import logging
from datetime import UTC, datetime

from sessions_log.domain.request_id import current_request_id

# An exception's text may quote what was sent (psycopg quotes rows), so only its type and place are told.
_FIELDS = (
    "organization",
    "service",
    "shard",
    "records",
    "entries",
    "batch",
    "follower",
    "kind",
    "status",
    "ms",
)


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, request id, named numbers, and of an exception its type and frames."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; control characters and line separators are escaped by the encoding."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := current_request_id.get():
            line["request"] = request_id
        line |= {name: vars(record)[name] for name in _FIELDS if name in vars(record)}
        if record.exc_info and record.exc_info[0]:
            line |= _exception(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=str)


def _exception(error: BaseException | None) -> dict[str, object]:
    frames, at = [], error.__traceback__ if error else None
    while at is not None:
        frames.append(f"{at.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{at.tb_lineno}")
        at = at.tb_next
    return {"exception": type(error).__name__, "frames": frames[-8:]}
