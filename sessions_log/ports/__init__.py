"""What commands need from outside. Each protocol says what its methods promise."""

from sessions_log.ports.inbox import Inbox, InboxUnavailable, NeverPermitted, OverLimit
from sessions_log.ports.keyring import EpochKeys, KeyDestroyed, Keyring, KeyringUnavailable
from sessions_log.ports.ledgers import (
    AskWitnesses,
    Checkpoints,
    Cosignatures,
    HeadRefused,
    KeyChange,
    LedgerSigner,
    Uncosigned,
    UnsignedLedger,
)
from sessions_log.ports.portal import Organizations, Ports, ServiceKeys
from sessions_log.ports.recorder import (
    EntriesExist,
    EntriesRefused,
    MissingMonths,
    RecorderStore,
    RecorderTransaction,
    RecordingOrganization,
    References,
    SessionSequences,
    ShardTaken,
    UnstatedLedger,
)

__all__ = [
    "AskWitnesses",
    "Checkpoints",
    "Cosignatures",
    "EntriesExist",
    "EntriesRefused",
    "EpochKeys",
    "HeadRefused",
    "Inbox",
    "InboxUnavailable",
    "KeyChange",
    "KeyDestroyed",
    "Keyring",
    "KeyringUnavailable",
    "LedgerSigner",
    "MissingMonths",
    "NeverPermitted",
    "Organizations",
    "OverLimit",
    "Ports",
    "RecorderStore",
    "RecorderTransaction",
    "RecordingOrganization",
    "References",
    "ServiceKeys",
    "SessionSequences",
    "ShardTaken",
    "Uncosigned",
    "UnsignedLedger",
    "UnstatedLedger",
]
