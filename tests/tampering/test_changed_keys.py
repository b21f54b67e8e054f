"""A key that somebody changed stops a rotation before anything is destroyed."""

from collections.abc import Callable

import pytest

from sessions_log import wiring
from sessions_log.commands.rotating import CannotRotate, RotateKeys, rotate_keys
from sessions_log.models import SubjectKey
from tests.conftest import RunAs
from tests.integration.api import accepted
from tests.organizations import ACTOR, make_tenant, session_record
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sessions_log_subjectkey SET wrapped = set_byte(wrapped, 3, (get_byte(wrapped, 3) + 1) %% 256) WHERE id = %s",
        "DELETE FROM sessions_log_subjectkey WHERE id = %s",
    ],
)
def test_old_keys_stay_where_a_row_was_changed(
    connect: Connect, record_all: Callable[[], None], run_as: RunAs, change: str
) -> None:
    tenant = make_tenant()
    accepted(tenant, [session_record()])
    record_all()
    row = SubjectKey.objects.filter(subject__organization_id=tenant.organization.id).order_by("id")[0]
    connect("superuser").execute(change, (row.id,))
    command = RotateKeys(organization_id=tenant.organization.id, is_old_destroyed=True, actor=ACTOR)
    with run_as("retention"), pytest.raises(CannotRotate, match=str(row.subject_id)):
        rotate_keys(command, wiring.organization_keys(), wiring.ports())
    assert wiring.keyring().epoch(tenant.organization.uid, 1).number == 1
