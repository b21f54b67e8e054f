"""The commands of README.md and docs/api.md work in the order in which they stand, and answer what is printed."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sessions_log import wiring
from sessions_log.commands.organizations import CreateOrganization, SlugTaken, create_organization
from sessions_log.domain.actions import ACTIONS
from tests.conftest import Servers
from tests.e2e.portal_browser import running_processes
from tests.organizations import ACTOR

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BETWEEN = "----- next block -----"


@pytest.fixture(scope="module")
def portal(servers: Servers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_processes(servers, tmp_path_factory.mktemp("home")) as url:
        yield url


@pytest.mark.parametrize("document", ["README.md", "docs/api.md"])
def test_commands_of_a_document_answer_what_it_prints(
    document: str, portal: str, servers: Servers, db: None, tmp_path: Path
) -> None:
    with contextlib.suppress(SlugTaken):
        create_organization(
            CreateOrganization(slug="command-center", name="Command Center", actor=ACTOR), wiring.ports()
        )
    commands, printed = _commands((ROOT / document).read_text())

    answers = _run(commands, portal, servers, tmp_path)

    for at, expected in printed.items():
        assert _shape(json.loads(answers[at])) == _shape(json.loads(expected)), commands[at]


def test_vocabulary_of_the_document_is_the_one_that_is_taken() -> None:
    rows = re.findall(r"^\| `([a-z]+\.)` \| (`.*`) \|$", (ROOT / "docs/api.md").read_text(), re.MULTILINE)

    listed = {family + verb for family, verbs in rows for verb in re.findall(r"`(\w+)`", verbs)}

    assert listed == ACTIONS


def _commands(text: str) -> tuple[list[str], dict[int, str]]:
    """The shell blocks, and by its place what the document prints after one."""
    commands: list[str] = []
    printed: dict[int, str] = {}
    for kind, block in BLOCK.findall(text):
        if kind == "sh":
            commands.append(block)
        elif kind == "json":
            printed[len(commands) - 1] = block
    return commands, printed


def _run(commands: list[str], portal: str, servers: Servers, folder: Path) -> list[str]:
    """What each block writes, all of them run in one shell, as a reader would."""
    script = f"echo '{BETWEEN}'\n".join(["", *commands])
    for written, meant in (
        ("/tmp/", f"{folder}/"),  # nosec B108 -- first: the paths below may lie there too
        ("http://localhost:8000", portal),
        (".venv/bin/python manage.py", f"{sys.executable} {ROOT / 'manage.py'}"),
    ):
        script = script.replace(written, meant)
    environment = {**servers.environment("web"), "PATH": os.environ["PATH"], "MUNIMENT_HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(f"{BETWEEN}\n")[1:]


def _shape(value: Any) -> Any:
    """What two answers to the same command have in common: fields, kinds of values, words of state."""
    if isinstance(value, dict):
        return {name: inner if name in ("status", "state", "path") else _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return type(value)
