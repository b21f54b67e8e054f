"""Evidence is only ever added to, whoever asks: processes by their rights, owner and superuser by triggers."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from tests.integration.api import accepted
from tests.organizations import make_tenant, session_record
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")
CHANGES = ("UPDATE {} SET organization_id = organization_id", "DELETE FROM {}", "TRUNCATE {}")


@pytest.fixture(autouse=True)
def some_evidence(record_all: Callable[[], None]) -> None:
    """Rows in every table that is tried."""
    accepted(make_tenant(), [session_record() for _ in range(256)])
    record_all()


def _evidence(connection: psycopg.Connection[Any]) -> list[str]:
    partitions = connection.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sessions_log_sessionlog'::regclass"
    ).fetchall()
    assert len(partitions) >= 4
    return [
        "sessions_log_sessionlog",
        "sessions_log_leafbundle",
        "sessions_log_treenode",
        "sessions_log_checkpoint",
        "sessions_log_statement",
        "sessions_log_verification",
        "sessions_log_tombstone",
        "sessions_log_cosignature",
        *(name for (name,) in partitions),
    ]


def _refused(connection: psycopg.Connection[Any], change: str, table: str) -> str:
    with pytest.raises(errors.InsufficientPrivilege) as caught:
        connection.execute(sql.SQL(change).format(sql.Identifier(table)))
    return str(caught.value.diag.message_primary)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["web", "intake", "recorder", "follower", "worker", "beat", "retention"])
def test_process_may_not_change_evidence(connect: Connect, role: str, change: str) -> None:
    connection = connect(role)
    for table in _evidence(connect("superuser")):
        assert _refused(connection, change, table).startswith("permission denied for table")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_trigger_refuses_even_whom_no_right_stops(connect: Connect, role: str, change: str) -> None:
    connection = connect(role)
    for table in _evidence(connect("superuser")):
        assert _refused(connection, change, table).endswith("are never changed or deleted")


@pytest.mark.parametrize("change", CHANGES)
def test_trigger_fires_where_a_session_skips_ordinary_ones(connect: Connect, change: str) -> None:
    connection = connect("superuser")
    connection.execute("SET session_replication_role = replica")
    for table in _evidence(connection):
        assert _refused(connection, change, table).endswith("are never changed or deleted")


def test_truncating_what_refers_to_evidence_does_not_reach_it(connect: Connect) -> None:
    with pytest.raises(psycopg.Error):
        connect("owner").execute("TRUNCATE sessions_log_organization CASCADE, sessions_log_sessionlog")


@pytest.mark.parametrize(
    "statement",
    [
        "MERGE INTO sessions_log_leafbundle b USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
        "MERGE INTO sessions_log_leafbundle b USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET number = number + 1",
        "INSERT INTO sessions_log_leafbundle SELECT * FROM sessions_log_leafbundle"
        " ON CONFLICT (organization_id, number) DO UPDATE SET leaves = ''",
        "WITH gone AS (DELETE FROM sessions_log_leafbundle RETURNING 1) SELECT count(*) FROM gone",
    ],
)
def test_other_ways_to_say_it_are_refused_too(connect: Connect, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="are never changed or deleted"):
        connect("owner").execute(statement)


def test_month_that_is_made_later_is_guarded_from_its_first_moment(connect: Connect) -> None:
    connect("recorder").execute("SELECT muniment_make_month('2011-07-15')")
    owner = connect("owner")
    for change in CHANGES:
        assert _refused(owner, change, "sessionlog_2011_07").endswith("are never changed or deleted")


@pytest.mark.parametrize("role", ["web", "recorder"])
def test_partition_can_be_made_and_not_be_touched_directly(connect: Connect, role: str) -> None:
    connection = connect(role)
    connection.execute("SELECT muniment_make_month('2011-08-01')")
    for statement in (
        "SELECT * FROM sessionlog_2011_08",
        "INSERT INTO sessionlog_2011_08 SELECT",
        "DROP TABLE sessionlog_2011_08",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)
