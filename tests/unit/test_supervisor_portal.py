from pathlib import Path

import pytest

from config.supervisor.portal import (
    child_environment,
    command_lines,
    fingerprint,
    own_addresses,
    owner_environment,
)
from config.supervisor.state import Home

HOME = Home(Path("/srv/muniment"))
ADDRESSES = {
    "DATABASE_URL": "postgresql://muniment_web@db/muniment",
    "DATABASE_URL_OWNER": "postgresql://muniment_owner@db/muniment",
    "DATABASE_URL_RECORDER": "postgresql://muniment_recorder@db/muniment",
    "VALKEY_URL": "redis://valkey/0",
}


def test_process_gets_the_url_of_its_own_role_and_no_other() -> None:
    recorder = child_environment(ADDRESSES, HOME, role="RECORDER")
    urls = {name: text for name, text in recorder.items() if name.startswith("DATABASE_URL")}
    assert urls == {"DATABASE_URL": ADDRESSES["DATABASE_URL_RECORDER"], "DATABASE_URL_OWNER": ""}
    assert recorder["VALKEY_URL"] == "redis://valkey/0"


def test_roles_passwords_reach_the_owners_command_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "by the operator"
    monkeypatch.setenv("MUNIMENT_PASSWORD_WEB", given)
    assert "MUNIMENT_PASSWORD_WEB" not in child_environment(ADDRESSES, HOME)
    owner = owner_environment(ADDRESSES, HOME)
    assert owner["MUNIMENT_PASSWORD_WEB"] == given
    assert owner["DATABASE_URL_OWNER"] == ADDRESSES["DATABASE_URL_OWNER"]


def test_process_without_a_url_of_its_own_uses_the_common_one() -> None:
    found = own_addresses({"DATABASE_URL": "postgresql://one", "DATABASE_URL_BEAT": "postgresql://beat"})
    assert found["DATABASE_URL_RECORDER"] == "postgresql://one"
    assert found["DATABASE_URL_BEAT"] == "postgresql://beat"
    assert found["DATABASE_URL_OWNER"] == ""


def test_another_database_is_prepared_anew() -> None:
    assert fingerprint("one") == fingerprint("one")
    assert fingerprint("one") != fingerprint("another")


def test_nothing_listens_beyond_this_machine() -> None:
    _, web = command_lines(8000, HOME)["web"]
    assert web[web.index("--host") + 1] == "127.0.0.1"
