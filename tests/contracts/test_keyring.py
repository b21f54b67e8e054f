"""What every keyring promises (see `sessions_log.ports.Keyring`); a second adapter is added to ADAPTERS."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import UUID

import pytest

from sessions_log.adapters.keyring_folder import FolderKeyring
from sessions_log.ports import KeyDestroyed, Keyring, KeyringUnavailable

TRATTORIA, OSTERIA, UNKNOWN = UUID(int=1), UUID(int=2), UUID(int=3)
TODAY = date(2026, 11, 23)


def _folder(place: str) -> Keyring:
    return FolderKeyring(Path(place) / "keyring")


# Each opens the keyring at a place; opened twice at one place it is the same keyring, as two processes see it.
ADAPTERS: dict[str, Callable[[str], Keyring]] = {"folder": _folder}


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def reopen(adapter: str, tmp_path: Path) -> Callable[[], Keyring]:
    return lambda: ADAPTERS[adapter](str(tmp_path))


@pytest.fixture
def keyring(reopen: Callable[[], Keyring]) -> Keyring:
    opened = reopen()
    opened.make_organization(TRATTORIA)
    return opened


def test_organization_has_an_id_key_and_an_epoch_of_256_bits_each(keyring: Keyring) -> None:
    epoch = keyring.epoch(TRATTORIA, 1)
    assert len(keyring.id_key(TRATTORIA)) == len(epoch.wrapping) == len(epoch.search) == 32
    assert epoch.number == 1


def test_no_two_keys_are_the_same(keyring: Keyring) -> None:
    keyring.make_organization(OSTERIA)
    epochs = [keyring.epoch(organization, 1) for organization in (TRATTORIA, OSTERIA)]
    keys = [
        *(keyring.id_key(organization) for organization in (TRATTORIA, OSTERIA)),
        *(key for epoch in epochs for key in (epoch.wrapping, epoch.search)),
        *(keyring.inbox_key(TODAY + timedelta(days=step)) for step in range(5)),
    ]
    assert len(set(keys)) == len(keys)


def test_making_an_organization_again_changes_nothing(keyring: Keyring) -> None:
    before = keyring.id_key(TRATTORIA), keyring.epoch(TRATTORIA, 1)
    keyring.make_organization(TRATTORIA)
    assert (keyring.id_key(TRATTORIA), keyring.epoch(TRATTORIA, 1)) == before


def test_keys_are_the_same_when_the_keyring_is_opened_again(keyring: Keyring, reopen: Callable[[], Keyring]) -> None:
    again = reopen()
    assert again.id_key(TRATTORIA) == keyring.id_key(TRATTORIA)
    assert again.epoch(TRATTORIA, 1) == keyring.epoch(TRATTORIA, 1)
    assert again.inbox_key(TODAY) == keyring.inbox_key(TODAY)


def test_key_that_was_never_made_is_as_good_as_destroyed(keyring: Keyring) -> None:
    with pytest.raises(KeyDestroyed):
        keyring.id_key(UNKNOWN)
    with pytest.raises(KeyDestroyed):
        keyring.epoch(UNKNOWN, 1)
    with pytest.raises(KeyDestroyed):
        keyring.epoch(TRATTORIA, 2)


def test_new_epoch_has_keys_of_its_own_and_is_made_once(keyring: Keyring, reopen: Callable[[], Keyring]) -> None:
    keyring.make_epoch(TRATTORIA, 2)
    made = keyring.epoch(TRATTORIA, 2)
    reopen().make_epoch(TRATTORIA, 2)
    assert reopen().epoch(TRATTORIA, 2) == made
    assert not {made.wrapping, made.search} & {keyring.epoch(TRATTORIA, 1).wrapping, keyring.epoch(TRATTORIA, 1).search}


def test_destroyed_epoch_stays_destroyed_for_all_who_had_it_at_hand(
    keyring: Keyring, reopen: Callable[[], Keyring]
) -> None:
    other = reopen()
    keyring.make_epoch(TRATTORIA, 2)
    assert other.epoch(TRATTORIA, 1) == keyring.epoch(TRATTORIA, 1)
    for _ in range(2):
        keyring.destroy_epoch(TRATTORIA, 1)
    for one in (keyring, other, reopen()):
        with pytest.raises(KeyDestroyed):
            one.epoch(TRATTORIA, 1)
        with pytest.raises(KeyDestroyed):
            one.make_epoch(TRATTORIA, 1)
        assert one.epoch(TRATTORIA, 2).number == 2


def test_organization_that_is_not_known_gets_no_epoch(keyring: Keyring) -> None:
    with pytest.raises(KeyDestroyed):
        keyring.make_epoch(UNKNOWN, 2)


def test_inbox_key_of_a_day_stays_the_same_and_days_differ(keyring: Keyring) -> None:
    today = keyring.inbox_key(TODAY)
    others = [keyring.inbox_key(TODAY + timedelta(days=step)) for step in range(1, 20)]
    assert keyring.inbox_key(TODAY) == today
    assert today not in others


def test_destroyed_inbox_key_stays_destroyed(keyring: Keyring, reopen: Callable[[], Keyring]) -> None:
    keyring.inbox_key(TODAY)
    keyring.destroy_inbox_key(TODAY)
    for one in (keyring, reopen()):
        with pytest.raises(KeyDestroyed):
            one.inbox_key(TODAY)


def test_destroying_one_day_leaves_the_others(keyring: Keyring) -> None:
    yesterday = keyring.inbox_key(TODAY - timedelta(days=1))
    keyring.inbox_key(TODAY)
    keyring.destroy_inbox_key(TODAY)
    assert keyring.inbox_key(TODAY - timedelta(days=1)) == yesterday


def test_destroying_what_is_gone_or_was_never_there_does_nothing(keyring: Keyring) -> None:
    keyring.inbox_key(TODAY)
    for _ in range(2):
        keyring.destroy_inbox_key(TODAY)
    keyring.destroy_inbox_key(TODAY + timedelta(days=1))
    keyring.check()


def test_keyring_that_can_be_used_passes_its_check(keyring: Keyring, reopen: Callable[[], Keyring]) -> None:
    keyring.check()
    reopen().check()


def test_keyring_of_no_organization_is_unavailable_and_makes_no_inbox_key(reopen: Callable[[], Keyring]) -> None:
    # So it looks where the keyring is kept elsewhere and that place is not there yet.
    for use in (lambda: reopen().inbox_key(TODAY), lambda: reopen().id_key(TRATTORIA), lambda: reopen().check()):
        with pytest.raises(KeyringUnavailable):
            use()


def test_threads_that_ask_for_a_new_day_s_key_get_one_key(keyring: Keyring) -> None:
    days = [TODAY + timedelta(days=step) for step in range(30)]
    with ThreadPoolExecutor(8) as threads:
        for day in days:
            assert len(set(threads.map(keyring.inbox_key, [day] * 8))) == 1


def test_processes_that_make_the_same_keys_at_once_get_the_same(adapter: str, tmp_path: Path, keyring: Keyring) -> None:
    context = get_context("spawn")
    days = [TODAY + timedelta(days=step) for step in range(20)]
    with context.Manager() as manager:
        start = manager.Barrier(3)
        with context.Pool(3) as processes:
            made = processes.starmap(_make_keys, [(adapter, str(tmp_path), start, days)] * 3, chunksize=1)
    assert made[0] == made[1] == made[2] == [keyring.id_key(OSTERIA), *map(keyring.inbox_key, days)]


def _make_keys(adapter: str, place: str, start: Barrier, days: list[date]) -> list[bytes]:
    keyring = ADAPTERS[adapter](place)
    start.wait(30)
    keyring.make_organization(OSTERIA)
    return [keyring.id_key(OSTERIA), *map(keyring.inbox_key, days)]
