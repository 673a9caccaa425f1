import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.wrapper import WrapperFrame, decode_datagram

# Own transcript of a GET request for the clock (client 16, server 1).
GET_CLOCK = bytes.fromhex("000100100001000dc001c100080000010000ff0200")
PORTS = st.integers(0, 0xFFFF)


@pytest.mark.covers("IF-I")
def test_a_get_request_is_taken_apart_and_put_together_again() -> None:
    frame = decode_datagram(GET_CLOCK)
    assert (frame.source, frame.destination) == (16, 1)
    assert frame.apdu == bytes.fromhex("c001c100080000010000ff0200")
    assert frame.encode() == GET_CLOCK


@given(PORTS, PORTS, st.binary(max_size=300))
def test_every_frame_comes_back_as_it_went(source: int, destination: int, apdu: bytes) -> None:
    frame = WrapperFrame(source=source, destination=destination, apdu=apdu)
    assert decode_datagram(frame.encode()) == frame


@given(st.binary(max_size=40))
def test_any_octets_are_a_frame_or_a_decode_error(octets: bytes) -> None:
    try:
        frame = decode_datagram(octets)
    except DecodeError:
        return
    assert frame.encode() == octets


@pytest.mark.parametrize(
    ("octets", "kind", "offset"),
    [
        ("", "truncated", 0),
        ("00010010", "truncated", 4),
        ("0002001000010000", "version", 0),
        ("000100100001000201", "truncated", 8),
        ("00010010000100010102", "trailing", 9),
    ],
)
def test_a_faulty_datagram_says_what_is_wrong_and_where(octets: str, kind: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_datagram(bytes.fromhex(octets))
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


def test_decoding_stops_at_the_end_of_the_frame() -> None:
    reader = Reader(GET_CLOCK + b"more")
    WrapperFrame.decode(reader)
    assert reader.rest() == b"more"


def test_an_apdu_too_long_for_the_length_field_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="65536"):
        WrapperFrame(source=1, destination=2, apdu=bytes(65536)).encode()
