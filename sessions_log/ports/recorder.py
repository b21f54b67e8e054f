"""The recorder's storage."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sessions_log.domain.entries import NewEntries
from sessions_log.domain.inbox import InboxRequest
from sessions_log.domain.outcomes import ConflictSeen, Outcome, Quarantined
from sessions_log.domain.references import Reference, SubjectReference, Wanted
from sessions_log.domain.sequences import Ranges, SettledSession, UnsettledSession
from sessions_log.domain.statements import Statement


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
