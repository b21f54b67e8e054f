"""What every signer of ledgers promises (see `sessions_log.ports.LedgerSigner`)."""

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import pytest

from sessions_log.adapters.keyring_folder import FolderKeyring
from sessions_log.adapters.signer_folder import FolderSigner
from sessions_log.domain.checkpoint import parse_checkpoint
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.signed_note import VerifierKey, parse_note, verified
from sessions_log.ports import HeadRefused, KeyDestroyed, KeyringUnavailable

TRATTORIA, OSTERIA, UNKNOWN = UUID(int=1), UUID(int=2), UUID(int=3)
ORIGIN = "audit.example/trattoria"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def head(size: int, word: str = "entry") -> Frontier:
    return Frontier().grown(leaf_hash(f"{word}-{at}".encode()) for at in range(size))[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keyring = FolderKeyring(tmp_path / "keyring")
    keyring.make_organization(TRATTORIA)
    keyring.make_organization(OSTERIA)
    return tmp_path / "keyring"


def signer_at(folder: Path) -> FolderSigner:
    return FolderSigner(FolderKeyring(folder), folder)


@pytest.fixture
def signer(folder: Path) -> FolderSigner:
    return signer_at(folder)


def signed_file(folder: Path) -> Path:
    return folder / "checkpoints" / f"{TRATTORIA}.ndjson"


def test_checkpoint_is_that_of_the_head_under_the_ledgers_key(signer: FolderSigner) -> None:
    note = signer.sign(TRATTORIA, ORIGIN, head(5), NOW)
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 5, head(5).root())
    assert verified(parse_note(str(note).encode()), signer.verifiers(TRATTORIA, ORIGIN))


def test_heads_may_grow_and_may_be_signed_again(signer: FolderSigner) -> None:
    first = signer.sign(TRATTORIA, ORIGIN, head(5), NOW)
    assert signer.sign(TRATTORIA, ORIGIN, head(5), NOW) == first
    assert parse_checkpoint(signer.sign(TRATTORIA, ORIGIN, head(9), NOW).text).size == 9


@pytest.mark.parametrize("other", [head(4), head(5, "forged"), head(4, "forged")], ids=["smaller", "forged", "both"])
def test_head_that_cannot_be_true_beside_one_that_was_signed_is_refused(folder: Path, other: Frontier) -> None:
    signer_at(folder).sign(TRATTORIA, ORIGIN, head(5), NOW)
    before = signed_file(folder).read_bytes()
    with pytest.raises(HeadRefused):
        signer_at(folder).sign(TRATTORIA, ORIGIN, other, NOW)
    assert signed_file(folder).read_bytes() == before


def test_ledgers_do_not_hinder_each_other(signer: FolderSigner) -> None:
    signer.sign(TRATTORIA, ORIGIN, head(5), NOW)
    signer.sign(OSTERIA, "audit.example/osteria", head(2), NOW)
    names = [signer.verifiers(one, "")[0].name for one in (TRATTORIA, OSTERIA)]
    assert names == [ORIGIN, "audit.example/osteria"]


def test_name_of_a_ledger_stays_with_its_key(folder: Path) -> None:
    key = signer_at(folder).verifiers(TRATTORIA, ORIGIN)
    assert signer_at(folder).verifiers(TRATTORIA, "elsewhere.example/trattoria") == key
    assert parse_checkpoint(signer_at(folder).sign(TRATTORIA, "elsewhere.example", head(1), NOW).text).origin == ORIGIN


def test_what_was_signed_stands_beside_the_keys(folder: Path, signer: FolderSigner) -> None:
    notes = [signer.sign(TRATTORIA, ORIGIN, head(size), NOW) for size in (1, 2, 3)]
    lines = [json.loads(line) for line in signed_file(folder).read_text().splitlines()]
    assert [line["note"] for line in lines] == [str(note) for note in notes]
    assert {line["at"] for line in lines} == {NOW.isoformat()}
    assert signed_file(folder).stat().st_mode & 0o777 == 0o600
    assert signed_file(folder).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kept", [1, 10, 100])
def test_line_that_a_crash_cut_short_is_dropped(folder: Path, signer: FolderSigner, kept: int) -> None:
    first = signer.sign(TRATTORIA, ORIGIN, head(5), NOW)
    whole = signed_file(folder).read_bytes()
    signer.sign(TRATTORIA, ORIGIN, head(6), NOW)
    os.truncate(signed_file(folder), len(whole) + kept)
    again = signer_at(folder).sign(TRATTORIA, ORIGIN, head(5), NOW)
    assert again == first
    assert [json.loads(line)["note"] for line in signed_file(folder).read_text().splitlines()] == [str(first)] * 2


def test_first_line_cut_short_is_dropped(folder: Path, signer: FolderSigner) -> None:
    signer.sign(TRATTORIA, ORIGIN, head(5), NOW)
    os.truncate(signed_file(folder), 20)
    signer.sign(TRATTORIA, ORIGIN, head(3), NOW)
    assert len(signed_file(folder).read_text().splitlines()) == 1


def _sign_many(folder: Path, word: str) -> int:
    signer, signed = signer_at(folder), 0
    for size in range(1, 40):
        try:
            signer.sign(TRATTORIA, ORIGIN, head(size, word), NOW)
        except HeadRefused:
            continue
        signed += 1
    return signed


def test_two_processes_never_sign_two_heads_of_one_size(folder: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        counts = list(pool.map(_sign_many, [folder] * 2, ["one", "other"]))
    lines = signed_file(folder).read_text().splitlines()
    heads = [parse_checkpoint(parse_note(json.loads(line)["note"].encode()).text) for line in lines]
    sizes = [one.size for one in heads]
    assert sum(counts) == len(heads)
    assert sizes == sorted(set(sizes))


def test_unknown_organization_gets_no_key(signer: FolderSigner, folder: Path) -> None:
    with pytest.raises(KeyDestroyed):
        signer.sign(UNKNOWN, ORIGIN, head(1), NOW)
    assert not (folder / "organizations" / str(UNKNOWN)).exists()


def test_keyring_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyringUnavailable):
        signer_at(tmp_path / "nowhere").sign(TRATTORIA, ORIGIN, head(1), NOW)


def key_files(folder: Path) -> dict[str, int]:
    """The signing keys' files, and how long each is."""
    own = folder / "organizations" / str(TRATTORIA)
    return {path.name: path.stat().st_size for path in own.iterdir() if path.name.startswith("signing-")}


def rotate(signer: FolderSigner) -> VerifierKey:
    with signer.changing(TRATTORIA, ORIGIN) as keys:
        successor = keys.successor()
        keys.adopt()
    return successor


def retire(signer: FolderSigner) -> bool:
    with signer.changing(TRATTORIA, ORIGIN) as keys:
        return keys.retire_old()


def test_successor_signs_nothing_until_it_is_adopted(folder: Path, signer: FolderSigner) -> None:
    old = signer.verifiers(TRATTORIA, ORIGIN)
    with signer.changing(TRATTORIA, ORIGIN) as keys:
        successor = keys.successor()
    with signer_at(folder).changing(TRATTORIA, ORIGIN) as keys:
        assert keys.successor() == successor
    assert signer.verifiers(TRATTORIA, ORIGIN) == signer.signing(TRATTORIA, ORIGIN) == old
    assert [one.key_id for one in signer.sign(TRATTORIA, ORIGIN, head(1), NOW).signatures] == [old[0].id]


def test_both_keys_sign_from_the_next_checkpoint_on_in_every_process(folder: Path, signer: FolderSigner) -> None:
    other = signer_at(folder)
    (old,) = other.verifiers(TRATTORIA, ORIGIN)
    first = other.sign(TRATTORIA, ORIGIN, head(1), NOW)
    new = rotate(signer)
    assert (new.name, new.id != old.id) == (ORIGIN, True)
    assert signer.signing(TRATTORIA, ORIGIN) == other.verifiers(TRATTORIA, "elsewhere") == [old, new]
    note = other.sign(TRATTORIA, ORIGIN, head(2), NOW)
    assert verified(note, [old, new]) == [old, new]
    assert other.sign(TRATTORIA, ORIGIN, head(2), NOW) == note
    assert verified(first, [old, new]) == [old]


def test_retired_key_signs_no_more_and_what_it_signed_keeps_verifying(folder: Path, signer: FolderSigner) -> None:
    other = signer_at(folder)
    first = other.sign(TRATTORIA, ORIGIN, head(1), NOW)
    (old,) = other.verifiers(TRATTORIA, ORIGIN)
    new = rotate(signer)
    retire(signer)
    assert verified(other.sign(TRATTORIA, ORIGIN, head(2), NOW), [old, new]) == [new]
    assert other.signing(TRATTORIA, ORIGIN) == [new]
    assert other.verifiers(TRATTORIA, ORIGIN) == [new, old]
    assert verified(first, other.verifiers(TRATTORIA, ORIGIN)) == [old]
    third = rotate(signer)
    assert other.verifiers(TRATTORIA, ORIGIN) == [new, third, old]


def test_seed_is_destroyed_in_its_own_file_and_is_not_made_again(folder: Path, signer: FolderSigner) -> None:
    signer.sign(TRATTORIA, ORIGIN, head(1), NOW)
    file = (folder / "organizations" / str(TRATTORIA) / "signing-1.key").stat().st_ino
    assert not retire(signer)
    rotate(signer)
    assert retire(signer)
    assert not retire(signer)
    signer_at(folder).verifiers(TRATTORIA, ORIGIN)
    emptied = (folder / "organizations" / str(TRATTORIA) / "signing-1.key").stat()
    assert (emptied.st_ino, emptied.st_size) == (file, 0)
    assert key_files(folder).keys() == {"signing-1.key", "signing-1.vkey", "signing-2.key"}


def test_last_signed_is_told_to_who_changes_keys(signer: FolderSigner) -> None:
    with signer.changing(TRATTORIA, ORIGIN) as keys:
        assert keys.last_signed() is None
        note = signer.sign(TRATTORIA, ORIGIN, head(1), NOW)  # signing goes on meanwhile
        assert keys.last_signed() == note


def _rotate_once(folder: Path) -> list[VerifierKey]:
    signer = signer_at(folder)
    with signer.changing(TRATTORIA, ORIGIN) as keys:
        if len(keys.signing()) == 1:
            keys.successor()
            keys.adopt()
    return signer.verifiers(TRATTORIA, ORIGIN)


def test_two_processes_that_change_keys_at_once_make_one_new_key(folder: Path) -> None:
    signer_at(folder).verifiers(TRATTORIA, ORIGIN)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        one, other = pool.map(_rotate_once, [folder] * 2)
    assert one == other
    assert len(one) == 2


def _until_crash(folder: Path, steps: int, change: Callable[[FolderSigner], object]) -> None:
    """Change the keys, and be gone at the so-and-so-many-th thing that is done to a file of them."""
    left = steps

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in ("open", "os.rename", "os.link", "os.remove") and str(folder) in str(arguments[0]):
            left -= 1
            if not left:
                os._exit(9)

    signer = signer_at(folder)
    sys.addaudithook(count)
    change(signer)
    os._exit(0)


@pytest.mark.parametrize("change", [rotate, retire])
def test_crash_at_any_point_leaves_keys_that_sign_and_a_change_that_can_be_taken_up(
    tmp_path: Path, change: Callable[[FolderSigner], object]
) -> None:
    crashes, steps = 0, 0
    while crashes == steps:
        steps += 1
        folder = tmp_path / f"keyring-{steps}"
        FolderKeyring(folder).make_organization(TRATTORIA)
        signer = signer_at(folder)
        first = signer.sign(TRATTORIA, ORIGIN, head(1), NOW)
        if change is retire:
            rotate(signer)
        before = signer.verifiers(TRATTORIA, ORIGIN)

        child = get_context("fork").Process(target=_until_crash, args=(folder, steps, change))
        child.start()
        child.join(30)
        crashes += child.exitcode == 9

        survivor = signer_at(folder)
        note = survivor.sign(TRATTORIA, ORIGIN, head(2), NOW)
        assert {key.id for key in verified(note, survivor.signing(TRATTORIA, ORIGIN))} == {
            one.key_id for one in note.signatures
        }
        assert set(before) <= set(survivor.verifiers(TRATTORIA, ORIGIN))
        verified(first, survivor.verifiers(TRATTORIA, ORIGIN))
        if change is rotate:
            _rotate_once(folder)
            assert len(survivor.signing(TRATTORIA, ORIGIN)) == 2
        else:
            retire(survivor)
            assert survivor.signing(TRATTORIA, ORIGIN) == [before[1]]
            assert key_files(folder)["signing-1.key"] == 0
    assert crashes > 3


def test_retired_verifier_key_that_was_damaged_is_said(folder: Path, signer: FolderSigner) -> None:
    rotate(signer)
    retire(signer)
    (folder / "organizations" / str(TRATTORIA) / "signing-1.vkey").write_bytes(b"\xff")
    with pytest.raises(KeyringUnavailable):
        signer.verifiers(TRATTORIA, ORIGIN)
