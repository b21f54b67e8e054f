"""Every import contract of pyproject.toml fails on a planted violation, and only then."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
KEPT_TREE = {
    "config/supervisor/__init__.py": "",
    "config/urls.py": "import sessions_log.views, compliance.queries",
    "compliance/queries.py": "import sessions_log.queries",
    "ai_audit/domain.py": "import sessions_log.domain",
    "sessions_log/domain/entry.py": "import dataclasses, msgspec",
    "sessions_log/ports.py": "import sessions_log.domain.entry",
    "sessions_log/commands.py": "import sessions_log.ports, cryptography",
    "sessions_log/models.py": "import django.db, sessions_log.domain.entry",
    "sessions_log/queries.py": "import sessions_log.models",
    "sessions_log/adapters/orm.py": "import sessions_log.models, sessions_log.commands",
    "sessions_log/wiring.py": "import sessions_log.adapters.orm",
    "sessions_log/followers.py": "import sessions_log.wiring, sessions_log.commands",
    "sessions_log/serializers.py": "import sessions_log.queries",
    "sessions_log/views.py": "import sessions_log.serializers, sessions_log.wiring",
    "sessions_log/admin.py": "import sessions_log.queries",
}
VIOLATIONS = [
    ("apps", "sessions_log/views.py", "import compliance.queries"),
    ("apps", "ai_audit/commands.py", "import compliance.queries"),
    ("files", "sessions_log/helpers.py", ""),
    ("files", "sessions_log/models.py", "import sessions_log.commands"),
    ("files", "sessions_log/adapters/orm.py", "import sessions_log.queries"),
    ("files", "sessions_log/admin.py", "import sessions_log.views"),
    ("plain-core", "sessions_log/domain/entry.py", "import django.utils.timezone"),
    ("plain-core", "sessions_log/ports.py", "import redis"),
    ("plain-core", "ai_audit/commands.py", "from psycopg import sql"),
    ("plain-core", "sessions_log/commands.py", "import celery"),
    ("plain-core", "sessions_log/commands.py", "from rest_framework import exceptions"),
    ("plain-core", "sessions_log/domain/entry.py", "import sessions_log.models"),
    ("reading", "sessions_log/queries.py", "import sessions_log.commands"),
    ("reading", "sessions_log/queries.py", "import sessions_log.ports"),
    ("reading", "compliance/queries.py", "import sessions_log.wiring"),
    ("request-edge", "sessions_log/serializers.py", "import sessions_log.adapters.orm"),
    ("request-edge", "sessions_log/permissions.py", "import sessions_log.wiring"),
    ("request-edge", "sessions_log/forms.py", "import sessions_log.followers"),
    ("followers", "sessions_log/followers.py", "import sessions_log.adapters.orm"),
    ("followers", "sessions_log/followers.py", "import sessions_log.queries"),
    ("storage", "ai_audit/views.py", "from sessions_log.models import Organization"),
    ("storage", "config/urls.py", "import sessions_log.adapters.orm"),
    ("storage", "compliance/queries.py", "import sessions_log.models"),
    ("supervisor", "config/supervisor/state.py", "import django.conf"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, text in KEPT_TREE.items():
        _write(tmp_path / path, text)
    return tmp_path


def test_contracts_are_kept_by_a_tree_as_the_style_guide_has_it(tree: Path) -> None:
    assert _is_kept(tree)


def test_every_contract_has_a_planted_violation() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract for contract, _, _ in VIOLATIONS} == {contract["id"] for contract in contracts}


def test_contracts_are_kept_by_the_sources_themselves() -> None:
    assert _is_kept(ROOT)


@pytest.mark.parametrize(("contract", "path", "text"), VIOLATIONS)
def test_contract_is_broken_by_a_planted_violation(tree: Path, contract: str, path: str, text: str) -> None:
    _write(tree / path, text)
    assert not _is_kept(tree, "--contract", contract)


def _is_kept(tree: Path, *options: str) -> bool:
    done = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache", *options],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts: " in done.stdout, done.stdout
    return done.returncode == 0


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, path.parent.parent):
        if "_" in folder.name or folder.name in {"config", "compliance", "supervisor", "domain", "adapters"}:
            (folder / "__init__.py").touch()
    path.write_text(text + "\n")
