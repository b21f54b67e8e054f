"""The ledger's leaf: bytes that an independent program makes of the same columns and parts."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.leaf import EntryColumns, bundle, canonical, leaf, unbundle

NONCE = bytes(range(16))
COLUMNS = {
    "action": "record.view",
    "address": None,
    "aiModel": "gpt-x",
    "detectors": 1,
    "duration": 12,
    "findings": {"email": 2, "payment_card": 1},
    "id": "01a20846fe7b73eea54b42e86a23d10d",  # pragma: allowlist secret
    "organization": "000102030405060708090a0b0c0d0e0f",
    "outcome": "denied",
    "policy": 1,
    "recordedAt": "2026-11-23T12:00:01.500000Z",
    "sensitive": True,
    "service": "orders",
    "session": "101112131415161718191a1b1c1d1e1f",
    "subject": "202122232425262728292a2b2c2d2e2f",
    "target": None,
    "targetType": "order",
    "timestamp": "2026-11-23T12:00:00Z",
}


def _columns(written: dict[str, Any]) -> EntryColumns:
    times = {name: datetime.fromisoformat(written[name]) for name in ("recordedAt", "timestamp")}
    return EntryColumns(**{**written, **times})


def _written(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_columns_are_written_as_canonical_json() -> None:
    assert canonical(_columns(COLUMNS)) == (
        b'{"action":"record.view","address":null,"aiModel":"gpt-x","detectors":1,"duration":12,'
        b'"findings":{"email":2,"payment_card":1},"id":"01a20846fe7b73eea54b42e86a23d10d",'  # pragma: allowlist secret
        b'"organization":"000102030405060708090a0b0c0d0e0f","outcome":"denied","policy":1,'
        b'"recordedAt":"2026-11-23T12:00:01.500000Z","sensitive":true,"service":"orders",'
        b'"session":"101112131415161718191a1b1c1d1e1f","subject":"202122232425262728292a2b2c2d2e2f",'
        b'"target":null,"targetType":"order","timestamp":"2026-11-23T12:00:00Z"}'
    )


def test_leaf_of_a_session_log_is_fixed_for_ever() -> None:
    made = leaf(1, NONCE, canonical(_columns(COLUMNS)), ((1, b"sealed"),))
    assert made.hex() == (
        "0101"
        "ba735cc06f9812c6ca16c3428a56ada8d70b05653ea7322477f4ec2d5291e5e1"  # pragma: allowlist secret
        "01"
        "c9d0036bed6744bcdf692fc980d8717d7e5f5a4f4e8266b4a84982602fb1cd09"  # pragma: allowlist secret
    )


def test_leaf_is_version_kind_and_hashes_alone() -> None:
    made = leaf(2, NONCE, b"{}", ((1, b"identity"), (2, b"content")))
    assert made == (
        b"\x01\x02"
        + hashlib.sha256(NONCE + b"{}").digest()
        + b"\x01" + hashlib.sha256(b"identity").digest()
        + b"\x02" + hashlib.sha256(b"content").digest()
    )  # fmt: skip


def test_leaf_of_a_session_log_has_67_bytes() -> None:
    assert len(leaf(1, NONCE, canonical(_columns(COLUMNS)), ((1, b"sealed"),))) == 67


IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
PLAIN = st.from_regex(r"[A-Za-z0-9._:/-]{1,128}", fullmatch=True)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(
    st.fixed_dictionaries(
        {
            "action": PLAIN, "address": st.none() | IDS, "aiModel": st.none() | PLAIN, "detectors": st.integers(0,
            2**15),
            "duration": st.none() | st.integers(0, 2**31 - 1),
            "findings": st.none() | st.dictionaries(st.sampled_from(["email", "payment_card", "iban"]),
            st.integers(1, 2**31)),
            "id": IDS, "organization": IDS, "outcome": st.sampled_from(["success", "failure", "denied"]),
            "policy": st.integers(0, 2**15), "recordedAt": TIMES, "sensitive": st.booleans(), "service": PLAIN,
            "session": IDS, "subject": IDS, "target": st.none() | IDS, "targetType": st.none() | PLAIN,
            "timestamp": TIMES,
        }
    )
)  # fmt: skip
def test_columns_are_what_any_canonical_json_writer_makes(columns: dict[str, Any]) -> None:
    times = {name: columns[name].isoformat().replace("+00:00", "Z") for name in ("recordedAt", "timestamp")}
    assert canonical(EntryColumns(**columns)) == _written({**columns, **times})


def test_bundle_is_each_leaf_after_its_length_in_two_bytes() -> None:
    # C2SP tlog-tiles: a sequence of big-endian uint16 length-prefixed entries
    assert bundle([b"abc", b"", b"\xff" * 256]) == b"\x00\x03abc" + b"\x00\x00" + b"\x01\x00" + b"\xff" * 256


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_bundle_gives_back_its_leaves(leaves: list[bytes]) -> None:
    assert unbundle(bundle(leaves)) == leaves


@pytest.mark.parametrize("packed", [b"\x00\x03ab", b"\x00\x01", b"\x00\x01a\x00"])
def test_bundle_that_is_cut_short_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="ends within a leaf"):
        unbundle(packed)
