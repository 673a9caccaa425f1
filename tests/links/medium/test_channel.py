import pytest

from meterway.links.medium.channel import airtime_s, octets_on_air, overlap, sensitivity_dbm, signature
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.wireless.frames import encode_radio
from meterway.stacks.mbus.wireless.modes import MODES, duration_s

ADDRESS = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 100, 200])
@pytest.mark.parametrize("coding", ["A", "B"])
def test_a_frame_with_its_checks_has_the_octets_it_has(size: int, coding: str) -> None:
    frame = encode_radio(0x44, ADDRESS, bytes(range(size)), coding)
    assert octets_on_air(frame) == len(frame)


@pytest.mark.parametrize("size", [1, 6, 15, 16, 17, 32, 100, 200])
def test_a_frame_without_checks_is_as_long_on_the_air_as_in_format_a(size: int) -> None:
    bare = encode_radio(0x44, ADDRESS, bytes(size))
    assert octets_on_air(bare) == len(encode_radio(0x44, ADDRESS, bytes(size), "A"))


def test_time_on_the_air_is_that_of_the_norm_and_a_trailer() -> None:
    frame = encode_radio(0x44, ADDRESS, bytes(30), "A")
    for mode in MODES.values():
        assert airtime_s(mode, frame) == pytest.approx(duration_s(mode, frame) + 8 / mode.chip_rate)


def test_octets_that_are_no_frame_last_as_long_as_they_are() -> None:
    assert octets_on_air(b"\x00") == 1
    assert octets_on_air(b"\xff" * 20) == 20


def test_neighbouring_channels_disturb_at_868_and_not_at_169_mhz() -> None:
    assert overlap(868_300_000, 868_330_000)
    assert not overlap(868_300_000, 868_950_000)
    assert not overlap(169_406_250, 169_418_750)


def test_slow_modes_are_heard_farther_and_modes_of_one_kind_share_a_receiver() -> None:
    assert sensitivity_dbm(MODES["N1c"]) < sensitivity_dbm(MODES["S1"]) < sensitivity_dbm(MODES["T1"]) < -100
    assert signature(MODES["S1"]) == signature(MODES["S2"]) == signature(MODES["T2 down"])
    assert signature(MODES["T1"]) != signature(MODES["C1"])
