"""A ledger whose head was changed takes no statement; the others get theirs, and it gets its own once it is mended."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from sessions_log.adapters.recorder_store import PostgresRecorderStore
from sessions_log.commands.completeness import Completeness
from sessions_log.models import SessionSequence, Statement
from sessions_log.ports import EntriesRefused
from tests.integration.api import accepted
from tests.organizations import Tenant, make_tenant, session_record
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)


@pytest.fixture
def tenants(record_all: Callable[[], None]) -> list[Tenant]:
    """Three organizations, each with a gap in a session."""
    tenants = [make_tenant() for _ in range(3)]
    for tenant in tenants:
        accepted(tenant, [session_record(sequence=1), session_record(sequence=3)])
    record_all()
    return tenants


@pytest.fixture(params=["size = 0, frontier = ''", "frontier = ''"], ids=["set back", "emptied"])
def changed(tenants: list[Tenant], connect: Connect, request: pytest.FixtureRequest) -> Callable[[], None]:
    """Somebody changed the head of the second one's ledger; to be called when it is mended."""
    superuser, organization_id = connect("superuser"), tenants[1].organization.id
    of_ledger = "WHERE organization_id = %s"
    head = superuser.execute(
        f"SELECT size, frontier, organization_id FROM sessions_log_ledgerhead {of_ledger}", (organization_id,)
    ).fetchone()
    superuser.execute(f"UPDATE sessions_log_ledgerhead SET {request.param} {of_ledger}", (organization_id,))

    def mend() -> None:
        superuser.execute(f"UPDATE sessions_log_ledgerhead SET size = %s, frontier = %s {of_ledger}", head)

    return mend


def _stated(tenants: list[Tenant], of_type: str) -> list[int]:
    return [Statement.objects.filter(organization_id=one.organization.id, type=of_type).count() for one in tenants]


def test_changed_ledger_does_not_hold_up_the_others(
    tenants: list[Tenant], changed: Callable[[], None], store: PostgresRecorderStore
) -> None:
    completeness = Completeness(store, timedelta(minutes=15))
    _until_done(completeness, HOUR)
    assert (_stated(tenants, "digest"), _stated(tenants, "gap")) == ([1, 0, 1], [1, 0, 1])
    changed()
    _until_done(completeness, HOUR + timedelta(minutes=59))
    assert _stated(tenants, "digest") == [1, 0, 1]
    _until_done(completeness, HOUR + timedelta(hours=1))
    assert (_stated(tenants, "digest"), _stated(tenants, "gap")) == ([2, 1, 2], [1, 1, 1])


def test_statement_that_failed_is_not_noted_as_made(
    tenants: list[Tenant], changed: Callable[[], None], store: PostgresRecorderStore
) -> None:
    _until_done(Completeness(store, timedelta(minutes=15)), HOUR)
    row = SessionSequence.objects.get(organization_id=tenants[1].organization.id)
    assert (len(row.stated or ()), row.waiting_since is not None) == (0, True)
    _until_done(Completeness(store, timedelta(minutes=15)), HOUR)
    changed()
    for _ in range(2):
        _until_done(Completeness(store, timedelta(minutes=15)), HOUR)
    assert (_stated(tenants, "digest"), _stated(tenants, "gap")) == ([1, 1, 1], [1, 1, 1])


def _until_done(completeness: Completeness, now: datetime) -> None:
    """Round by round, like the recorder's process, which tells of each refused ledger and goes on."""
    is_more = True
    while is_more:
        with suppress(EntriesRefused):
            is_more = completeness.state(now)
