"""Checkpoints are signed, read and refused as signed-note, tlog-checkpoint and the vectors have it."""

import pytest

from sessions_log.domain.checkpoint import Checkpoint, parse_checkpoint
from sessions_log.domain.signed_note import (
    COSIGNATURE_V1,
    InvalidNote,
    SignerKey,
    VerifierKey,
    parse_note,
    signed,
    verified,
)
from tests.vectors import VECTORS, needs_vectors, vectors

ORIGIN = "audit.example/org1"
KEY = SignerKey.of_seed(ORIGIN, bytes(range(32)))
OTHER = SignerKey.of_seed("another.example", bytes(range(32, 64)))
TEXT = Checkpoint(ORIGIN, 7, bytes(32)).text()


@needs_vectors
def test_verifier_keys_of_the_vectors() -> None:
    assert str(KEY.verifier) == vectors()["log_vkey"]
    assert VerifierKey.parsed(vectors()["log_vkey"]) == KEY.verifier
    witness = VerifierKey.parsed(vectors()["wit_vkey"])
    assert (witness.name, witness.type, str(witness)) == ("witness.example/w1", COSIGNATURE_V1, vectors()["wit_vkey"])


@needs_vectors
@pytest.mark.parametrize("size", [7, 13, 70_000])
def test_checkpoints_of_the_vectors(size: int) -> None:
    whole = (VECTORS / f"checkpoint-{size}").read_bytes()
    note = parse_note(whole)
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, size)
    assert checkpoint.root.hex() == vectors()["roots"].get(str(size))
    assert verified(note, [KEY.verifier]) == [KEY.verifier]
    assert str(note).encode() == whole
    assert note.signatures[0] == KEY.sign(checkpoint.text())


def test_note_is_read_as_it_was_signed() -> None:
    note = signed(TEXT, [KEY, OTHER])
    assert parse_note(str(note).encode()) == note
    assert verified(note, [OTHER.verifier]) == [OTHER.verifier]
    assert verified(note, [KEY.verifier, OTHER.verifier]) == [KEY.verifier, OTHER.verifier]


def test_text_may_hold_blank_lines() -> None:
    note = signed("a\n\nb\n", [KEY])
    assert parse_note(str(note).encode()).text == "a\n\nb\n"


def test_signature_of_another_text_is_refused() -> None:
    note = signed(TEXT, [KEY])
    forged = str(note).replace("\n7\n", "\n8\n").encode()
    with pytest.raises(InvalidNote, match="does not hold"):
        verified(parse_note(forged), [KEY.verifier])


def test_unknown_signatures_are_passed_over_but_one_must_be_known() -> None:
    note = signed(TEXT, [KEY, OTHER])
    assert verified(note, [KEY.verifier]) == [KEY.verifier]
    with pytest.raises(InvalidNote, match="not signed by a known key"):
        verified(signed(TEXT, [OTHER]), [KEY.verifier])


def test_sixteen_signatures_are_taken() -> None:
    keys = [SignerKey.of_seed(f"witness-{at}", bytes([at]) * 32) for at in range(16)]
    assert len(verified(parse_note(str(signed(TEXT, keys)).encode()), [key.verifier for key in keys])) == 16


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAAAAA==",
        b"text\n\nname AAAAAAAAAA==\n",
        b"text\n\n\xe2\x80\x94 name AAAA\n",
        b"text\n\n\xe2\x80\x94 name not-base64\n",
        b"text\n\n\xe2\x80\x94 na+me AAAAAAAAAA==\n",
        b"text\n\n\xe2\x80\x94  AAAAAAAAAA==\n",
        b"te\x00xt\n\n\xe2\x80\x94 name AAAAAAAAAA==\n",
        b"te\rxt\n\n\xe2\x80\x94 name AAAAAAAAAA==\n",
        b"\xff\n\n\xe2\x80\x94 name AAAAAAAAAA==\n",
    ],
)
def test_what_is_no_note_is_refused(whole: bytes) -> None:
    with pytest.raises(InvalidNote):
        parse_note(whole)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "a\n1\n", "a\n1\n\n", "\n1\nAAAA\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n\N{ARABIC-INDIC DIGIT ONE}\nAAAA\n", "a\n1\nAAAA\n",
     "a\n1\n!\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidNote):
        parse_checkpoint(text)


def test_checkpoint_may_have_extension_lines() -> None:
    assert parse_checkpoint(TEXT + "more\n") == parse_checkpoint(TEXT)


@pytest.mark.parametrize("vkey", ["", "name", "name+00000000", "name+00000000+AQ==", "na me+00000000+AQ==", "n+zz+!"])
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(InvalidNote):
        VerifierKey.parsed(vkey)


def test_seed_does_not_show() -> None:
    assert bytes(range(32)).hex() not in repr(KEY)
