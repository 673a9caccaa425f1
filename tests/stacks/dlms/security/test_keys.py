"""Keys wrapped for transport."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import SecurityError
from meterway.stacks.dlms.security.keys import unwrap_key, wrap_key

pytestmark = pytest.mark.covers("SEC-07")

KEYS = st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32)


# RFC 3394, 4.1 and 4.6.
@pytest.mark.parametrize(
    ("master", "key", "wrapped"),
    [
        (range(16), "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (
            range(32),
            "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ),
    ],
    ids=["128", "256"],
)
def test_a_key_is_wrapped_as_the_rfc_says(master: range, key: str, wrapped: str) -> None:
    assert wrap_key(bytes(master), bytes.fromhex(key)).hex() == wrapped
    assert unwrap_key(bytes(master), bytes.fromhex(wrapped)).hex() == key


@given(KEYS, KEYS, st.integers(0, 23), st.integers(1, 255))
def test_an_altered_wrapped_key_does_not_open(master: bytes, key: bytes, place: int, change: int) -> None:
    wrapped = bytearray(wrap_key(master, key))
    assert unwrap_key(master, bytes(wrapped)) == key
    wrapped[place] ^= change
    with pytest.raises(SecurityError, match="does not open") as refused:
        unwrap_key(master, bytes(wrapped))
    assert refused.value.check == "key"


@pytest.mark.parametrize("length", [0, 1, 8, 15, 23])
def test_octets_that_are_no_wrapped_key_do_not_open(length: int) -> None:
    with pytest.raises(SecurityError):
        unwrap_key(bytes(16), bytes(length))
