"""What the folder keyring leaves on the disk, and what it does when the disk is not as it should be."""

import stat
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from sessions_log.adapters.keyring_folder import FolderKeyring
from sessions_log.ports import KeyringUnavailable

TRATTORIA = UUID(int=1)
TODAY = date(2026, 11, 23)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keyring"


@pytest.fixture
def keyring(folder: Path) -> FolderKeyring:
    opened = FolderKeyring(folder)
    opened.make_organization(TRATTORIA)
    opened.inbox_key(TODAY)
    return opened


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_lie_where_the_documentation_says_and_nothing_else_does(keyring: FolderKeyring, folder: Path) -> None:
    keyring.check()
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "inbox/2026-11-23.key",
        "organizations/00000000-0000-0000-0000-000000000001/epoch-1.key",
        "organizations/00000000-0000-0000-0000-000000000001/id.key",
    ]


def test_folders_and_files_are_their_owner_s_alone(keyring: FolderKeyring, folder: Path) -> None:
    paths = [folder, *folder.rglob("*")]
    assert {_mode(path) for path in paths if path.is_dir()} == {0o700}
    assert {_mode(path) for path in paths if path.is_file()} == {0o600}


def test_destroyed_key_s_own_file_is_emptied_and_not_replaced(keyring: FolderKeyring, folder: Path) -> None:
    path = folder / "inbox" / "2026-11-23.key"
    file = path.stat().st_ino
    keyring.destroy_inbox_key(TODAY)
    assert path.read_bytes() == b""
    assert path.stat().st_ino == file


def test_folder_that_went_away_is_unavailable_and_is_not_made_anew(keyring: FolderKeyring, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    fresh = FolderKeyring(folder)
    for use in (lambda: fresh.inbox_key(TODAY), lambda: fresh.id_key(TRATTORIA), keyring.check):
        with pytest.raises(KeyringUnavailable):
            use()
    assert not folder.exists()


def test_empty_folder_in_the_keyring_s_place_gets_no_keys(keyring: FolderKeyring, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()
    with pytest.raises(KeyringUnavailable):
        FolderKeyring(folder).inbox_key(TODAY)
    assert list(folder.iterdir()) == []


def test_file_where_a_folder_should_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "keyring").write_text("")
    broken = FolderKeyring(tmp_path / "keyring")
    for use in (
        lambda: broken.make_organization(TRATTORIA),
        lambda: broken.inbox_key(TODAY),
        lambda: broken.epoch(TRATTORIA, 1),
        broken.check,
    ):
        with pytest.raises(KeyringUnavailable):
            use()


def test_what_a_killed_process_left_behind_does_not_matter(keyring: FolderKeyring, folder: Path) -> None:
    (folder / "inbox" / ".2026-11-24.key.4711.abcd").write_bytes(b"half")
    assert len(keyring.inbox_key(date(2026, 11, 24))) == 32


def test_words_of_an_error_hold_no_key(keyring: FolderKeyring, folder: Path) -> None:
    key = (folder / "inbox" / "2026-11-23.key").read_bytes()
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(KeyringUnavailable) as caught:
        FolderKeyring(folder).inbox_key(TODAY)
    assert key.hex() not in str(caught.value)
