"""Statements on their way: put beside what they state, given their place by the recorder, proven like any entry."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from sessions_log import wiring
from sessions_log.commands.checkpointing import Checkpointer
from sessions_log.commands.intake import sealed_request
from sessions_log.commands.organizations import ChangeOrganization, change_organization
from sessions_log.commands.statements import MakeStatement, make_statement
from sessions_log.domain.entry_id import KIND_STATEMENT
from sessions_log.domain.portal_action import PORTAL_SERVICE
from sessions_log.domain.statements import details_of
from sessions_log.models import QuarantinedRequest, Statement
from tests.integration.api import accepted
from tests.organizations import ACTOR, Tenant, make_tenant, session_record

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def _state(tenant: Tenant, **details: object) -> UUID:
    command = MakeStatement(
        organization_id=tenant.organization.id, type="policy", details=details, at=datetime.now(UTC)
    )
    with transaction.atomic():
        return UUID(bytes=make_statement(command, wiring.ports()).id)


def test_statement_stands_in_the_ledger_among_the_records(
    tenant: Tenant, record_all: Callable[[], None], checkpointer: Checkpointer, client: Client
) -> None:
    accepted(tenant, [session_record()])
    own_id = _state(tenant, acceptsBackDays=30)
    accepted(tenant, [session_record()])
    record_all()
    checkpointer.publish(datetime.now(UTC))
    statement = Statement.objects.get(id=own_id)
    assert details_of(bytes(statement.body)) == {"acceptsBackDays": 30}
    proof = client.get(f"/api/v1/ledgers/{tenant.organization.slug}/proof/{own_id}", headers=tenant.headers)
    assert f"index {statement.seq}\n" in proof.text
    call_command("verify", "--organization", tenant.organization.slug)


def test_change_of_what_is_taken_is_stated_and_another_name_is_not(
    tenant: Tenant, record_all: Callable[[], None]
) -> None:
    for name, days in (("Osteria Due", 30), ("Osteria Tre", 30)):
        command = ChangeOrganization(
            organization_id=tenant.organization.id, name=name, accepts_back_days=days, actor=ACTOR
        )
        change_organization(command, wiring.ports())
    record_all()
    stated = Statement.objects.get(organization_id=tenant.organization.id)
    assert (stated.type, details_of(bytes(stated.body))) == ("policy", {"acceptsBackDays": {"from": 7, "to": 30}})


def test_statement_that_was_not_committed_with_its_deed_is_not_made(
    tenant: Tenant, record_all: Callable[[], None]
) -> None:
    with transaction.atomic():
        _state(tenant)
        transaction.set_rollback(True)
    record_all()
    assert not Statement.objects.filter(organization_id=tenant.organization.id).exists()


def test_statement_outside_a_transaction_is_refused(tenant: Tenant) -> None:
    command = MakeStatement(organization_id=tenant.organization.id, type="policy", details={}, at=datetime.now(UTC))
    with pytest.raises(RuntimeError):
        make_statement(command, wiring.ports())


def test_body_that_is_no_statement_goes_to_quarantine(tenant: Tenant, record_all: Callable[[], None]) -> None:
    ports = wiring.ports()
    sender = ports.organizations.sender(tenant.organization.id, PORTAL_SERVICE)
    request = sealed_request(KIND_STATEMENT, b"{}", bytes(16), sender, datetime.now(UTC), ports.keyring)
    with transaction.atomic():
        ports.inbox.put(request)
    record_all()
    quarantined = QuarantinedRequest.objects.get(id=UUID(bytes=request.id))
    assert quarantined.reason == "a statement's body cannot be read"
