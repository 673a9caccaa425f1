"""The LLC frame of IEC 61334-4-32."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.neighbourhood.llc432 import Lpdu


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=40))
def test_a_frame_comes_back(destination, source, apdu):
    lpdu = Lpdu(destination=destination, source=source, apdu=apdu)
    assert Lpdu.decode(Reader(lpdu.encode())) == lpdu


@pytest.mark.covers("IF-C")
def test_destination_stands_before_source():
    """As PLCTool (TarlogicSecurity, BSD) composes it downlink: 90, then 01 (management device), then 02 (client)."""
    assert Lpdu(destination=1, source=2, apdu=b"\xc0").encode() == bytes.fromhex("900102c0")


@pytest.mark.parametrize(("octets", "kind"), [(b"", "truncated"), (b"\x90\x01", "truncated"), (b"\x10\x01\x02", "llc")])
def test_what_is_no_frame_is_told(octets, kind):
    with pytest.raises(DecodeError) as told:
        Lpdu.decode(Reader(octets))
    assert told.value.kind == kind


def test_an_lsap_that_does_not_fit_is_refused():
    with pytest.raises(LocalProtocolError):
        Lpdu(destination=256, source=1, apdu=b"").encode()
