"""What a witness's answer to add-checkpoint means (C2SP tlog-witness)."""

import re
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sessions_log.domain.cosignature import Cosigned, cosigned, is_fresh
from sessions_log.domain.signed_note import InvalidNote, VerifierKey

LARGEST_ANSWER_BYTES = 64 * 1024
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class Answer(NamedTuple):
    """An HTTP answer as it came; a body above LARGEST_ANSWER_BYTES came as an empty one."""

    status: int
    content_type: str
    body: bytes


NO_ANSWER = Answer(0, "", b"")
"""The witness was asked, and did not answer, or not in time."""


class Holds(NamedTuple):
    """The witness has cosigned this size last: the proof is to begin there."""

    size: int


class Refusal(StrEnum):
    """Why a witness did not cosign."""

    FORKED = "forked"
    AHEAD = "ahead"
    UNKNOWN_LEDGER = "unknown_ledger"
    UNKNOWN_KEY = "unknown_key"
    BAD_REQUEST = "bad_request"
    FALSE = "false"
    MOVED = "moved"
    UNPROVEN = "unproven"
    AWAY = "away"


WORDS = {
    Refusal.FORKED: "it has cosigned another ledger under this name: the one here does not continue that one",
    Refusal.AHEAD: "it has cosigned a larger ledger than there is here",
    Refusal.UNKNOWN_LEDGER: "it does not know the ledger (404): give its operator the ledger's verifier key",
    Refusal.UNKNOWN_KEY: "it does not trust the ledger's signing key (403): give its operator the verifier key",
    Refusal.BAD_REQUEST: "it calls the request wrong (400)",
    Refusal.FALSE: "what it answers is no cosignature of its key over this checkpoint at this time",
    Refusal.MOVED: "its size changed while it was asked",
    Refusal.UNPROVEN: "the tree that is stored here is damaged and gives no proof for it: run manage.py verify",
    Refusal.AWAY: "it does not answer, or answers with a fault of its own",
}
_BY_STATUS = {
    400: Refusal.BAD_REQUEST,
    403: Refusal.UNKNOWN_KEY,
    404: Refusal.UNKNOWN_LEDGER,
    422: Refusal.FORKED,
}


def understood(
    answer: Answer, text: str, witness: VerifierKey, *, old: int, size: int, now: datetime
) -> Cosigned | Holds | Refusal:
    """The cosignature in the answer, verified; or where to begin the proof; or why there is neither.

    text, size: of the checkpoint that was sent. old: the size that the proof began at.
    """
    if answer.status == 200:
        return _cosignature(answer.body, text, witness, now)
    if answer.status == 409:
        return _conflict(answer, old, size)
    return _BY_STATUS.get(answer.status, Refusal.AWAY)


def _cosignature(body: bytes, text: str, witness: VerifierKey, now: datetime) -> Cosigned | Refusal:
    try:
        found = cosigned(body.decode(), text, [witness])
    except (InvalidNote, UnicodeDecodeError):
        return Refusal.FALSE
    return found[0] if found and is_fresh(found[0], now) else Refusal.FALSE


def _conflict(answer: Answer, old: int, size: int) -> Holds | Refusal:
    """A witness says 409 where the proof begins elsewhere than at its size, or the root of its size is another one."""
    match = _SIZE.fullmatch(answer.body)
    is_size = answer.content_type.partition(";")[0].strip().lower() == "text/x.tlog.size"
    if old == size and (not is_size or match is None or int(match[1]) == old):
        return Refusal.FORKED
    if not is_size or match is None or int(match[1]) == old:
        return Refusal.FALSE
    return Holds(int(match[1])) if int(match[1]) <= size else Refusal.AHEAD
