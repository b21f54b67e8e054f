"""What leaves cannot tell, since it stands beside the ledger, `manage.py verify --open` tells with the keys."""

import re
from collections.abc import Callable

import pytest

from tests.integration.api import accepted
from tests.organizations import Tenant, session_record
from tests.tampering.conftest import Tamper, Verify

pytestmark = pytest.mark.usefixtures("db")
OWN_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture(autouse=True)
def people(tenant: Tenant, publish: Callable[[], None]) -> None:
    """Beside the many entries of one person some of another, with a target, and one of nobody known."""
    target = {"type": "order", "id": "o-1"}
    accepted(tenant, [session_record(userId="a.conti", sessionId="of a.conti", target=target) for _ in range(3)])
    accepted(tenant, session_record(userId=None, sessionId="nobody's", ipAddress="198.51.100.7"))
    publish()


def _places(faults: list[str], of: str) -> list[str]:
    return [fault for fault in faults if fault.startswith(f"{of} ")]


def test_untouched_ledger_opens(verify: Verify) -> None:
    assert verify("--open") == []


@pytest.mark.parametrize("table", ["session", "target", "address"])
def test_changed_lookup_is_named_by_row_and_by_entry(verify: Verify, tamper: Tamper, table: str) -> None:
    tamper(
        table, f"UPDATE sessions_log_{table} SET lookup = substr(sha256(lookup), 1, 16) WHERE organization_id = {{org}}"
    )
    assert verify() == []
    faults = verify("--open")
    assert re.fullmatch(rf"{table} {OWN_ID}: its lookup is not that of its value", faults[0])
    assert f": its {table} is not the one in its sealed part" in _places(faults, "entry")[0]


def test_changed_lookup_of_a_subject_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "subject",
        "UPDATE sessions_log_subject SET lookup = substr(sha256(lookup), 1, 16) WHERE organization_id = {org}"
        " AND is_provisional",
    )
    faults = verify("--open")
    assert re.fullmatch(rf"subject {OWN_ID}: its lookup is not that of its name", faults[0])
    assert len(faults) == 2
    assert faults[1].endswith(": its subject is not the user in its sealed part")


def test_swapped_keys_are_named_by_row_and_by_entry(verify: Verify, tamper: Tamper) -> None:
    """Each opens under the epoch's key, and nothing of its subject opens under it."""
    tamper(
        "subjectkey",
        "WITH own AS (SELECT k.id, k.wrapped, row_number() OVER (ORDER BY k.id) AS at FROM sessions_log_subjectkey k"
        " JOIN sessions_log_subject s ON s.id = k.subject_id WHERE s.organization_id = {org}"
        " ORDER BY k.id LIMIT 2)"
        " UPDATE sessions_log_subjectkey k SET wrapped = other.wrapped FROM own, own other"
        " WHERE k.id = own.id AND other.at <> own.at",
    )
    assert verify() == []
    faults = verify("--open")
    assert [fault.partition(": ")[2] for fault in _places(faults, "subject")] == ["its sealed value does not open"] * 2
    assert _places(faults, "entry")[0].endswith("its sealed part does not open under its subject's key")


def test_key_that_does_not_open_under_its_epoch_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "subjectkey",
        "UPDATE sessions_log_subjectkey SET wrapped = %s WHERE subject_id IN (SELECT id FROM sessions_log_subject"
        " WHERE organization_id = {org} AND is_provisional)",
        bytes(40),
    )
    faults = verify("--open")
    assert faults[0].endswith("its subject's key does not open under its epoch's key")
    assert len(faults) == 2


def test_key_that_is_gone_without_an_erasure_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "subjectkey",
        "DELETE FROM sessions_log_subjectkey WHERE subject_id IN (SELECT id FROM sessions_log_subject"
        " WHERE organization_id = {org} AND is_provisional)",
    )
    assert verify() == []
    subject, entry = verify("--open")
    assert subject.endswith(": its key is gone, and no erasure accounts for it")
    assert entry.endswith(": the key of its subject is gone, and no erasure accounts for it")


def test_tombstone_that_no_statement_stands_behind_accounts_for_nothing(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "tombstone",
        "WITH gone AS (DELETE FROM sessions_log_subjectkey WHERE subject_id IN (SELECT id FROM sessions_log_subject"
        " WHERE organization_id = {org} AND is_provisional) RETURNING subject_id)"
        " INSERT INTO sessions_log_tombstone (id, organization_id, statement_id, erased_at)"
        " SELECT subject_id, {org}, gen_random_uuid(), now() FROM gone",
    )
    assert verify("--open")[0].endswith(": its key is gone, and no erasure accounts for it")


@pytest.mark.parametrize("column", ["identity", "subject_id"])
def test_parts_or_people_swapped_between_entries_are_named(verify: Verify, tamper: Tamper, column: str) -> None:
    tamper(
        "sessionlog",
        f"UPDATE sessions_log_sessionlog e SET {column} = o.{column} FROM sessions_log_sessionlog o"
        " WHERE e.organization_id = {org} AND o.organization_id = {org}"
        " AND (e.seq, o.seq) IN ((0, 300), (300, 0))",
    )
    assert [fault.partition(" (")[0] for fault in verify("--open")] == ["entry 0", "entry 300"]


def test_counter_of_a_minute_without_entries_is_named(verify: Verify, tamper: Tamper) -> None:
    tamper(
        "minutecounter",
        "INSERT INTO sessions_log_minutecounter (organization_id, minute, entries, success, failure, denied, sensitive,"
        " redacted, auth, auth_failed, session, record, file, export, permission, secret, ai, admin, other)"
        " VALUES ({org}, '2026-01-02T03:04Z', 5, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
    )
    assert verify() == []
    assert verify("--open") == ["minute 2026-01-02T03:04Z: it counts 5 entries, and there are 0"]
