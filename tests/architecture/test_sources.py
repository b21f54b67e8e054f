"""Rules of the style guide that can be read from the sources."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("sessions_log", "ai_audit", "compliance", "config")
SOURCES = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]
WRITTEN = (".py", ".ts", ".mjs", ".js", ".css", ".html")
EXCEPTION = re.compile(r"#\s*(?:noqa: ?[A-Z0-9, ]+|type: ignore(?:\[[^]]*\])?)(?P<reason>.*)")
LOGS = ("_log", "log", "logger", "logging")
CLOCKS = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "timezone.now"}


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Calls of the form `name.method(...)`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield f"{node.func.value.id}.{node.func.attr}", node


def test_no_file_has_more_than_400_lines() -> None:
    others = [ROOT / "tests", ROOT / "templates", ROOT / "docs" / "examples", ROOT / "compliance" / "static"]
    written = [path for folder in others for path in folder.rglob("*") if path.suffix in WRITTEN]
    assert [str(path) for path in SOURCES + written if len(path.read_text().splitlines()) > 400] == []


def test_every_exception_to_a_rule_says_why() -> None:
    silent = [
        _place(path, number)
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for mark in EXCEPTION.finditer(line)
        if len(mark["reason"].strip(" -#")) < 8
    ]
    assert silent == []


def test_no_log_line_tells_an_exception_s_own_words() -> None:
    # They may quote what was sent: psycopg's quote whole rows.
    telling = [
        _place(path, call.lineno)
        for path in SOURCES
        for name, call in _calls(path)
        if name.partition(".")[0] in LOGS
        and (
            name.endswith(".exception")
            or any(keyword.arg == "exc_info" for keyword in call.keywords)
            or any(isinstance(one, ast.Name) and one.id in ("error", "exception") for one in call.args)
        )
    ]
    assert telling == []


def test_domain_and_commands_read_no_clock_of_their_own() -> None:
    reading = [
        _place(path, call.lineno)
        for path in SOURCES
        if path.relative_to(ROOT).parts[1] in ("domain", "commands")
        for name, call in _calls(path)
        if name in CLOCKS
    ]
    assert reading == []
