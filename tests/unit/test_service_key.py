"""Service keys: their form, what is kept of them, and where they may be used."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from sessions_log.domain.service_key import (
    KnownKey,
    UnknownNetwork,
    UnknownScope,
    checked_networks,
    checked_scopes,
    matches,
    new_key,
    parse,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KNOWN = KnownKey(
    id=UUID(int=1), prefix="abcdefghijkl", secret_hash=b"", scopes=frozenset({"ingest"}), service_id=1,
    service="orders",
    organization_id=1, organization_uid=UUID(int=2), shard=0, accepts_back_days=7, expires_at=None,
    revoked_at=None, allowed_networks=(), records_per_minute=600,
)  # fmt: skip


def test_key_has_its_form_and_only_its_hash_is_kept() -> None:
    key = new_key()
    prefix, secret = parse(key.token) or ("", "")
    assert key.token == f"mun_{key.prefix}_{secret}"
    assert prefix == key.prefix
    assert len(secret) == 43
    assert key.secret_hash == hashlib.sha256(secret.encode()).digest()


def test_two_keys_share_nothing() -> None:
    one, other = new_key(), new_key()
    assert one.prefix != other.prefix
    assert one.secret_hash != other.secret_hash


def test_secret_matches_its_own_hash_alone() -> None:
    key = new_key()
    secret = key.token.rpartition("_")[2] if key.token.count("_") == 2 else key.token[17:]
    assert matches(secret, key.secret_hash)
    assert not matches(secret[:-1] + ("A" if secret[-1] != "A" else "B"), key.secret_hash)
    assert not matches("", key.secret_hash)


@pytest.mark.parametrize(
    "token",
    [
        "", "mun_", "mun_abcdefghijkl", "mun_abcdefghijkl_", "mun_abcdefghijk1_" + "a" * 43,
        "MUN_abcdefghijkl_" + "a" * 43,
        "mun_abcdefghijkl_" + "a" * 42, "mun_abcdefghijkl_" + "a" * 44, "mun_abcdefghijkl_" + "a" * 42 + "=",
        "mun_abcdefghijkl_" + "a" * 42 + "ü", " mun_abcdefghijkl_" + "a" * 43, "mun_abcdefghijkl_" + "a" * 43 + "\n",
    ],
)  # fmt: skip
def test_token_of_another_form_is_none(token: str) -> None:
    assert parse(token) is None


def test_secret_with_underscores_is_read_whole() -> None:
    assert parse("mun_abcdefghijkl_" + "_" * 43) == ("abcdefghijkl", "_" * 43)


def test_key_is_usable_until_the_very_moment_it_expires() -> None:
    key = replace(KNOWN, expires_at=NOW)
    assert key.is_usable(NOW - timedelta(microseconds=1))
    assert not key.is_usable(NOW)


def test_revoked_key_is_not_usable() -> None:
    assert not replace(KNOWN, revoked_at=NOW).is_usable(NOW - timedelta(days=1))


def test_key_without_networks_may_be_used_from_anywhere() -> None:
    assert KNOWN.allows("203.0.113.9")
    assert KNOWN.allows("")


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("192.0.2.1", True), ("192.0.2.255", True), ("192.0.3.0", False), ("2001:db8::1", True), ("2001:db9::1", False),
        ("127.0.0.1", False), ("", False), ("unix:", False), ("192.0.2.1, 203.0.113.9", False),
    ],
)  # fmt: skip
def test_key_with_networks_may_be_used_from_these_alone(address: str, is_allowed: bool) -> None:
    key = replace(KNOWN, allowed_networks=("192.0.2.0/24", "2001:db8::/32"))
    assert key.allows(address) is is_allowed


def test_scopes_are_put_into_their_usual_order_once() -> None:
    assert checked_scopes(["read", "ingest", "read"]) == ["ingest", "read"]


def test_unknown_scope_is_named() -> None:
    with pytest.raises(UnknownScope, match="unknown scope 'write'; allowed are ingest, read, identities, ledger"):
        checked_scopes(["ingest", "write"])


def test_networks_are_put_into_canonical_form() -> None:
    assert checked_networks(["192.0.2.7", "2001:DB8:0::/32"]) == ["192.0.2.7/32", "2001:db8::/32"]


@pytest.mark.parametrize("network", ["192.0.2.7/24", "192.0.2.0/33", "example.com", "", "10.0.0"])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(UnknownNetwork):
        checked_networks([network])
