"""Each process's role may do just what `compliance.adapters.roles` says, tried statement by statement."""

import re
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from compliance.adapters.roles import FUNCTIONS, RIGHTS, ROLES, grant_rights
from tests.tampering.conftest import Connect

pytestmark = pytest.mark.usefixtures("db")
PROCESSES = [role.removeprefix("muniment_") for role in ROLES]
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


def _tables(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Every table, partitions included, with its columns."""
    rows = connection.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') GROUP BY 1"
    ).fetchall()
    return dict(rows)


def _rights(table: str, role: str) -> tuple[set[str], set[str]]:
    """What a role may do to a table: whole verbs, and the columns it may update alone."""
    whole, columns = set(), set()
    for part in re.split(r", (?=[A-Z])", RIGHTS.get(table, {}).get(role, "")):
        verb, _, listed = part.partition(" (")
        if listed:
            columns |= set(listed.rstrip(")").split(", "))
        elif verb:
            whole.add(verb)
    return whole, columns


def _statement(verb: str, table: str, column: str) -> sql.Composed:
    # EXPLAIN asks for the same rights and does nothing.
    texts = {
        "SELECT": "EXPLAIN SELECT * FROM {table}",
        "INSERT": "EXPLAIN INSERT INTO {table} DEFAULT VALUES",
        "UPDATE": "EXPLAIN UPDATE {table} SET {column} = DEFAULT",
        "DELETE": "EXPLAIN DELETE FROM {table}",
        "TRUNCATE": "TRUNCATE {table}",
    }
    return sql.SQL(texts[verb]).format(table=sql.Identifier(table), column=sql.Identifier(column))


def _may(connection: psycopg.Connection[Any], statement: sql.Composed) -> bool:
    try:
        connection.execute(statement)
    except errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("role", PROCESSES)
def test_role_may_do_to_each_table_what_is_listed_and_nothing_else(connect: Connect, role: str) -> None:
    connection = connect(role)
    for table, columns in _tables(connect("superuser")).items():
        whole, updatable = _rights(table, role)
        other = next(column for column in columns if column not in updatable)
        allowed = {verb for verb in VERBS if _may(connection, _statement(verb, table, other))}
        assert allowed == whole, table
        for column in updatable:
            assert _may(connection, _statement("UPDATE", table, column)), (table, column)


@pytest.mark.parametrize("role", PROCESSES)
def test_role_may_call_the_functions_that_are_listed_and_no_other_of_ours(connect: Connect, role: str) -> None:
    rows = (
        connect("superuser")
        .execute(
            "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"
            " AND p.proname LIKE 'muniment%%' AND has_function_privilege(%s, p.oid, 'EXECUTE')"
            " AND p.proname NOT IN ('muniment_lowest_id', 'muniment_refuse_change')",
            # harmless: arithmetic, and a trigger's
            (f"muniment_{role}",),
        )
        .fetchall()
    )
    assert {row[0] for row in rows} == {name for name, holders in FUNCTIONS.items() if role in holders}


def test_functions_that_act_as_the_owner_look_names_up_where_the_caller_cannot_put_any(connect: Connect) -> None:
    rows = (
        connect("superuser")
        .execute("SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")
        .fetchall()
    )
    assert len(rows) == len(FUNCTIONS)
    assert all("search_path=pg_catalog" in config for _, config in rows)


def test_no_role_is_more_than_a_role(connect: Connect) -> None:
    rows = (
        connect("superuser")
        .execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin FROM pg_roles"
            " WHERE rolname LIKE 'muniment%%' ORDER BY 1"
        )
        .fetchall()
    )
    plain = (False, False, False, False, False)
    expected = [(name, *plain, may_login) for name, may_login in ROLES.items()]
    assert rows == sorted([*expected, ("muniment_owner", False, True, False, False, False, True)])


def test_web_may_become_intake_and_nobody_may_become_another(connect: Connect) -> None:
    rows = (
        connect("superuser")
        .execute(
            "SELECT m.rolname, g.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
            " JOIN pg_roles g ON g.oid = a.roleid WHERE m.rolname LIKE 'muniment%%' AND m.rolname <> 'muniment_owner'"
        )
        .fetchall()
    )
    assert rows == [("muniment_web", "muniment_intake")]


def test_no_process_owns_anything(connect: Connect) -> None:
    owners = (
        connect("superuser")
        .execute("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        .fetchall()
    )
    assert owners == [("muniment_owner",)]


@pytest.mark.parametrize("role", PROCESSES)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE planted ()",
        "CREATE TEMPORARY TABLE planted ()",
        "CREATE SCHEMA planted",
        "CREATE FUNCTION planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE muniment_owner",
        "SET session_replication_role = replica",
        "ALTER TABLE sessions_log_sessionlog DISABLE TRIGGER evidence",
        "DROP TABLE sessions_log_leafbundle",
        "SELECT pg_read_file('postgresql.conf')",
        "COPY sessions_log_organization TO PROGRAM 'cat'",
        "CREATE ROLE planted",
    ],
)
def test_role_may_not_widen_what_it_may(connect: Connect, role: str, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        connect(role).execute(statement)


def test_intake_may_put_into_the_inbox_and_read_nothing_not_even_that(connect: Connect) -> None:
    intake = connect("intake")
    intake.execute(
        "INSERT INTO sessions_log_inbox (id, organization_id, service_id, shard, lane, kind, records, entry_ids, sealed)"
        " VALUES (muniment_lowest_id(now()), 0, 0, 32767, 0, 1, 0, '', '')"
    )
    for statement in (
        "SELECT id FROM sessions_log_inbox",
        "INSERT INTO sessions_log_inbox DEFAULT VALUES RETURNING id",
        "UPDATE sessions_log_inbox SET sealed = ''",
        "DELETE FROM sessions_log_inbox",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            intake.execute(statement)


def test_rights_given_by_hand_are_taken_back_when_they_are_set_again(connect: Connect) -> None:
    owner = connect("owner")
    owner.execute("GRANT DELETE, TRUNCATE ON sessions_log_batch TO muniment_web")
    owner.execute("GRANT UPDATE (secret_hash) ON sessions_log_servicekey TO muniment_follower")
    with owner.transaction():
        grant_rights(owner)
    assert not _may(connect("web"), _statement("DELETE", "sessions_log_batch", "id"))
    assert not _may(connect("follower"), _statement("UPDATE", "sessions_log_servicekey", "secret_hash"))


def test_nobody_can_be_made_a_superuser_of_the_portal(connect: Connect) -> None:
    for role in ("web", "owner", "superuser"):
        with pytest.raises(errors.CheckViolation):
            connect(role).execute(
                "INSERT INTO compliance_user (id, password, is_superuser, email, name, is_active)"
                " VALUES (gen_random_uuid(), '', true, gen_random_uuid()::text, 'x', true)"
            )
