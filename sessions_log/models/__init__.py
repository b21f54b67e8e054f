"""Tables. Partitioned ones are made by hand-written SQL in the migrations; see `docs/architecture.md`."""

from sessions_log.models.findings import Finding
from sessions_log.models.inbox import Conflict, InboxRow, QuarantinedRequest, RequestOutcome
from sessions_log.models.jobs import JobRun
from sessions_log.models.keys import Address, Session, Subject, SubjectKey, SubjectLink, Target, Tombstone
from sessions_log.models.ledger import Checkpoint, LeafBundle, LeafTail, LedgerHead, TreeNode
from sessions_log.models.organizations import Organization, Service, ServiceKey
from sessions_log.models.read_models import Facet, FollowerPosition, MinuteCounter, SessionSummary
from sessions_log.models.recorder import Batch, BatchSpan, RecorderPosition
from sessions_log.models.sequences import SessionSequence
from sessions_log.models.session_logs import SessionLog
from sessions_log.models.statements import Statement
from sessions_log.models.verifications import Verification, VerificationPosition
from sessions_log.models.witnesses import Cosignature, WitnessStanding

__all__ = [
    "Address",
    "Batch",
    "BatchSpan",
    "Checkpoint",
    "Conflict",
    "Cosignature",
    "Facet",
    "Finding",
    "FollowerPosition",
    "InboxRow",
    "JobRun",
    "LeafBundle",
    "LeafTail",
    "LedgerHead",
    "MinuteCounter",
    "Organization",
    "QuarantinedRequest",
    "RecorderPosition",
    "RequestOutcome",
    "Service",
    "ServiceKey",
    "Session",
    "SessionLog",
    "SessionSequence",
    "SessionSummary",
    "Statement",
    "Subject",
    "SubjectKey",
    "SubjectLink",
    "Target",
    "Tombstone",
    "TreeNode",
    "Verification",
    "VerificationPosition",
    "WitnessStanding",
]
