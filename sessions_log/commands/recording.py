"""The recorder's work: inbox rows become entries, in one transaction a batch."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from sessions_log.commands.referring import OrganizationReferences, SubjectGone
from sessions_log.domain.entries import Common, Recordable, new_entries, recordables
from sessions_log.domain.entry_id import KIND_SESSION_LOG, KIND_STATEMENT
from sessions_log.domain.inbox import InboxRequest, day_of, open_body
from sessions_log.domain.outcomes import ConflictSeen, Outcome, Quarantined
from sessions_log.domain.sealing import CannotOpen
from sessions_log.domain.sequences import numbers_of
from sessions_log.domain.session_record import stored_records
from sessions_log.domain.statements import Statement, UnfitStatement, read_statement
from sessions_log.ports import (
    EntriesExist,
    EntriesRefused,
    KeyDestroyed,
    Keyring,
    RecorderStore,
    RecorderTransaction,
    RecordingOrganization,
)

MOST_RECORDS = 10_000
MOST_SINGLY = 200
WARY_BATCHES = 200
# What is kept between batches are people's keys: a recorder that has nothing to do soon keeps none.
KEPT_WHEN_IDLE = timedelta(seconds=10)


@dataclass(slots=True)
class Recorder:
    """Records one shard. Keeps references between batches; forgets them whenever a batch fails."""

    store: RecorderStore
    keyring: Keyring
    references: dict[int, OrganizationReferences] = field(default_factory=dict)
    wary: int = 0
    worked_at: datetime | None = None

    def record_batch(self, now: datetime) -> int:
        """Record what is pending, at most about MOST_RECORDS. Returns how many records were taken, 0 for none.

        Raises what storage and keyring raise; then nothing was recorded and nothing is lost.
        """
        try:
            return self._attempt(now)
        except (EntriesRefused, SubjectGone) as error:
            self.references.clear()
            was_wary, self.wary = self.wary, WARY_BATCHES
            if isinstance(error, EntriesExist) and not was_wary:
                # Nearly no record comes twice, so nothing is looked up until one does; then, for a while, all are.
                return self.record_batch(now)
            # Done again from the start, request by request, so that one bad request does not hold up the rest.
            return self._one_by_one(now)
        except BaseException:
            self.references.clear()
            raise

    def _attempt(self, now: datetime) -> int:
        self.wary = max(0, self.wary - 1)
        with self.store.transaction() as transaction:
            requests = transaction.pending(MOST_RECORDS)
            if requests:
                self._record(transaction, requests, now)
        if requests or self.worked_at is None:
            self.worked_at = now
        elif now - self.worked_at > KEPT_WHEN_IDLE:
            self.references.clear()
        return sum(request.records for request in requests)

    def _one_by_one(self, now: datetime) -> int:
        taken = 0
        for _ in range(MOST_SINGLY):
            records = self._one(now)
            if not records:
                break
            taken += records
        return taken

    def _one(self, now: datetime) -> int:
        tried: list[InboxRequest] = []
        try:
            with self.store.transaction() as transaction:
                tried = transaction.pending(1)
                if tried:
                    self._record(transaction, tried, now)
                return sum(request.records for request in tried)
        except EntriesRefused as error:
            self.references.clear()
            with self.store.transaction() as transaction:
                request = transaction.pending(1)[0]
                # A live one that came in between goes first; it was not tried yet.
                is_the_one = not tried or request.id == tried[0].id
                if is_the_one:
                    outcome = Outcome(request.id, request.organization_id, quarantined=request.records)
                    transaction.quarantine([Quarantined(request, str(error))])
                    transaction.finish([request], [outcome])
            return request.records if is_the_one else self._one(now)

    def _record(self, transaction: RecorderTransaction, requests: list[InboxRequest], now: datetime) -> None:
        organizations = transaction.organizations([request.organization_id for request in requests])
        services = transaction.services([request.service_id for request in requests])
        outcomes: list[Outcome] = []
        candidates: dict[int, list[Recordable]] = defaultdict(list)
        statements: dict[int, list[Statement]] = defaultdict(list)
        quarantined: list[Quarantined] = []
        for request in requests:
            outcome = Outcome(request.id, request.organization_id)
            outcomes.append(outcome)
            organization = organizations[request.organization_id]
            try:
                if request.kind == KIND_STATEMENT:
                    statements[organization.id].append(self._open_statement(request, organization))
                    outcome.recorded = 1
                else:
                    found = self._open(request, outcome, organization)
                    candidates[organization.id] += found
            except Unrecordable as error:
                outcome.quarantined = request.records
                quarantined.append(Quarantined(request, str(error)))
        for organization_id, found in candidates.items():
            self._record_organization(transaction, organizations[organization_id], services, found, now)
        for organization_id, stated in statements.items():
            transaction.append_statements(organization_id, stated)
        if quarantined:
            transaction.quarantine(quarantined)
        transaction.finish(requests, outcomes)

    def _open(self, request: InboxRequest, outcome: Outcome, organization: RecordingOrganization) -> list[Recordable]:
        """The records of a request. Raises Unrecordable."""
        if request.kind != KIND_SESSION_LOG:
            raise Unrecordable("a kind of record that this version does not know")
        body = self._body(request, organization)
        try:
            records = stored_records(body)
        except msgspec.MsgspecError:
            raise Unrecordable("its records cannot be read") from None
        if len(records) != request.records:
            raise Unrecordable("it does not hold as many records as ids")
        try:
            id_key = self.keyring.id_key(organization.uid)
            self._references(organization)
        except KeyDestroyed:
            raise Unrecordable("a key of its organization is destroyed") from None
        return recordables(request, outcome, records, id_key)

    def _open_statement(self, request: InboxRequest, organization: RecordingOrganization) -> Statement:
        """The statement in a request. Raises Unrecordable."""
        try:
            statement = read_statement(self._body(request, organization), organization.uid)
        except UnfitStatement as error:
            raise Unrecordable(str(error)) from None
        if statement.id != request.entry_ids:
            raise Unrecordable("its statement has another id than it says")
        return statement

    def _body(self, request: InboxRequest, organization: RecordingOrganization) -> bytes:
        """What was sealed. Raises Unrecordable."""
        try:
            key = self.keyring.inbox_key(day_of(request.id))
            return open_body(request.sealed, key, request_id=request.id, organization=organization.uid)
        except KeyDestroyed:
            raise Unrecordable("the inbox key of its day is destroyed") from None
        except CannotOpen:
            raise Unrecordable("it does not open under the inbox key of its day") from None

    def _record_organization(
        self,
        transaction: RecorderTransaction,
        organization: RecordingOrganization,
        services: Mapping[int, str],
        candidates: list[Recordable],
        now: datetime,
    ) -> None:
        references = self._references(organization)
        fresh = self._without_known(transaction, organization, references, candidates)
        if not fresh:
            return
        referred = references.refer(transaction.references, [candidate.record for candidate in fresh])
        records = list(zip(fresh, referred, strict=True))
        common = Common(organization.id, organization.uid, services, now, references.search_key)
        transaction.append(new_entries(records, common))
        if numbers := numbers_of(records):
            transaction.sequences.add(organization.id, numbers, now)
        for candidate in fresh:
            candidate.outcome.recorded += 1

    def _references(self, organization: RecordingOrganization) -> OrganizationReferences:
        known = self.references.get(organization.id)
        if known is None or known.organization != organization:
            keys = [self.keyring.epoch(organization.uid, number) for number in organization.epochs()]
            known = OrganizationReferences(organization, keys)
            self.references[organization.id] = known
        return known

    def _without_known(
        self,
        transaction: RecorderTransaction,
        organization: RecordingOrganization,
        references: OrganizationReferences,
        candidates: list[Recordable],
    ) -> list[Recordable]:
        """The candidates that are not entries yet; the others are counted as duplicates or conflicts."""
        ids = [candidate.entry_id for candidate in candidates]
        known = transaction.recorded(organization.id, ids) if self.wary else {}
        stored = {
            entry_id: references.digest_of(transaction.references, subject, sealed, entry_id)
            for entry_id, (subject, sealed) in known.items()
        }
        fresh: list[Recordable] = []
        seen: list[ConflictSeen] = []
        for candidate in candidates:
            if candidate.entry_id not in stored:
                stored[candidate.entry_id] = candidate.digest
                fresh.append(candidate)
            elif stored[candidate.entry_id] in (None, candidate.digest):
                candidate.outcome.duplicates += 1
            else:
                candidate.outcome.conflicts += 1
                seen.append(ConflictSeen(organization.id, candidate.entry_id, candidate.request.id))
        if seen:
            transaction.conflicts(seen)
        return fresh


class Unrecordable(Exception):
    """A request cannot be recorded; the message says why, without values."""
