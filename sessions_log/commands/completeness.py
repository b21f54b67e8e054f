"""What a ledger says of its own completeness: an hourly digest, and the numbers that sessions lack.

The recorder makes these statements itself, between batches: it alone knows an entry's place before it has one.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sessions_log.domain.entry_id import hour_of
from sessions_log.domain.sequences import settled
from sessions_log.domain.statements import Statement, new_statement
from sessions_log.ports import EntriesRefused, RecorderStore, RecorderTransaction, UnstatedLedger

MOST_AT_ONCE = 20

ByOrganization = dict[int, list[Statement]]


@dataclass(slots=True)
class Completeness:
    """States what is due in a shard, at most MOST_AT_ONCE of a kind in one transaction.

    gap_grace: how long numbers may be missing before that is stated. A ledger that takes no statement (its head was
    changed) is left alone until the next hour, so that it does not hold up the others.
    """

    store: RecorderStore
    gap_grace: timedelta
    _hour: int = 0
    _refused: set[int] = field(default_factory=set)
    _most: int = MOST_AT_ONCE

    def state(self, now: datetime) -> bool:
        """Make digests and gap statements. Returns whether more of them may be due at once.

        Raises EntriesRefused where a ledger takes none, and what storage raises; what was begun is then not done.
        """
        if hour_of(now) != self._hour:
            self._hour, self._most = hour_of(now), MOST_AT_ONCE
            self._refused.clear()
        has_more_digests = self._make(self._digests, now)
        has_more_gaps = self._make(self._gaps, now)
        return has_more_digests or has_more_gaps

    def _make(
        self, find: Callable[[RecorderTransaction, datetime], tuple[ByOrganization, bool]], now: datetime
    ) -> bool:
        due: ByOrganization = {}
        try:
            with self.store.transaction() as transaction:
                due, has_more = find(transaction, now)
                for organization_id, statements in due.items():
                    transaction.append_statements(organization_id, statements)
                if due:
                    transaction.finish([], [])
            return has_more
        except EntriesRefused:
            if len(due) > 1:  # singly, to find out which ledger it is
                self._most = 1
                return True
            self._most = MOST_AT_ONCE
            self._refused |= due.keys()
            raise

    def _digests(self, transaction: RecorderTransaction, now: datetime) -> tuple[ByOrganization, bool]:
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        ledgers = transaction.unstated(hour, self._most, self._refused)
        return {ledger.organization_id: [_digest(ledger, now)] for ledger in ledgers}, len(ledgers) == self._most

    def _gaps(self, transaction: RecorderTransaction, now: datetime) -> tuple[ByOrganization, bool]:
        sessions = transaction.sequences.unsettled(now - self.gap_grace, self._most, self._refused)
        due: ByOrganization = defaultdict(list)
        if sessions:
            ends = [settled(session) for session in sessions]
            transaction.sequences.settle(ends, now)
            for session, end in zip(sessions, ends, strict=True):
                if end.is_news:
                    gap = new_statement(session.organization_uid, "gap", end.details, now)
                    due[session.organization_id].append(gap)
        return due, len(sessions) == self._most


def _digest(ledger: UnstatedLedger, now: datetime) -> Statement:
    """What came since the last digest, that one included: a digest at seq n covers everything up to n - 1."""
    first = ledger.digest_seq or 0
    count = ledger.size - first
    details = {
        "count": count,
        "firstSeq": first if count else None,
        "lastSeq": ledger.size - 1 if count else None,
        "records": count - ledger.statements,
        "since": ledger.digest_at and ledger.digest_at.astimezone(UTC),
        "statements": ledger.statements,
    }
    return new_statement(ledger.uid, "digest", details, now)
