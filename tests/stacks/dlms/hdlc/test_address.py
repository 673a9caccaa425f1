import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.hdlc.address import HdlcAddress

ADDRESSES = st.one_of(
    st.builds(HdlcAddress, logical=st.integers(0, 127)),
    st.builds(HdlcAddress, logical=st.integers(0, 127), physical=st.integers(0, 127), size=st.just(2)),
    st.builds(HdlcAddress, logical=st.integers(0, 0x3FFF), physical=st.integers(0, 0x3FFF), size=st.just(4)),
)


@pytest.mark.parametrize(
    ("address", "octets"),
    [
        (HdlcAddress(logical=16), "21"),
        (HdlcAddress(logical=1, physical=17, size=2), "0223"),
        (HdlcAddress(logical=1, physical=17, size=4), "00020023"),
        (HdlcAddress(logical=0x1234, physical=0x3FFF, size=4), "4868feff"),
    ],
)
def test_an_address_has_seven_bits_in_every_octet(address: HdlcAddress, octets: str) -> None:
    assert address.encode().hex() == octets
    assert HdlcAddress.decode(Reader(bytes.fromhex(octets))) == address


@given(ADDRESSES, st.binary(max_size=3))
def test_every_address_comes_back_and_the_reader_stands_behind_it(address: HdlcAddress, rest: bytes) -> None:
    reader = Reader(address.encode() + rest)
    assert HdlcAddress.decode(reader) == address
    assert reader.rest() == rest


@given(st.binary(max_size=6))
def test_any_octets_are_an_address_or_a_decode_error(octets: bytes) -> None:
    reader = Reader(octets)
    try:
        address = HdlcAddress.decode(reader)
    except DecodeError:
        return
    assert address.encode() == octets[: reader.offset]


@pytest.mark.parametrize(
    ("octets", "kind"), [("", "truncated"), ("0202", "truncated"), ("020203", "address"), ("0202020203", "address")]
)
def test_an_address_of_the_wrong_size_is_refused(octets: str, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        HdlcAddress.decode(Reader(b"\x00" + bytes.fromhex(octets), 1))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("logical", "physical", "size"), [(128, 0, 1), (1, 1, 1), (1, 128, 2), (1, 0x4000, 4), (1, 0, 3), (-1, 0, 4)]
)
def test_a_part_that_does_not_fit_is_refused(logical: int, physical: int, size: int) -> None:
    with pytest.raises(ConfigError):
        HdlcAddress(logical=logical, physical=physical, size=size)


def test_a_frame_reaches_its_station_in_any_address_size() -> None:
    station = HdlcAddress(logical=1, physical=17, size=4)
    for meant in (station, HdlcAddress(logical=1, physical=17, size=2), HdlcAddress(logical=1)):
        assert meant.reaches(station)
    for everyone in (HdlcAddress(logical=0x7F), HdlcAddress(logical=0x3FFF, physical=0x3FFF, size=4)):
        assert everyone.reaches(station)
    for other in (HdlcAddress(logical=2), HdlcAddress(logical=1, physical=18, size=2)):
        assert not other.reaches(station)


def test_an_address_is_shown_by_its_parts() -> None:
    assert str(HdlcAddress(logical=16)) == "16"
    assert str(HdlcAddress(logical=1, physical=17, size=2)) == "1/17"
