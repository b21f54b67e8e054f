"""A ledger that was cut off cleanly, as if its end had never been, is too small for what was signed of it."""

from sessions_log import wiring
from sessions_log.domain.leaf import bundle
from sessions_log.domain.merkle import Frontier, leaf_hash
from sessions_log.domain.verification.scope import VerifiedLedger
from sessions_log.queries.ledger import leaf_at
from tests.conftest import RunAs
from tests.organizations import Tenant
from tests.tampering.conftest import Tamper, Verify

KEPT = 200


def _cut_off(tenant: Tenant, tamper: Tamper) -> None:
    """What a superuser does who knows how a ledger is stored: only what lies beside the keys he does not reach."""
    leaves = [leaf_at(tenant.organization.id, seq) for seq in range(KEPT)]
    frontier, _ = Frontier().grown(map(leaf_hash, leaves))
    own = "WHERE organization_id = {org}"
    for table, condition in (
        ("sessionlog", f"AND seq >= {KEPT}"), ("leafbundle", ""), ("leaftail", ""), ("treenode", ""),
        ("checkpoint", f"AND size > {KEPT}"),
    ):  # fmt: skip
        tamper(table, f"DELETE FROM sessions_log_{table} {own} {condition}")
    tamper(
        "leaftail",
        "INSERT INTO sessions_log_leaftail (organization_id, first_seq, leaves) VALUES ({org}, 0, %s)",
        bundle(leaves),
    )
    tamper("ledgerhead", f"UPDATE sessions_log_ledgerhead SET size = {KEPT}, frontier = %s {own}", frontier.packed())


def test_set_back_ledger_is_named_by_command_and_by_scheduled_part(
    tenant: Tenant, tamper: Tamper, verify: Verify, run_as: RunAs
) -> None:
    _cut_off(tenant, tamper)
    (named,) = verify()
    ledger = VerifiedLedger(tenant.organization.id, tenant.organization.uid, tenant.organization.slug)
    with run_as("worker"):
        run = wiring.scheduled_verification().next_part(ledger)
    assert "there are 200 leaves" in named
    assert run.faults == 1
    assert run.fault is not None
    assert "there are 200 leaves" in run.fault.words
