"""Who signs ledgers, who countersigns, and where that is kept."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sessions_log.domain.cosignature import Cosigned
from sessions_log.domain.merkle import Frontier
from sessions_log.domain.signed_note import Note, VerifierKey
from sessions_log.domain.witness_answer import Answer, Refusal
from sessions_log.domain.witness_policy import Witness


class HeadRefused(Exception):
    """The signer has signed a larger tree, or another of that size: two heads that cannot both be true."""


class LedgerSigner(Protocol):
    """Who signs ledgers' heads. Safe for use by threads and processes; raises KeyringUnavailable."""

    def sign(self, organization: UUID, origin: str, head: Frontier, at: datetime) -> Note:
        """The head's checkpoint under the ledger's keys, noted down beside them before it is returned.

        origin: the ledger's name when its first key is made; from then on the key's name counts. Raises HeadRefused.
        """

    def verifiers(self, organization: UUID, origin: str) -> list[VerifierKey]:
        """The public halves of the ledger's keys: those that sign now, then those that did once, each oldest first."""

    def signing(self, organization: UUID, origin: str) -> list[VerifierKey]:
        """The public halves of the keys that sign now, oldest first: the newest checkpoint bears one's signature."""

    def changing(self, organization: UUID, origin: str) -> AbstractContextManager["KeyChange"]:
        """The ledger's keys, to be changed; who comes second waits. Checkpoints go on being signed."""

    def signed(self, organization: UUID) -> Iterator[tuple[int, bytes]]:
        """What was noted down: (line, from 1; the checkpoint as a signed note), in the order of signing."""


class KeyChange(Protocol):
    """The signing keys of a ledger while nobody else changes them. Raises KeyringUnavailable."""

    def signing(self) -> list[VerifierKey]:
        """The keys that sign now, oldest first."""

    def successor(self) -> VerifierKey:
        """The key that is to sign next, made and durable on first use; the same one until it is adopted."""

    def adopt(self) -> None:
        """From now on the successor signs, too."""

    def last_signed(self) -> Note | None:
        """The last checkpoint that was noted down."""

    def retire_old(self) -> bool:
        """From now on the newest key alone signs; the others' seeds are destroyed, their public halves are kept.

        Returns whether there was one to destroy: also where a crash had interrupted that.
        """


class UnsignedLedger(NamedTuple):
    """A ledger whose head is to be signed, and the shard's last batch in it.

    head: None where what is stored of it cannot be read.
    """

    organization_id: int
    uid: UUID
    slug: str
    head: Frontier | None
    batch: int


class Checkpoints(Protocol):
    """Where checkpoints are kept."""

    def due(self, unsigned_since: datetime) -> list[UnsignedLedger]:
        """The ledgers that have grown since their last checkpoint, or whose last one is older than this."""

    def add(self, ledger: UnsignedLedger, note: Note) -> None:
        """Keep a checkpoint, from now on the ledger's latest."""


class Uncosigned(NamedTuple):
    """A checkpoint that a witness is to cosign.

    cosigned: the size that it cosigned last, 0 before. failures: how often in a row it has not cosigned since.
    """

    organization_id: int
    checkpoint_id: int
    size: int
    note: str
    witness: Witness
    cosigned: int
    failures: int


class Cosignatures(Protocol):
    """Where cosignatures are kept, and how each ledger stands with each witness."""

    def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
        """What each witness is to be asked for, who has waited longest first; at most some dozens for each.

        That is the ledger's newest checkpoint; where another of the witnesses has cosigned a larger one than this
        witness, it is that one, so that they meet on one checkpoint.
        """

    def add(self, asked: Uncosigned, cosignature: Cosigned, at: datetime) -> None:
        """Keep a cosignature; from now on the witness stands well. Does nothing where it is kept already."""

    def refused(self, asked: Uncosigned, refusal: Refusal, at: datetime, again_at: datetime) -> None:
        """Keep that the witness did not cosign, and when it is to be asked again."""


AskWitnesses = Callable[[Sequence[tuple[Witness, str]]], list[Answer | None]]
"""Sends each body to its witness's add-checkpoint, all witnesses at once, each in its own order, in bounded time.

Gives the answers in the order of the bodies; NO_ANSWER where none came in time, None for what was not sent because
the witness had left an earlier one unanswered or time was up.
"""
