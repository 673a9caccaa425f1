"""Compressed messages opened up to a bound."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.headend.inflate import inflated

pytestmark = pytest.mark.covers("SEC-11", "IF-G2")

PACKED = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress, "identity": bytes}


@given(st.binary(max_size=2000), st.sampled_from(sorted(PACKED)))
def test_what_was_packed_comes_out(octets: bytes, encoding: str) -> None:
    packed = PACKED[encoding](octets)
    assert inflated(packed, 2000, encoding) == octets
    if encoding != "identity":
        assert inflated(packed, 2000) == octets


@pytest.mark.parametrize("encoding", sorted(PACKED))
def test_more_than_the_bound_is_refused_whatever_it_was_packed_in(encoding: str) -> None:
    packed = PACKED[encoding](bytes(50_000_000))
    with pytest.raises(DecodeError, match="more than 1000"):
        inflated(packed, 1000, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("behind", [b"x", bytes(600)])
def test_what_has_something_behind_it_is_refused(encoding: str, behind: bytes) -> None:
    with pytest.raises(DecodeError, match="not one whole"):
        inflated(PACKED[encoding](b"some octets of a report") + behind, 1000, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_is_cut_off_is_refused(encoding: str) -> None:
    packed = PACKED[encoding](b"some octets of a report" * 20)
    for end in range(len(packed)):
        with pytest.raises(DecodeError):
            inflated(packed[:end], 1000, encoding)


@given(st.binary(max_size=200), st.sampled_from(["gzip", "zstd"]))
def test_any_octets_are_opened_or_refused(octets: bytes, encoding: str) -> None:
    try:
        inflated(octets, 1000, encoding)
    except DecodeError:
        return


def test_an_encoding_nobody_knows_is_refused() -> None:
    with pytest.raises(DecodeError, match="'br'"):
        inflated(b"x", 10, "br")
