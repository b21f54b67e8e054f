"""Our HMAC is the standard's."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_log.domain.mac import hmac_sha256


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_it_is_hmac_of_the_standard_library(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


def test_rfc_4231_case_2() -> None:
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"  # pragma: allowlist secret
    )


def test_key_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than a block"):
        hmac_sha256(bytes(65), b"")
