"""What is built is opened again, in every mode and on both links."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.build import Wrapping, radio_telegrams, wired_telegram
from meterway.stacks.mbus.ell import Ell
from meterway.stacks.mbus.records.record import make_record
from meterway.stacks.mbus.telegram import Telegram, decode

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)
KEY = bytes(range(16))
RECORDS = [make_record(b"\x13", 12.345, 4), make_record(b"\x13", 11.0, 4, storage=1)]
ELLS = [
    None,
    Ell(ci=0x8C, control=0x20, access=1),
    Ell(ci=0x8D, control=0x20, access=1, session=1 << 29 | 77),
    Ell(ci=0x8E, control=0x20, access=1, address=METER),
]


def opened(frames: list[bytes]) -> Telegram:
    waiting: dict[Address, object] = {}
    return [decode(frame, keys=[KEY], fragments=waiting) for frame in frames][-1]  # type: ignore[arg-type]


@pytest.mark.covers("IF-M", "SEC-04")
@settings(max_examples=60)
@given(
    st.sampled_from([0, 5, 7, 8, 9, 10]),
    st.sampled_from(ELLS),
    st.booleans(),
    st.sampled_from(["bare", "A", "B"]),
    st.integers(1, 12),
)
def test_radio_telegrams_of_every_mode_are_opened(
    mode: int, ell: Ell | None, long: bool, coding: str, times: int
) -> None:
    wrapping = Wrapping(sender=METER, mode=mode, key=KEY, counter=9, long=long, ell=ell)
    frames = radio_telegrams(wrapping, RECORDS * times, access=3, coding=coding)
    telegram = opened(frames)
    assert [record.value for record in telegram.records] == [12.345, 11.0] * times
    assert telegram.device == METER
    assert telegram.protection.mode == mode


def test_a_message_too_long_for_a_frame_goes_in_fragments_where_the_mode_allows() -> None:
    wrapping = Wrapping(sender=METER, mode=8, key=KEY, counter=9)
    frames = radio_telegrams(wrapping, RECORDS * 60, access=3)
    assert len(frames) == 4
    telegram = opened(frames)
    assert len(telegram.records) == 120
    assert telegram.afl is not None
    assert telegram.afl.message_control == 0x65
    with pytest.raises(LocalProtocolError, match="255"):
        radio_telegrams(Wrapping(sender=METER), RECORDS * 60, access=3)


@pytest.mark.parametrize("mode", [0, 5, 7, 8, 9, 10])
def test_wired_answers_of_every_mode_are_opened(mode: int) -> None:
    wrapping = Wrapping(sender=METER, mode=mode, key=KEY, counter=9, long=True)
    telegram = decode(wired_telegram(wrapping, RECORDS, primary=5, access=3), keys=[KEY])
    assert [record.value for record in telegram.records] == [12.345, 11.0]
    if mode:
        with pytest.raises(SecurityError):
            decode(wired_telegram(wrapping, RECORDS, primary=5, access=3), keys=[bytes(16)])


def test_a_mode_without_its_counter_and_a_wired_short_header_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="message counter"):
        radio_telegrams(Wrapping(sender=METER, mode=10, key=KEY), RECORDS, access=1)
    with pytest.raises(LocalProtocolError, match="long header"):
        wired_telegram(Wrapping(sender=METER), RECORDS, primary=1, access=1)
