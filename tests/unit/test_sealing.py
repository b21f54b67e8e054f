"""Sealed parts and values open under their own key in their own place, and nowhere else."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.entry_id import KIND_AI_INTERACTION, KIND_SESSION_LOG
from sessions_log.domain.sealing import (
    PART_CONTENT,
    PART_IDENTITY,
    SEAL_NONCE_BYTES,
    CannotOpen,
    PartCipher,
    ValueCipher,
    lookup,
    new_key,
    record_digest,
    unwrap,
    wrap,
)

KEY = bytes(range(32))
ENTRY, OTHER_ENTRY = bytes(16), bytes(15) + b"\x01"


def _sealed(plain: bytes = b"who it was") -> bytes:
    return PartCipher(KEY, PART_IDENTITY).seal(
        plain, entry_id=ENTRY, kind=KIND_SESSION_LOG, nonce=secrets.token_bytes(SEAL_NONCE_BYTES)
    )


@given(st.binary(max_size=5000))
def test_part_opens_to_what_was_sealed(plain: bytes) -> None:
    opened = PartCipher(KEY, PART_IDENTITY).open(_sealed(plain), entry_id=ENTRY, kind=KIND_SESSION_LOG)
    assert opened == plain


def test_sealed_part_names_schema_and_dictionary_first() -> None:
    assert _sealed()[:2] == b"\x02\x02"


def test_equal_parts_are_sealed_differently() -> None:
    assert _sealed() != _sealed()


def test_sealed_part_holds_nothing_of_the_plain_one() -> None:
    assert b"m.russo" not in _sealed(b"m.russo " * 40)


@pytest.mark.parametrize(
    ("cipher", "entry_id", "kind"),
    [
        (PartCipher(bytes(32), PART_IDENTITY), ENTRY, KIND_SESSION_LOG),
        (PartCipher(KEY, PART_IDENTITY), OTHER_ENTRY, KIND_SESSION_LOG),
        (PartCipher(KEY, PART_IDENTITY), ENTRY, KIND_AI_INTERACTION),
        (PartCipher(KEY, PART_CONTENT), ENTRY, KIND_SESSION_LOG),
    ],
    ids=["another key", "another entry", "another kind", "another part"],
)
def test_part_does_not_open_elsewhere(cipher: PartCipher, entry_id: bytes, kind: int) -> None:
    with pytest.raises(CannotOpen):
        cipher.open(_sealed(), entry_id=entry_id, kind=kind)


def test_part_with_any_byte_changed_does_not_open() -> None:
    sealed = _sealed()
    for at in range(len(sealed)):
        tampered = sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :]
        with pytest.raises(CannotOpen):
            PartCipher(KEY, PART_IDENTITY).open(tampered, entry_id=ENTRY, kind=KIND_SESSION_LOG)


@pytest.mark.parametrize("length", [0, 1, 2, 13, 14, 29])
def test_part_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(CannotOpen):
        PartCipher(KEY, PART_IDENTITY).open(_sealed()[:length], entry_id=ENTRY, kind=KIND_SESSION_LOG)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_value_opens_to_what_was_sealed(value: str) -> None:
    cipher = ValueCipher(KEY)
    assert cipher.open(cipher.seal(value, row_id=ENTRY, table="session"), row_id=ENTRY, table="session") == value


@pytest.mark.parametrize(
    ("key", "row_id", "table"),
    [(bytes(32), ENTRY, "session"), (KEY, OTHER_ENTRY, "session"), (KEY, ENTRY, "target")],
    ids=["another key", "another row", "another table"],
)
def test_value_does_not_open_elsewhere(key: bytes, row_id: bytes, table: str) -> None:
    sealed = ValueCipher(KEY).seal("m.russo", row_id=ENTRY, table="session")
    with pytest.raises(CannotOpen):
        ValueCipher(key).open(sealed, row_id=row_id, table=table)


def test_key_is_wrapped_as_the_rfc_s_own_example() -> None:
    # RFC 3394, 4.6: 256 bits of key data with a 256-bit key-encryption key
    key = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    wrapped = bytes.fromhex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")
    assert wrap(key, KEY) == wrapped
    assert unwrap(wrapped, KEY) == key


@pytest.mark.parametrize("wrapped", [wrap(KEY, bytes(32)), wrap(KEY, KEY)[:-8], wrap(KEY, KEY)[:-1], b"", b"\x00" * 40])
def test_key_wrapped_otherwise_or_cut_short_does_not_open(wrapped: bytes) -> None:
    with pytest.raises(CannotOpen):
        unwrap(wrapped, KEY)


def test_new_keys_have_256_bits_and_differ() -> None:
    assert len(new_key()) == 32
    assert new_key() != new_key()


def test_lookup_is_fixed_for_ever() -> None:
    hashed = "c680a908fc7743f7c7b47826c4c9f410"  # pragma: allowlist secret
    assert lookup(KEY, "subject", "m.russo").hex() == hashed


def test_lookup_tells_tables_values_and_keys_apart() -> None:
    found = {
        lookup(KEY, "subject", "m.russo"),
        lookup(KEY, "session", "m.russo"),
        lookup(KEY, "subject", "m.russo2"),
        lookup(KEY, "subjec", "tm.russo"),
        lookup(bytes(32), "subject", "m.russo"),
    }
    assert len(found) == 5


def test_digest_of_a_record_is_fixed_for_ever() -> None:
    digest = "fc2d8e6dabff2788557a9a43620fcac8"  # pragma: allowlist secret
    assert record_digest(b'{"action":"record.view"}', KEY).hex() == digest


def test_digest_differs_by_record_and_by_key() -> None:
    assert len({record_digest(b"a", KEY), record_digest(b"b", KEY), record_digest(b"a", bytes(32))}) == 3
