"""A ledger that grows at a test's word, and its witnesses, which are programs of their own."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings as configured
from django.utils import timezone

from sessions_log import wiring
from sessions_log.adapters.cosignature_store import CosignatureStore
from sessions_log.adapters.witness_client import ask_witnesses
from sessions_log.commands.witnessing import Witnessing
from sessions_log.domain.merkle import Subtree
from sessions_log.domain.witness_policy import Witness, WitnessPolicy
from sessions_log.models import Checkpoint, WitnessStanding
from sessions_log.ports import AskWitnesses, Uncosigned
from sessions_log.queries import ledger
from sessions_log.queries.witnesses import unwitnessed_ledgers, witness_findings
from tests.conftest import RunAs
from tests.integration.api import Answer, accepted, call
from tests.organizations import Tenant, make_tenant, session_record
from tests.witnesses import RunningWitness

LATER = timedelta(hours=1)


class OnlyOf(CosignatureStore):
    """Of one ledger alone, whatever others the run of the tests has made; what is due is so by a clock that is ahead."""

    def __init__(self, organization_id: int, ahead: timedelta = timedelta()) -> None:
        super().__init__(most=1_000_000)
        self._organization_id, self._ahead = organization_id, ahead

    def due(self, witnesses: Sequence[Witness], now: datetime) -> list[Uncosigned]:
        due = super().due(witnesses, now + self._ahead)
        return [one for one in due if one.organization_id == self._organization_id]


class Ledger:
    """An organization's ledger that grows at a word."""

    def __init__(self, publish: Callable[[], None], run_as: RunAs) -> None:
        self._publish, self._run_as = publish, run_as
        self.tenant: Tenant = make_tenant()
        self.id = self.tenant.organization.id
        self.origin = f"{configured.LEDGER_ORIGIN}/{self.tenant.organization.slug}"
        self._publish()

    def grow(self, records: int = 1) -> str:
        """Record so many, and sign. Returns the last one's entry id."""
        answer = accepted(self.tenant, [session_record() for _ in range(records)])
        self._publish()
        return str(answer["receipts"][-1]["entryId"])

    @property
    def keys(self) -> list[str]:
        keys = wiring.ledger_signer().verifiers(self.tenant.organization.uid, self.origin)
        return [str(key) for key in keys]

    @property
    def latest(self) -> Checkpoint:
        checkpoint = ledger.latest_checkpoint(self.id)
        assert checkpoint is not None
        return checkpoint

    def seek(
        self,
        policy: WitnessPolicy,
        after: timedelta = timedelta(),
        *,
        store: CosignatureStore | None = None,
        ask: AskWitnesses = ask_witnesses,
        subtrees: Callable[[int], Subtree] = ledger.subtrees,
    ) -> int:
        """One round of the scheduled work, as the worker does it; `after`: how far its clock is ahead of ours."""
        kept = store or OnlyOf(self.id, after)
        with self._run_as("worker"):
            return Witnessing(policy, kept, ask, subtrees, timezone.now).seek()

    def standing(self, witness: RunningWitness) -> tuple[int, str]:
        """(size that it cosigned last, why not more)."""
        own = WitnessStanding.objects.get(organization_id=self.id, witness=witness.key.name)
        return own.size, own.refusal

    def forget(self, witness: RunningWitness) -> None:
        """Lose what the witness has cosigned."""
        with self._run_as("worker"):
            WitnessStanding.objects.filter(organization_id=self.id, witness=witness.key.name).update(size=0)

    def findings(self, policy: WitnessPolicy, after: timedelta = timedelta()) -> dict[str, str]:
        """Kind to words, of this ledger's witnesses."""
        return {seen.kind: seen.words for seen in witness_findings(policy, timezone.now() + after)}

    def is_unwitnessed(self, policy: WitnessPolicy, after: timedelta) -> bool:
        """Whether it is among those that have waited too long for a quorum."""
        return self.tenant.organization.slug in unwitnessed_ledgers(policy, timezone.now() + after)

    def get(self, below: str) -> Answer:
        return call("GET", f"/api/v1/ledgers/{self.tenant.organization.slug}/{below}", self.tenant)

    def witnessed_size(self, policy: WitnessPolicy) -> int | None:
        found = ledger.latest_witnessed_checkpoint(self.id, policy)
        return found.checkpoint.size if found else None
