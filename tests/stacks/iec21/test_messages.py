"""The messages of IEC 62056-21 against readouts of real meters that others have published."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.stacks.iec21.messages import DataMessage, DataSet, Identification, OptionSelect, SignOn, bcc

pytestmark = pytest.mark.covers("P13", "E-LOCAL")

E350 = (
    b"\x02F.F(00)\r\n0.0(          120858)\r\nC.1.0(13647123)\r\nC.1.1(        )\r\n1.8.1(042951.721*kWh)\r\n"
    b"1.8.2(018609.568*kWh)\r\n2.8.1(000000.302*kWh)\r\n2.8.2(000010.188*kWh)\r\n1.8.0(061561.289*kWh)\r\n"
    b"2.8.0(000010.490*kWh)\r\n15.8.0(061571.780*kWh)\r\nC.7.0(0008)\r\n32.7(241*V)\r\n52.7(243*V)\r\n72.7(242*V)\r\n"
    b"31.7(000.35*A)\r\n51.7(000.52*A)\r\n71.7(000.47*A)\r\n82.8.1(0000)\r\n82.8.2(0000)\r\n0.2.0(M26)\r\n"
    b"C.5.0(0401)\r\n!\r\n\x03\x01"
)
"""A readout of an electricity meter in mode C, with the check character the meter sent."""


def test_a_published_readout_is_read_with_its_check_character_and_comes_back_the_same() -> None:
    read = DataMessage.decode(E350)
    assert len(read.sets) == 22
    assert read.find("1.8.0") == DataSet(address="1.8.0", value="061561.289", unit="kWh")
    assert read.sets[8].number == Decimal("61561.289")
    assert read.find("C.1.0") == DataSet(address="C.1.0", value="13647123")
    assert read.find("9.9.9") is None
    assert read.encode() == E350


def test_parity_bits_that_came_through_are_taken_off() -> None:
    with_parity = bytes(octet | (octet.bit_count() & 1) << 7 for octet in E350)
    assert DataMessage.decode(with_parity) == DataMessage.decode(E350)


def test_several_values_stand_on_one_line_and_behind_one_address() -> None:
    body = b"6.8(0029.055*MWh)6.26(01589.28*m3)9.21(00010213)\r\n1-1:1.6.1(27.19*kW)(1702090945)\r\n!\r\n\x03"
    read = DataMessage.decode(b"\x02" + body + bytes((bcc(body),)))
    assert [one.address for one in read.sets] == ["6.8", "6.26", "9.21", "1-1:1.6.1", ""]
    assert read.sets[4].value == "1702090945"


@pytest.mark.parametrize(
    ("line", "maker", "speed", "modes", "ident", "baud"),
    [
        (b"/LGZ4ZMF100AC.M26\r\n", "LGZ", "4", "", "ZMF100AC.M26", 4800),
        (b"/LGZ5\\2ZMD3104107.B40\r\n", "LGZ", "5", "2", "ZMD3104107.B40", 9600),
        (b"/ISk5MT174-0001\r\n", "ISk", "5", "", "MT174-0001", 9600),
        (b"/ACE0\\3k260V01.18\r\n", "ACE", "0", "3", "k260V01.18", 300),
        (b"/EMHEabc\r\n", "EMH", "E", "", "abc", 9600),
    ],
)
def test_published_identifications(line: bytes, maker: str, speed: str, modes: str, ident: str, baud: int) -> None:
    read = Identification.decode(line)
    assert (read.maker, read.speed, read.modes, read.ident, read.baud) == (maker, speed, modes, ident, baud)
    assert read.is_mode_c is speed.isdigit()
    assert read.encode() == line


def test_sign_on_and_option_are_as_everybody_sends_them() -> None:
    assert SignOn().encode() == b"/?!\r\n"
    assert SignOn.decode(b"/?00123!\r\n").address == "00123"
    assert OptionSelect(speed="5").encode() == b"\x06050\r\n"
    assert OptionSelect.decode(b"\x06041\r\n").wanted == "1"


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (E350[:-1] + b"\x02", "bcc"),
        (E350[:-1], "truncated"),
        (b"", "truncated"),
        (b"\x021.8.0(1)\r\n\x03" + bytes((bcc(b"1.8.0(1)\r\n\x03"),)), "truncated"),
        (b"\x021.8.0(1\r\n!\r\n\x03" + bytes((bcc(b"1.8.0(1\r\n!\r\n\x03"),)), "data-set"),
        (b"\x021.8.0(1)!\r\n\x03" + bytes((bcc(b"1.8.0(1)!\r\n\x03"),)), "data-set"),
    ],
)
def test_what_is_damaged_is_refused_by_kind(octets: bytes, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        DataMessage.decode(octets)
    assert caught.value.kind == kind


TEXT = st.text(st.sampled_from("0123456789.:-ABCF"), max_size=12)
SETS = st.builds(DataSet, address=TEXT, value=TEXT, unit=st.sampled_from(["", "kWh", "m3"]))


@given(st.lists(st.lists(SETS, min_size=1, max_size=3).map(tuple), max_size=5).map(tuple))
def test_what_is_written_is_read_back(lines: tuple[tuple[DataSet, ...], ...]) -> None:
    message = DataMessage(lines=lines)
    assert DataMessage.decode(message.encode()) == message


@given(st.binary(max_size=120))
def test_noise_raises_our_errors_only(octets: bytes) -> None:
    body = octets + b"!\r\n\x03"
    for kind in (DataMessage, Identification, SignOn, OptionSelect):
        for given_octets in (octets, b"\x02" + body + bytes((bcc(body),))):
            try:
                kind.decode(given_octets)
            except DecodeError:
                continue


@pytest.mark.parametrize(
    "unfit",
    [
        SignOn(address="ä"),
        Identification(maker="lgz", speed="5", ident="x"),
        OptionSelect(speed="?"),
        DataMessage(lines=((DataSet(address="1(", value="1"),),)),
    ],
)
def test_what_cannot_be_sent_is_refused(unfit: SignOn | Identification | OptionSelect | DataMessage) -> None:
    with pytest.raises(LocalProtocolError):
        unfit.encode()


def test_a_value_that_is_no_number_is_none() -> None:
    assert DataSet(address="1", value="NaN").number is None
    assert DataSet(address="1", value="").number is None
