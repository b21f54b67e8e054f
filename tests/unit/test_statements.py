"""Statements: one form, readable, and nothing in it that another program would write in another way."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from sessions_log.domain.statements import (
    UnfitStatement,
    details_of,
    new_statement,
    read_statement,
    statement_leaf,
)

ORGANIZATION = UUID("01890000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 24, 13, 0, 0, 5, tzinfo=UTC)


def test_body_is_canonical_json_with_its_fields_in_order() -> None:
    statement = new_statement(ORGANIZATION, "digest", {"size": 7, "lastSeq": 6, "firstSeq": None}, AT)
    assert statement.body.decode() == (
        '{"at":"2026-11-24T13:00:00.000005Z","details":{"firstSeq":null,"lastSeq":6,"size":7},'
        f'"id":"{statement.id.hex()}","organization":"01890000000070008000000000000001","type":"digest"}}'
    )
    assert details_of(statement.body) == {"firstSeq": None, "lastSeq": 6, "size": 7}


def test_leaf_is_version_kind_and_the_body_itself() -> None:
    statement = new_statement(ORGANIZATION, "policy", {}, AT)
    assert statement_leaf(statement.body) == b"\x01\x04" + statement.body


def test_body_reads_as_the_statement_it_was_made_of() -> None:
    statement = new_statement(ORGANIZATION, "gap", {"missing": [[1, 2], [5, 5]]}, AT)
    assert read_statement(statement.body, ORGANIZATION) == statement


@pytest.mark.parametrize(
    "details", [{"a": 1.5}, {"a": 2**53}, {"a": "é"}, {"a": "\n"}, {"é": 1}, {"a": [{"b": 1e300}]}]
)
def test_values_that_json_writes_in_many_ways_are_refused(details: dict[str, object]) -> None:
    with pytest.raises(UnfitStatement):
        new_statement(ORGANIZATION, "policy", details, AT)


def test_statement_that_is_larger_than_a_leaf_is_refused() -> None:
    with pytest.raises(UnfitStatement, match="fit into a leaf"):
        new_statement(ORGANIZATION, "policy", {"text": "x" * 66_000}, AT)


_GOOD = new_statement(ORGANIZATION, "policy", {"b": 1}, AT).body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        _GOOD + b" ",
        _GOOD.replace(b'"type"', b' "type"'),
        _GOOD.replace(b"policy", b"gossip"),
        _GOOD.replace(b'{"b":1}', b'{"b":1,"a":2}'),
        _GOOD.replace(b'"id":"01', b'"id":"'),
        _GOOD.replace(b"00005Z", b"00005+00:00"),
    ],
)
def test_any_other_form_of_a_body_is_refused(body: bytes) -> None:
    with pytest.raises(UnfitStatement):
        read_statement(body, ORGANIZATION)


def test_statement_of_another_organization_is_refused() -> None:
    with pytest.raises(UnfitStatement, match="another organization"):
        read_statement(_GOOD, UUID(int=7))
