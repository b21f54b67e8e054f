import os
import stat
from pathlib import Path

from config.supervisor.state import Home, Secrets, State, running_urls


def test_urls_of_a_running_supervisor_are_found(tmp_path: Path) -> None:
    _state(pid=os.getpid()).save(tmp_path / "state.json")
    assert running_urls(tmp_path) == {"DATABASE_URL": "postgresql://muniment_web@127.0.0.1:5/muniment"}


def test_urls_of_a_dead_supervisor_are_not_given(tmp_path: Path) -> None:
    above_every_pid = 2**22 + 1
    _state(pid=above_every_pid).save(tmp_path / "state.json")
    assert running_urls(tmp_path) is None


def test_state_cut_short_counts_as_none(tmp_path: Path) -> None:
    _state(pid=os.getpid()).save(tmp_path / "state.json")
    whole = (tmp_path / "state.json").read_text()
    (tmp_path / "state.json").write_text(whole[:40])
    assert running_urls(tmp_path) is None


def test_folder_without_a_state_has_no_urls(tmp_path: Path) -> None:
    assert running_urls(tmp_path / "none") is None


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = Secrets.load_or_create(tmp_path / "secrets.json")
    assert Secrets.load_or_create(tmp_path / "secrets.json") == first
    assert len({first.database, first.valkey, first.portal}) == 3


def test_each_role_has_a_password_of_its_own(tmp_path: Path) -> None:
    made = Secrets.load_or_create(tmp_path / "secrets.json")
    assert made.role_password("muniment_web") != made.role_password("muniment_owner")
    assert made.role_password("muniment_web") == made.role_password("muniment_web")


def test_what_the_data_folder_holds_is_closed_to_others(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    Secrets.load_or_create(home.secrets)
    State().save(home.state)
    assert [_mode(path) for path in (home.keyring, home.logs, home.valkey)] == [0o700] * 3
    assert [_mode(path) for path in (home.secrets, home.state)] == [0o600] * 2


def test_mode_of_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    Home(tmp_path).create()
    assert _mode(tmp_path) == 0o750


def _state(*, pid: int) -> State:
    urls = {"DATABASE_URL": "postgresql://muniment_web@127.0.0.1:5/muniment"}
    return State(supervisor_pid=pid, environment=urls)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
