"""The gateway prefix on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.gateway.prefix import MAX_ADDRESS, REQUEST, RESPONSE, GatewayAddress, split
from meterway.stacks.dlms.xdlms.ciphered import GatewayApdu

pytestmark = pytest.mark.covers("IF-C")


@given(
    st.sampled_from([REQUEST, RESPONSE]),
    st.binary(min_size=1, max_size=MAX_ADDRESS),
    st.integers(0, 255),
    st.binary(min_size=1, max_size=40),
)
def test_what_is_prefixed_splits_again_and_decodes_as_an_apdu(
    tag: int, address: bytes, network: int, apdu: bytes
) -> None:
    device = GatewayAddress(address, network)
    octets = device.prefix(tag) + apdu
    assert split(octets) == (device, apdu)
    assert decode_apdu(octets) == GatewayApdu(tag=tag, network_id=network, address=address, apdu=apdu)


def test_the_octets_are_tag_network_length_and_address() -> None:
    assert GatewayAddress(b"AB\x01", 7).prefix(REQUEST).hex() == "e60703414201"


@given(st.binary(max_size=200))
def test_any_octets_split_or_are_refused(octets: bytes) -> None:
    try:
        device, apdu = split(b"\xe6" + octets)
    except DecodeError:
        return
    assert device.prefix(REQUEST) + apdu == b"\xe6" + octets


@pytest.mark.parametrize(
    ("octets", "offset"),
    [("e6", 1), ("e600", 2), ("e60000c0", 2), ("e60080", 2), ("e60003aabb", 3), ("e60002aabb", 5)],
)
def test_a_prefix_that_is_not_whole_names_the_place(octets: str, offset: int) -> None:
    with pytest.raises(DecodeError) as refused:
        split(bytes.fromhex(octets))
    assert refused.value.offset == offset


@pytest.mark.parametrize(("address", "network"), [(b"", 0), (bytes(128), 0), (b"a", 256), (b"a", -1)])
def test_an_address_that_cannot_be_sent_is_refused(address: bytes, network: int) -> None:
    with pytest.raises(LocalProtocolError):
        GatewayAddress(address, network)
