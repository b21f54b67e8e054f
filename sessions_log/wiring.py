"""Builds adapters from settings, once per process."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from django_redis import get_redis_connection
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from redis.exceptions import RedisError

from sessions_log.adapters import jobs, partitions
from sessions_log.adapters.announcements import BatchAnnouncements
from sessions_log.adapters.checkpoint_store import PostgresCheckpoints
from sessions_log.adapters.cosignature_store import CosignatureStore
from sessions_log.adapters.findings import FindingRepository
from sessions_log.adapters.inbox import GroupCommitInbox
from sessions_log.adapters.keyring_folder import FolderKeyring
from sessions_log.adapters.ledger_verifying import LedgerVerifier
from sessions_log.adapters.limits import LimitedInbox, RecordLimits
from sessions_log.adapters.opening import PartOpener
from sessions_log.adapters.organization_keys import OrganizationKeysRepository
from sessions_log.adapters.persons import PersonRepository
from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.adapters.repositories import OrganizationRepository, ServiceKeyRepository, TransactionInbox
from sessions_log.adapters.signer_folder import FolderSigner
from sessions_log.adapters.verification_runs import VerificationRuns
from sessions_log.adapters.witness_client import ask_witnesses
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.completeness import Completeness
from sessions_log.commands.verifying import ScheduledVerification
from sessions_log.commands.witnessing import Witnessing
from sessions_log.domain.service_key import KnownKey
from sessions_log.domain.verification.results import Fault
from sessions_log.domain.verification.scope import VerifiedLedger
from sessions_log.domain.witness_policy import WitnessPolicy
from sessions_log.ports import Inbox, Keyring, LedgerSigner, Ports
from sessions_log.queries.ledger import subtrees
from sessions_log.queries.session_logs import Opener, closed
from sessions_log.queries.signatures import cosignature_faults, retired_signature

INTAKE_ROLE = "muniment_intake"
RecorderStorage = PostgresRecorderStore


@cache
def keyring() -> Keyring:
    """The keyring."""
    return FolderKeyring(Path(settings.KEYRING_FOLDER))


@cache
def inbox() -> Inbox:
    """The inbox of the web process: a connection of its own, in the intake role."""
    return GroupCommitInbox(conninfo, INTAKE_ROLE)


@cache
def record_limits() -> RecordLimits:
    """The limits of service keys."""

    def evaluate(script: str, key: str, lot: int, limit: int) -> int:
        return int(get_redis_connection("default").eval(script, 1, key, lot, limit))

    return RecordLimits(evaluate)


@cache
def ports() -> Ports:
    """What commands of the portal need."""
    return Ports(
        transaction=transaction.atomic,
        organizations=OrganizationRepository(),
        service_keys=ServiceKeyRepository(),
        keyring=keyring(),
        inbox=TransactionInbox(),
        clock=timezone.now,
    )


@cache
def organization_keys() -> OrganizationKeysRepository:
    """What stands under organizations' epoch keys."""
    return OrganizationKeysRepository()


@cache
def persons() -> PersonRepository:
    """People as subjects."""
    return PersonRepository()


def valkey_answers() -> bool:
    """Whether Valkey can be asked."""
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError:
        return False


def limited_inbox(key: KnownKey) -> Inbox:
    """The inbox as a key may use it: within its limit of records per minute."""
    return LimitedInbox(inbox(), record_limits(), key.id, key.records_per_minute)


def opener(organization_uid: UUID, *, with_identities: bool) -> Opener:
    """How an organization's sealed values are found, and with the right to it, opened."""
    parts = PartOpener(organization_uid, keyring())
    if not with_identities:
        return Opener(lookups=parts.lookups, open=closed)
    return Opener(
        lookups=parts.lookups,
        open=lambda rows: parts.open([(row.entry_id, row.subject_id, row.sealed) for row in rows]),
    )


def recorder_store(shard: int) -> PostgresRecorderStore:
    """The storage of a shard's recorder."""
    return PostgresRecorderStore(conninfo, shard)


def checkpointer(store: PostgresRecorderStore, shard: int) -> Checkpointer:
    """Signs the ledgers of a shard, on its recorder's connection."""
    return Checkpointer(PostgresCheckpoints(store.connected, shard), ledger_signer(), settings.LEDGER_ORIGIN)


def completeness(store: PostgresRecorderStore) -> Completeness:
    """States what a shard's ledgers and sessions hold, on its recorder's connection."""
    return Completeness(store, timedelta(minutes=settings.GAP_GRACE_MINUTES))


@cache
def ledger_signer() -> LedgerSigner:
    """Who signs ledgers' heads."""
    folder = Path(settings.KEYRING_FOLDER)
    return FolderSigner(FolderKeyring(folder), folder)


def ledger_verifier(processes: int = 1) -> LedgerVerifier:
    """Verifies ledgers, on connections of its own in the process's role."""
    return LedgerVerifier(conninfo(), keyring(), ledger_signer(), settings.LEDGER_ORIGIN, _signature_faults, processes)


def _signature_faults(ledger: VerifiedLedger) -> Iterator[Fault]:
    """What is wrong with the newest checkpoint's signature, and with stored cosignatures."""
    origin = f"{settings.LEDGER_ORIGIN}/{ledger.slug}"
    signing = ledger_signer().signing(ledger.uid, origin)
    found = retired_signature(ledger.organization_id, signing, ledger_signer().verifiers(ledger.uid, origin))
    if (policy := witness_policy()) is not None:
        found = chain(found, cosignature_faults(ledger.organization_id, policy))
    return (Fault(*one) for one in found)


def witness_policy() -> WitnessPolicy | None:
    """Which witnesses cosign checkpoints, and how many are needed; None where none are."""
    policy: WitnessPolicy | None = settings.WITNESS_POLICY
    return policy


def witnessing(policy: WitnessPolicy) -> Witnessing:
    """Has checkpoints cosigned."""
    return Witnessing(policy, CosignatureStore(), ask_witnesses, subtrees, timezone.now)


@cache
def findings() -> FindingRepository:
    """Where findings are kept."""
    return FindingRepository()


def make_partitions_ahead(using: str = "default") -> None:
    """Make the partitions of the coming months and days."""
    with transaction.atomic(using=using):
        partitions.make_ahead(_psycopg(using))


def drop_inbox_day(day: date) -> bool:
    """Drop a finished day of the inbox with its key, and outcomes that are old enough.

    Returns whether the inbox's day went. The key goes after the COMMIT, and again where a crash came between.
    """
    with transaction.atomic():
        dropped = partitions.drop_day(_psycopg(), day)
        is_gone = dropped or not partitions.has_inbox_day(_psycopg(), day)
    if is_gone:
        keyring().destroy_inbox_key(day)
    return dropped


def run_once(job: str, every: timedelta, work: Callable[[], None]) -> bool:
    """Do scheduled work for the period that is now, unless it is done already."""
    return jobs.run_once(job, every, work)


def run_long(job: str, every: timedelta, work: Callable[[datetime], bool]) -> bool:
    """Do a part of scheduled work that takes long, until the period's is done."""
    return jobs.run_long(job, every, work)


def verification_runs() -> VerificationRuns:
    """Where runs of the verification are kept."""
    return VerificationRuns()


def scheduled_verification() -> ScheduledVerification:
    """Verifies what is due, within this process."""
    return ScheduledVerification(verification_runs(), ledger_verifier(), timezone.now)


def claim(job: str, every: timedelta) -> bool:
    """Claim scheduled work for the period that is now, for work that waits for others' servers."""
    return jobs.claim(job, every)


def make_months(months: Sequence[date]) -> None:
    """Make the entry partitions of these months (first days) where they are missing."""
    with transaction.atomic():
        partitions.make_months(_psycopg(), months)


def batch_announcements() -> BatchAnnouncements:
    """The recorder's announcements of batches."""
    return BatchAnnouncements(conninfo())


def _psycopg(using: str = "default") -> Connection[Any]:
    """Django's own connection, for adapters that speak psycopg."""
    connection = connections[using]
    connection.ensure_connection()
    raw: Connection[Any] = connection.connection
    return raw


def conninfo() -> str:
    """The process's own database, for connections beside Django's."""
    parameters = dict(connections["default"].get_connection_params())
    for name in (
        "cursor_factory",
        "context",
        "prepare_threshold",
        "pool",
        "server_side_binding",
        "isolation_level",
    ):
        parameters.pop(name, None)
    parameters.pop("assume_role", None)
    return make_conninfo(**parameters)
