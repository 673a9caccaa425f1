import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.eap_psk.message import (
    Eap,
    EapCode,
    First,
    Fourth,
    Protected,
    Result,
    Sealed,
    Second,
    Third,
    method,
)

BLOCK = st.binary(min_size=16, max_size=16)
SEALED = st.builds(Sealed, nonce=st.integers(0, 2**32 - 1), tag=BLOCK, octets=st.binary(min_size=1, max_size=40))
REQUESTS = st.builds(First, rand_s=BLOCK, id_s=st.binary(max_size=30)) | st.builds(
    Third, rand_s=BLOCK, mac_s=BLOCK, channel=SEALED
)
RESPONSES = st.builds(Second, rand_s=BLOCK, rand_p=BLOCK, mac_p=BLOCK, id_p=st.binary(max_size=30)) | st.builds(
    Fourth, rand_s=BLOCK, channel=SEALED
)


@given(REQUESTS | RESPONSES, st.integers(0, 255))
def test_every_message_comes_back(message, identifier):
    code = EapCode.REQUEST if isinstance(message, First | Third) else EapCode.RESPONSE
    packet = Eap(code=code, identifier=identifier, data=message.encode())
    assert Eap.decode(packet.encode()) == packet
    assert method(packet) == message


@given(st.binary(max_size=80))
def test_any_octets_are_a_packet_or_a_decode_error(octets):
    try:
        packet = Eap.decode(octets)
        assert packet.encode() == octets
        method(packet)
    except DecodeError as error:
        assert error.kind


@given(st.sampled_from(Result), st.none() | st.binary(max_size=20))
def test_what_the_channel_says_comes_back(result, extension):
    said = Protected(result=result, extension=extension)
    assert Protected.decode(said.encode()) == said


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        ("01", "truncated"),
        ("05000004", "code"),
        ("01000005", "length"),
        ("0300000401", "length"),
        ("03000004", "code"),
        ("01000004", "truncated"),
        ("010000060100", "type"),
        ("010000062f40", "code"),
        ("010000062f00", "truncated"),
    ],
)
def test_what_cannot_be_read_says_why(octets, kind):
    with pytest.raises(DecodeError) as caught:
        method(Eap.decode(bytes.fromhex(octets)))
    assert caught.value.kind == kind


def test_a_channel_without_a_result_is_refused():
    with pytest.raises(DecodeError):
        Protected.decode(b"\x00")
