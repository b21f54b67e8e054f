"""Rows of session logs as what their leaves commit to."""

from datetime import UTC
from typing import Any, NamedTuple
from uuid import UUID

from sessions_log.domain.entries import OUTCOMES
from sessions_log.domain.entry_id import KIND_SESSION_LOG, hour_in
from sessions_log.domain.leaf import EntryColumns, canonical, leaf
from sessions_log.domain.sealing import PART_IDENTITY

ROW = (
    "seq", "id", "action", "address_id", "ai_model", "detectors", "duration", "findings", "hour", "outcome", "policy",
    "recorded_at", "sensitive", "service_id", "session_id", "subject_id", "target_id", "target_type", "timestamp",
    "nonce", "identity",
)  # fmt: skip
_OUTCOME_NAMES = {number: name for name, number in OUTCOMES.items()}


class CommittedRow(NamedTuple):
    """What a row gives of a leaf. columns: canonical JSON. identity: the sealed part, None where it was removed."""

    seq: int
    id: UUID
    nonce: bytes
    columns: bytes
    identity: bytes | None

    def leaf(self) -> bytes | None:
        """The leaf; None without the sealed part, whose hash stands in it."""
        if self.identity is None:
            return None
        return leaf(KIND_SESSION_LOG, self.nonce, self.columns, ((PART_IDENTITY, self.identity),))

    def gives(self, stored: bytes) -> bool:
        """Whether this is the row of a stored leaf: by all that is left of it."""
        if self.identity is None:
            return stored.startswith(leaf(KIND_SESSION_LOG, self.nonce, self.columns, ()))
        return stored == self.leaf()


def committed_row(row: tuple[Any, ...], organization: str, services: dict[int, str]) -> CommittedRow | None:
    """A row of the columns ROW, in this order; None for one that holds values that no entry has.

    organization: its uid in 32 hexadecimal digits.
    """
    (seq, own_id, action, address, ai_model, detectors, duration, findings, hour, outcome, policy, recorded_at,
     sensitive, service, session, subject, target, target_type, timestamp, nonce, identity) = row  # fmt: skip
    if service not in services or outcome not in _OUTCOME_NAMES or hour != hour_in(own_id):
        return None
    columns = EntryColumns(
        action, _hex(address), ai_model, detectors, duration, findings, own_id.hex, organization,
        _OUTCOME_NAMES[outcome], policy, recorded_at.astimezone(UTC), sensitive, services[service], session.hex,
        subject.hex, _hex(target), target_type, timestamp.astimezone(UTC),
    )  # fmt: skip
    return CommittedRow(seq, own_id, bytes(nonce), canonical(columns), None if identity is None else bytes(identity))


def _hex(reference: UUID | None) -> str | None:
    return reference.hex if reference is not None else None
