import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.stacks.neighbourhood.lbp import Lbp, LbpKind
from meterway.stacks.neighbourhood.lbp.message import eap_of, eap_to_lbp

EUI = b"METER001"


@given(st.sampled_from(LbpKind), st.binary(min_size=8, max_size=8), st.binary(max_size=60))
def test_every_message_comes_back(kind, eui, data):
    message = Lbp(kind=kind, eui=eui, data=data)
    assert Lbp.decode(message.encode()) == message


def test_the_codes():
    """As Microchip's and Phoenix Systems' G3 stacks have them."""
    codes = {kind.name: Lbp(kind=kind, eui=EUI).encode()[:2].hex() for kind in LbpKind}
    assert codes == {
        "JOINING": "1000",
        "KICK_BY_DEVICE": "4000",
        "ACCEPTED": "9000",
        "CHALLENGE": "a000",
        "DECLINE": "b000",
        "KICK": "c000",
    }
    assert [kind.is_to_device for kind in LbpKind] == [False, False, True, True, True, True]


@given(st.binary(max_size=30))
def test_any_octets_are_a_message_or_a_decode_error(octets):
    try:
        message = Lbp.decode(octets)
    except DecodeError as error:
        assert error.kind in ("truncated", "code")
        return
    assert message.encode()[2:] == octets[2:]


def test_eap_has_its_code_two_bits_higher():
    assert eap_to_lbp(bytes.fromhex("01050004")).hex() == "04050004"
    assert eap_of(bytes.fromhex("0c050004")).hex() == "03050004"
    for data in (b"", b"\x27\x00", b"\x02"):
        with pytest.raises(DecodeError):
            eap_of(data)
