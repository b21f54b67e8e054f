"""Log lines: one JSON object each, from which no value of a record can be read."""

import json
import logging
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import JsonFormatter
from sessions_log.domain.request_id import current_request_id


def _line(message: str, *arguments: object, **extra: object) -> str:
    record = logging.LogRecord("muniment.web", logging.WARNING, __file__, 1, message, arguments, None)
    vars(record).update(extra)
    return JsonFormatter().format(record)


def _of_exception(error: Exception) -> dict[str, Any]:
    try:
        raise error
    except Exception as raised:
        record = logging.LogRecord(
            "muniment.web", logging.ERROR, __file__, 1, "failed", (), (type(raised), raised, raised.__traceback__)
        )
        line: dict[str, Any] = json.loads(JsonFormatter().format(record))
        return line


def test_line_tells_level_logger_and_message() -> None:
    line = json.loads(_line("limits are off (%s)", "ConnectionError"))
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "warning", "logger": "muniment.web", "message": "limits are off (ConnectionError)"}


def test_line_names_the_request_that_was_being_answered() -> None:
    token = current_request_id.set("0123456789abcdef")
    try:
        assert json.loads(_line("x"))["request"] == "0123456789abcdef"
    finally:
        current_request_id.reset(token)
    assert "request" not in json.loads(_line("x"))


def test_known_numbers_are_told_and_other_extras_are_not() -> None:
    line = json.loads(_line("x", shard=3, records=7, user="m.russo"))
    assert (line["shard"], line["records"]) == (3, 7)
    assert "m.russo" not in json.dumps(line)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("m.russo@trattoria.example"),
        psycopg.errors.UniqueViolation("Key (lookup)=(m.russo@trattoria.example) already exists."),
        UnicodeDecodeError("utf-8", b"m.russo", 0, 1, "m.russo"),
    ],
)
def test_exception_is_told_by_type_and_place_and_never_in_its_own_words(error: Exception) -> None:
    line = _of_exception(error)
    assert line["exception"] == type(error).__name__
    assert line["frames"][-1].startswith("test_json_logs.py:")
    assert "m.russo" not in json.dumps(line)


def test_exception_s_cause_is_not_told_either() -> None:
    error = RuntimeError("outer m.russo")
    error.__cause__ = ValueError("inner m.russo")
    assert "m.russo" not in json.dumps(_of_exception(error))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_message_is_one_line_of_ascii_and_keeps_its_value(message: str) -> None:
    line = _line("%s", message)
    assert all(32 <= ord(character) < 127 for character in line)
    assert json.loads(line)["message"] == message


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\x1b", "\x00", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\ud800"]
)
def test_character_that_could_forge_or_hide_a_line_is_escaped(character: str) -> None:
    assert character not in _line(f"a{character}b")
