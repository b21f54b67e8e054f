"""Evidence files as the verifier that stands alone takes them: ours, statements', and every way to forge one."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.evidence import Head, Place, Substance, evidence, part_hashes
from sessions_log.domain.leaf import EntryColumns, canonical, leaf
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.signed_note import SignerKey, signed
from sessions_log.domain.statements import new_statement, statement_leaf
from tests.unit.test_stand_alone_verifier import KEY, VKEY, run
from tests.vectors import VECTORS, needs_vectors

WHEN = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)
ENTRY = UUID("01a20dbc-61ba-763f-a42b-cfd13e4fdcb4")
ORGANIZATION = UUID(int=1)
WITNESS = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
COLUMNS = EntryColumns(
    "record.view", None, None, 1, 7, {"email": 2}, ENTRY.hex, ORGANIZATION.hex, "success", 1, WHEN, False, "orders",
    "2" * 32, "3" * 32, None, None, WHEN,
)  # fmt: skip
NONCE, SEALED = bytes(range(16)), b"sealed bytes"
LEAF = leaf(1, NONCE, canonical(COLUMNS), ((1, SEALED),))


def placed(own: bytes) -> Place:
    """A leaf at place 1 of a signed ledger of two."""
    other = leaf_hash(b"another leaf")
    root = Frontier().grown([other, leaf_hash(own)])[0].root()
    note = str(signed(Checkpoint(KEY.name, 2, root).text(), [KEY]))
    return Place(1, own, Head(2, root, note, WHEN), (other,))


def of_record(**more: Any) -> dict[str, Any]:
    substance = Substance(entry_id=ENTRY, nonce=NONCE, columns=canonical(COLUMNS), **more)
    return evidence(placed(LEAF), substance)


@pytest.fixture
def check(tmp_path: Path) -> Callable[[Any], tuple[int, str]]:
    """What the verifier says of a document."""

    def run_on(document: Any) -> tuple[int, str]:
        file = tmp_path / "evidence.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return run("entry", file, "--key", VKEY)

    return run_on


Check = Callable[[Any], tuple[int, str]]


def test_evidence_holds_and_its_columns_are_told(check: Check) -> None:
    status, words = check(of_record())
    assert status == 0
    lines = words.splitlines()
    assert lines[0] == f"holds: entry 1 stands in the ledger {KEY.name}, as signed at 2 entries"
    assert '  action: "record.view"' in lines
    assert "not checked" not in words


def test_opened_content_is_said_not_to_be_checked(check: Check) -> None:
    status, words = check(of_record(sealed={1: SEALED}, opened={1: {"userId": "m.russo"}}))
    assert status == 0
    assert "sealed parts in the file: 1, recorded with the entry as they are" in words
    assert "not checked: what stands under `opened`" in words
    assert "m.russo" not in words


def test_statement_is_told_as_it_stands_in_its_leaf(check: Check) -> None:
    statement = new_statement(ORGANIZATION, "gap", {"missing": [[3, 5]], "truncated": False}, WHEN)
    own_id = UUID(bytes=statement.id)
    document = evidence(placed(statement_leaf(statement.body)), Substance(entry_id=own_id, statement=statement.body))
    status, words = check(document)
    assert status == 0
    assert '  details: {"missing": [[3, 5]], "truncated": false}' in words
    document["statement"]["details"]["missing"] = []
    status, words = check(document)
    assert (status, words) == (1, "NOT PROVEN: entry 1: the statement is not the one that its leaf holds")


def test_entry_whose_columns_were_removed_still_stands_in_the_ledger(check: Check) -> None:
    status, words = check(evidence(placed(LEAF), Substance(entry_id=ENTRY)))
    assert status == 0
    assert "its columns are not in the file" in words


def _replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


FORGERIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a column": lambda told: told["columns"].update(outcome="denied"),
    "a column more": lambda told: told["columns"].update(note="harmless"),
    "a column less": lambda told: told["columns"].pop("sensitive"),
    "a number as text": lambda told: told["columns"].update(duration="7"),
    "a number with a fraction": lambda told: told["columns"].update(duration=7.5),
    "the nonce": lambda told: told.update(nonce="00" * 16),
    "the kind": lambda told: told.update(kind=4),
    "the place": lambda told: told.update(seq=0),
    "the entry": lambda told: told.update(entry=str(UUID(int=7))),
    "the leaf": lambda told: told.update(leaf=base64.b64encode(LEAF[:-1] + b"\0").decode()),
    "an empty leaf": lambda told: told.update(leaf=""),
    "the leaf's hash": lambda told: told.update(leafHash="00" * 32),
    "a sealed part": lambda told: told["parts"]["1"].update(sealed=base64.b64encode(b"other bytes").decode()),
    "a part's hash": lambda told: told["parts"]["1"].update(sha256="00" * 32),
    "a part more": lambda told: told["parts"].update({"2": {"sha256": "00" * 32}}),
    "no parts": lambda told: told.update(parts={}),
    "the proof's place": lambda told: told.update(proof=_replaced(told["proof"], "index 1", "index 0")),
    "a place before the first": lambda told: told.update(proof=_replaced(told["proof"], "index 1", "index -1"), seq=-1),
    "the checkpoint": lambda told: told.update(proof=_replaced(told["proof"], f"{KEY.name}\n2\n", f"{KEY.name}\n3\n")),
    "no signature": lambda told: told.update(proof=told["proof"].rpartition("\N{EM DASH}")[0]),
    "the format": lambda told: told.update(format="muniment-evidence@v2"),
    "nothing": lambda told: told.clear(),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_evidence_does_not_hold(check: Check, forgery: str) -> None:
    told = of_record(sealed={1: SEALED}, opened={1: {"userId": "m.russo"}})
    FORGERIES[forgery](told)
    status, words = check(told)
    assert (status, words.startswith("NOT PROVEN: ")) == (1, True)


def test_name_that_stands_twice_is_refused(check: Check) -> None:
    doubled = json.dumps(of_record()).replace('"outcome": "success"', '"outcome": "denied", "outcome": "success"')
    assert check(doubled) == (1, "NOT PROVEN: a name stands twice in the same JSON object")


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 100_000, "\ud800".encode("utf-8", "replace").decode()])
def test_what_is_no_evidence_is_said(check: Check, text: str) -> None:
    assert check(text) == (1, "NOT PROVEN: a file is not of the form that it should have")


def test_evidence_under_anothers_key_does_not_hold(check: Check) -> None:
    forger = SignerKey.of_seed(KEY.name, bytes(32))
    told = of_record()
    note = signed(Checkpoint(KEY.name, 2, placed(LEAF).head.root).text(), [forger])  # type: ignore[union-attr]  # it has one
    told["proof"] = told["proof"].partition("\n\n")[0] + f"\n\n{note}"
    assert check(told) == (1, "NOT PROVEN: the checkpoint is not signed by the ledger's key that you gave")


def test_parts_of_a_leaf_are_read_from_it() -> None:
    assert list(part_hashes(LEAF)) == [1]
    with pytest.raises(ValueError, match="no record's leaf"):
        part_hashes(LEAF[:-1])


@needs_vectors
def test_cosignature_of_the_vectors_holds(tmp_path: Path) -> None:
    arguments = ("growth", VECTORS / "checkpoint-7", tmp_path / "proof", "--key", VKEY)
    hashes = (VECTORS / "cons-7-13.txt").read_text()
    note = (VECTORS / "checkpoint-13").read_text()
    (tmp_path / "proof").write_text(f"old 7\n{hashes}\n{note}")
    status, words = run(*arguments, "--witness", WITNESS)
    assert status == 0
    assert words.endswith("entries, witnessed by witness.example/w1 at 2027-01-15 08:00:00 UTC")

    time_changed = note.replace("IDJKvgAAAABrSdIA", "IDJKvgAAAABrSdIB")
    assert time_changed != note
    (tmp_path / "proof").write_text(f"old 7\n{hashes}\n{time_changed}")
    assert run(*arguments, "--witness", WITNESS)[1] == "NOT PROVEN: the signature of witness.example/w1 does not hold"
    assert run(*arguments)[0] == 0


def test_checkpoint_without_its_witness_does_not_hold_where_one_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(json.dumps(of_record()))
    missing = "NOT PROVEN: 0 of your witnesses have signed the checkpoint, 1 must"
    assert run("entry", file, "--key", VKEY, "--witness", WITNESS) == (1, missing)
    assert run("entry", file, "--key", VKEY, "--witness", WITNESS, "--quorum", "0")[0] == 0
    assert run("entry", file, "--key", VKEY, "--quorum", "1") == (1, missing)
