"""What commands need from outside. Each protocol says what its methods promise."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sessions_log.domain.cosignature import Cosigned
from sessions_log.domain.entries import NewEntries
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.merkle import Frontier
from sessions_log.domain.outcomes import ConflictSeen, Outcome, Quarantined
from sessions_log.domain.references import Reference, SubjectReference, Wanted
from sessions_log.domain.sender import Sender
from sessions_log.domain.sequences import Ranges, SettledSession, UnsettledSession
from sessions_log.domain.service_key import NewKey
from sessions_log.domain.signed_note import Note, VerifierKey
from sessions_log.domain.statements import Statement
from sessions_log.domain.witness_answer import Answer, Refusal
from sessions_log.domain.witness_policy import Witness


class KeyringUnavailable(Exception):
    """The keyring cannot be read or written."""


class KeyDestroyed(Exception):
    """The key is gone, and with it all that it sealed."""


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The keys of an organization's epoch: `wrapping` wraps subjects' keys, `search` makes lookups."""

    number: int
    wrapping: bytes
    search: bytes


class Keyring(Protocol):
    """Where epoch keys, id keys and inbox day keys live, outside PostgreSQL. Safe for use by threads.

    Every method raises KeyringUnavailable when the place cannot be reached.
    """

    def make_organization(self, organization: UUID) -> None:
        """Make the id key and the keys of epoch 1, durable before it returns; does nothing where they exist."""

    def id_key(self, organization: UUID) -> bytes:
        """The organization's id key, 32 bytes. Raises KeyDestroyed where there is none."""

    def epoch(self, organization: UUID, number: int) -> EpochKeys:
        """The keys of an epoch. Raises KeyDestroyed where there are none."""

    def make_epoch(self, organization: UUID, number: int) -> None:
        """Make the keys of an epoch, durable before it returns; does nothing where they exist.

        Raises KeyDestroyed where the organization has no keys, or had those and lost them.
        """

    def destroy_epoch(self, organization: UUID, number: int) -> None:
        """Destroy an epoch's keys for good; `epoch` then raises KeyDestroyed. Does nothing where they are gone."""

    def inbox_key(self, day: date) -> bytes:
        """The key that seals the inbox of a day (UTC), made and durable on first use. Raises KeyDestroyed."""

    def destroy_inbox_key(self, day: date) -> None:
        """Destroy a day's key for good; `inbox_key` then raises KeyDestroyed. Does nothing where it is gone."""

    def check(self) -> None:
        """Return when keys can be read and written."""


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
    """A ledger whose head is to be signed, and the shard's last batch in it."""

    organization_id: int
    uid: UUID
    slug: str
    head: Frontier
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


class Inbox(Protocol):
    """The durable hand-over to the recorder."""

    def put(self, request: InboxRequest) -> None:
        """Store a request; it must not return before it is durable (COMMIT with synchronous_commit on).

        Raises InboxUnavailable in bounded time when that cannot be had.
        """


class OverLimit(Exception):
    """The sender has used up what it may send in this minute."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("over the limit of records per minute")
        self.retry_after_s = retry_after_s


class NeverPermitted(Exception):
    """The request alone carries more records than its sender may send in a minute."""

    def __init__(self, per_minute: int) -> None:
        super().__init__("more records than a minute's limit")
        self.per_minute = per_minute


class InboxUnavailable(Exception):
    """The request could not be stored now; nothing of it was acknowledged."""


@dataclass(frozen=True, slots=True)
class RecordingOrganization:
    """What recording needs to know of an organization. Where anything of it changed, nothing that was kept holds.

    erasures: how many subjects were erased.
    """

    id: int
    uid: UUID
    epoch: int
    old_epoch: int | None
    erasures: int

    def epochs(self) -> tuple[int, ...]:
        """The epochs whose keys are in use: the present one, and while the keys change the one before."""
        return (self.epoch,) if self.old_epoch is None else (self.epoch, self.old_epoch)


class MissingMonths(Exception):
    """Entries have no partition yet; they wait in the inbox until it is made."""

    def __init__(self, months: list[date]) -> None:
        super().__init__("entries have no partition")
        self.months = months


class EntriesRefused(Exception):
    """The storage does not take these entries; the message says why, without values."""


class EntriesExist(EntriesRefused):
    """Some of the entries are stored already; nothing of the batch was."""


class References(Protocol):
    """Subjects with their keys, sessions, targets and addresses, within a transaction of the recorder."""

    def find(self, organization_id: int, table: str, lookups: Sequence[bytes]) -> dict[bytes, Reference]:
        """Known targets or addresses by lookup."""

    def subjects(self, organization_id: int, lookups: Sequence[bytes]) -> dict[bytes, SubjectReference]:
        """Known subjects with their wrapped identity key, by lookup, locked FOR KEY SHARE."""

    def hold_subjects(self, ids: Sequence[bytes]) -> set[bytes]:
        """Lock subjects FOR KEY SHARE until the end; returns those that still exist with their key."""

    def subject_keys(self, ids: Sequence[bytes]) -> list[SubjectReference]:
        """The subjects of these ids that still have their identity key."""

    def sessions(self, organization_id: int, lookups: Sequence[bytes]) -> dict[bytes, Reference]:
        """Known sessions by lookup; `subject` is the one they belong to."""

    def add(self, wanted: Wanted) -> None:
        """Store new subjects, keys, sessions, targets, addresses and links."""


class SessionSequences(Protocol):
    """The senders' own counts within sessions, within a transaction of the recorder."""

    def add(self, organization_id: int, numbers: Mapping[bytes, Ranges], now: datetime) -> None:
        """Note the numbers that came, by session id (16 bytes); `now` is when what they leave out was first seen."""

    def unsettled(self, until: datetime, most: int, refused: Collection[int]) -> list[UnsettledSession]:
        """The sessions whose missing numbers changed at this time or before and are not stated since.

        At most `most`, those that wait longest first; none of organizations that are `refused`.
        """

    def settle(self, sessions: Sequence[SettledSession], now: datetime) -> None:
        """Note what is stated of sessions, and that what has begun to be missing waits from now on."""


class UnstatedLedger(NamedTuple):
    """A ledger whose digest is to be stated: how many entries it has, and its last digest's place and time.

    statements: how many of the entries from the last digest on (from 0 where there is none) are statements.
    """

    organization_id: int
    uid: UUID
    size: int
    statements: int
    digest_seq: int | None
    digest_at: datetime | None


class RecorderTransaction(Protocol):
    """One transaction of the recorder; all or nothing, committed when its context ends."""

    @property
    def references(self) -> References:
        """The references."""

    @property
    def sequences(self) -> SessionSequences:
        """The senders' own counts."""

    def pending(self, most_records: int) -> list[InboxRequest]:
        """Requests after the position, live lane before bulk, whole, of about `most_records` records."""

    def organizations(self, ids: Sequence[int]) -> Mapping[int, RecordingOrganization]:
        """What recording needs to know of organizations; their keys do not change until the transaction ends."""

    def services(self, ids: Sequence[int]) -> Mapping[int, str]:
        """The names of services."""

    def recorded(self, organization_id: int, ids: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes | None]]:
        """Which of the ids are entries already: subject id and sealed identity of each."""

    def append(self, entries: NewEntries) -> None:
        """Give the entries their seq, extend the ledger, store them.

        Raises EntriesExist, EntriesRefused, MissingMonths.
        """

    def append_statements(self, organization_id: int, statements: Sequence[Statement]) -> None:
        """Give the statements their seq, extend the ledger, store them. Raises EntriesExist, EntriesRefused."""

    def unstated(self, hour: datetime, most: int, refused: Collection[int]) -> list[UnstatedLedger]:
        """The shard's ledgers without a digest since this moment, at most `most`; none of those that are `refused`."""

    def finish(self, requests: Sequence[InboxRequest], outcomes: Sequence[Outcome]) -> int:
        """Write the outcomes and the batch, move the position. Returns the batch's number."""

    def quarantine(self, rows: Sequence[Quarantined]) -> None:
        """Keep what cannot be recorded, with its reason, and open a finding."""

    def conflicts(self, seen: Sequence[ConflictSeen]) -> None:
        """Keep that records came again with other content."""


class ShardTaken(Exception):
    """Another recorder holds the shard."""


class RecorderStore(Protocol):
    """The recorder's storage, for one shard."""

    def transaction(self) -> AbstractContextManager[RecorderTransaction]:
        """A transaction on the connection that holds the shard's lock."""


class Organizations(Protocol):
    """Organizations and services."""

    def add(self, slug: str, name: str) -> tuple[int, UUID]:
        """Store an organization. Returns id and uid. Raises SlugTaken."""

    def add_service(self, organization_id: int, name: str) -> int:
        """Store a service. Returns its id. Raises SlugTaken."""

    def change(self, organization_id: int, name: str, accepts_back_days: int) -> dict[str, object]:
        """Change an organization. Returns what it was before, by the names of the wire form."""

    def sender(self, organization_id: int, service: str) -> Sender:
        """The service as a sender of live records."""


class ServiceKeys(Protocol):
    """Service keys."""

    def add(
        self,
        service_id: int,
        key: NewKey,
        scopes: Sequence[str],
        expires_at: datetime | None,
        networks: Sequence[str],
        records_per_minute: int,
    ) -> int:
        """Store a key. Returns the id of its organization. Raises ReservedService for the product's own service."""

    def replace(self, key_id: UUID, key: NewKey, ends: datetime) -> int | None:
        """Store a key like the old one, which ends at `ends`. Returns the organization's id, None for no usable key."""

    def revoke(self, key_id: UUID, at: datetime) -> tuple[int, str] | None:
        """End a key. Returns the organization's id and the key's prefix, None for no usable key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What commands of the portal need; `inbox` stores within the transaction at hand."""

    transaction: Callable[[], AbstractContextManager[object]]
    organizations: Organizations
    service_keys: ServiceKeys
    keyring: Keyring
    inbox: Inbox
    clock: Callable[[], datetime]
