"""Cosignatures (C2SP tlog-cosignature, v1) and what witnesses answer (C2SP tlog-witness)."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sessions_log.commands.witnessing import LATEST, SOONEST, pause_after
from sessions_log.domain.checkpoint import Checkpoint
from sessions_log.domain.cosignature import CLOCKS_APART, Cosigned, cosigned
from sessions_log.domain.merkle import EMPTY_ROOT
from sessions_log.domain.signed_note import (
    COSIGNATURE_V1,
    InvalidNote,
    Signature,
    VerifierKey,
    cosigned_message,
    parse_note,
    verified,
)
from sessions_log.domain.witness_answer import WORDS, Answer, Holds, Refusal, understood
from tests.unit.test_signed_notes import KEY
from tests.vectors import VECTORS, needs_vectors, vectors

WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
WITNESS_KEY = VerifierKey("witness.example/w1", COSIGNATURE_V1, WITNESS.public_key().public_bytes_raw())
TEXT = Checkpoint("audit.example/org1", 9, EMPTY_ROOT).text()
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def line(text: str = TEXT, at: datetime = NOW, key: VerifierKey = WITNESS_KEY) -> str:
    time = int(at.timestamp())
    whole = time.to_bytes(8, "big") + WITNESS.sign(cosigned_message(text, time))
    return Signature(key.name, key.id, whole).line()


@needs_vectors
def test_cosignature_of_the_vectors_verifies() -> None:
    witness = VerifierKey.parsed(vectors()["wit_vkey"])
    note = parse_note((VECTORS / "checkpoint-13").read_bytes())
    assert verified(note, [KEY.verifier, witness]) == [KEY.verifier, witness]
    lines = "".join(one.line() for one in note.signatures)
    assert cosigned(lines, note.text, [witness]) == [
        Cosigned(witness, datetime(2027, 1, 15, 8, tzinfo=UTC), note.signatures[1].line())
    ]
    with pytest.raises(InvalidNote, match="does not hold"):
        cosigned(lines, note.text.replace("\n13\n", "\n14\n"), [witness])


def test_time_is_part_of_what_is_signed() -> None:
    _, name, encoded = line().split(" ")
    whole = bytearray(base64.b64decode(encoded))
    whole[11] ^= 1
    with pytest.raises(InvalidNote, match="does not hold"):
        cosigned(f"\N{EM DASH} {name} {base64.b64encode(whole).decode()}\n", TEXT, [WITNESS_KEY])


@pytest.mark.parametrize("length", [5, 8, 71, 73])
def test_cosignature_of_another_length_is_refused(length: int) -> None:
    short = Signature(WITNESS_KEY.name, WITNESS_KEY.id, bytes(length)).line()
    with pytest.raises(InvalidNote):
        cosigned(short, TEXT, [WITNESS_KEY])


def test_time_beyond_calendars_is_refused() -> None:
    time = 2**63
    whole = time.to_bytes(8, "big") + WITNESS.sign(cosigned_message(TEXT, time))
    with pytest.raises(InvalidNote, match="calendars"):
        cosigned(Signature(WITNESS_KEY.name, WITNESS_KEY.id, whole).line(), TEXT, [WITNESS_KEY])


def answered(status: int, body: str | bytes = "", content_type: str = "text/plain", *, old: int = 4) -> object:
    content = body.encode() if isinstance(body, str) else body
    return understood(Answer(status, content_type, content), TEXT, WITNESS_KEY, old=old, size=9, now=NOW)


def test_cosignature_among_others_is_taken() -> None:
    stranger = VerifierKey("stranger.example", COSIGNATURE_V1, bytes(32))
    assert answered(200, line(key=stranger) + line()) == Cosigned(WITNESS_KEY, NOW, line())


@pytest.mark.parametrize("apart", [CLOCKS_APART, -CLOCKS_APART])
def test_clocks_may_differ_a_little(apart: timedelta) -> None:
    assert answered(200, line(at=NOW + apart)) == Cosigned(WITNESS_KEY, NOW + apart, line(at=NOW + apart))
    further = NOW + apart * 1.01
    assert answered(200, line(at=further)) is Refusal.FALSE


@pytest.mark.parametrize(
    "body",
    ["", "\n", "thank you\n", line()[:-1], line("other\n9\nAAAA\n"), line() + "\n", b"\xff\n",
     line(key=VerifierKey("stranger.example", COSIGNATURE_V1, bytes(32)))],
)  # fmt: skip
def test_success_without_a_cosignature_is_false(body: str | bytes) -> None:
    assert answered(200, body) is Refusal.FALSE


@pytest.mark.parametrize(
    ("old", "body", "content_type", "meant"),
    [
        (4, "7\n", "text/x.tlog.size", Holds(7)),
        (4, "0\n", "Text/x.tlog.size; charset=utf-8", Holds(0)),
        (4, "9\n", "text/x.tlog.size", Holds(9)),
        (4, "10\n", "text/x.tlog.size", Refusal.AHEAD),
        (9, "10\n", "text/x.tlog.size", Refusal.AHEAD),
        (9, "7\n", "text/x.tlog.size", Holds(7)),
        (9, "9\n", "text/x.tlog.size", Refusal.FORKED),
        (9, "", "text/plain", Refusal.FORKED),
        (4, "4\n", "text/x.tlog.size", Refusal.FALSE),
        (4, "7\n", "text/plain", Refusal.FALSE),
        (4, "7", "text/x.tlog.size", Refusal.FALSE),
        (4, "07\n", "text/x.tlog.size", Refusal.FALSE),
        (4, "-1\n", "text/x.tlog.size", Refusal.FALSE),
        (4, "9" * 40 + "\n", "text/x.tlog.size", Refusal.FALSE),
    ],
)
def test_conflict_says_where_to_begin_or_that_the_ledger_forked(
    old: int, body: str, content_type: str, meant: object
) -> None:
    assert answered(409, body, content_type, old=old) == meant


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (0, Refusal.AWAY),
        (201, Refusal.AWAY),
        (307, Refusal.AWAY),
        (400, Refusal.BAD_REQUEST),
        (403, Refusal.UNKNOWN_KEY),
        (404, Refusal.UNKNOWN_LEDGER),
        (422, Refusal.FORKED),
        (429, Refusal.AWAY),
        (503, Refusal.AWAY),
    ],
)
def test_other_answers_have_their_meaning(status: int, refusal: Refusal) -> None:
    assert answered(status, line()) is refusal


def test_every_refusal_has_words() -> None:
    assert set(WORDS) == set(Refusal)


def test_pauses_double_up_to_a_limit() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3)] == [SOONEST, SOONEST * 2, SOONEST * 4]
    assert {pause_after(failures) for failures in (7, 8, 100, 10_000)} == {LATEST}
