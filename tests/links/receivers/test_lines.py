import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LinkError
from meterway.links.receivers.lines import LineCodec

# Lines in the form both programs print; the frame is made by hand.
FRAME = "1E442D2C785634120107780C13785634120B3B00000002FD170000046D0000A52B"
RTL_WMBUS = f"T1;1;1;2025-11-11 00:02:33.132835;139;178;12345678;0x{FRAME.lower()}\n".encode()
RTL_433 = (
    '{"time" : "2025-11-11 00:02:33", "model" : "Wireless-MBus", "mode" : "C", "M" : "KAM", "id" : 12345678, '
    f'"version" : 1, "type" : 7, "C" : 68, "data_length" : 31, "data" : "{FRAME.lower()}", "mic" : "CRC", "CI" : 120, '
    '"max_volume_flow_min_1" : "1.0 m3/min", "rssi" : -3.6, "snr" : 32.5}\n'
).encode()


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize(("line", "mode"), [(RTL_WMBUS, "T1"), (RTL_433, "C1")])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_line_is_a_frame_however_it_arrives(line: bytes, mode: str, size: int) -> None:
    codec = LineCodec()
    heard = [one for place in range(0, len(line), size) for one in codec.receive(line[place : place + size], 5.0)]
    (reception,) = heard
    assert reception.octets == bytes.fromhex(FRAME)
    assert (reception.mode, reception.time_s, reception.rssi_dbm, reception.simulated) == (mode, 5.0, None, False)


def test_lines_of_both_may_be_mixed_and_others_are_passed_over() -> None:
    codec = LineCodec()
    heard = codec.receive(b"rtl_433 version 23.11\n" + RTL_WMBUS + b"\r\n" + RTL_433 + b"Tuned to 868.950MHz.\n", 0.0)
    assert [one.mode for one in heard] == ["T1", "C1"]
    assert codec.rejected == 0


@pytest.mark.parametrize(
    "line",
    [
        RTL_WMBUS.replace(b"T1;1;1", b"T1;0;1"),
        RTL_WMBUS.replace(b"T1;1;1", b"T1;1;0"),
        RTL_WMBUS.replace(b"T1", b"X1"),
        RTL_WMBUS.replace(b"0x1e", b"0xzz"),
        RTL_433.replace(b"Wireless-MBus", b"Acurite-Tower"),
        RTL_433[:50] + b"\n",
        b'{"model" : "Wireless-MBus", "mode" : "T"}\n',
    ],
)
def test_a_line_that_is_damaged_or_of_something_else_is_rejected_and_counted(line: bytes) -> None:
    codec = LineCodec()
    assert codec.receive(line, 0.0) == []
    assert codec.rejected == 1


def test_a_line_without_end_is_dropped() -> None:
    codec = LineCodec()
    for _ in range(10):
        codec.receive(bytes(1000), 0.0)
    assert codec.rejected == 2
    assert len(codec.receive(b"\n" + RTL_WMBUS, 0.0)) == 1


def test_a_software_radio_does_not_send() -> None:
    assert LineCodec().setup() == b""
    with pytest.raises(LinkError, match="cannot send"):
        LineCodec().encode(bytes.fromhex(FRAME), "T1")


@given(st.binary(max_size=300), st.integers(0, len(RTL_433) - 1), st.integers(0, 255))
def test_whatever_comes_the_next_good_line_is_understood(junk: bytes, place: int, octet: int) -> None:
    codec = LineCodec()
    damaged = bytearray(RTL_433)
    damaged[place] = octet
    codec.receive(junk + b"\n" + damaged + b"\n", 0.0)
    assert len(codec.receive(RTL_WMBUS, 0.0)) == 1
