"""A slave answers what is meant for it, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.frames import ACK, LongFrame, ShortFrame
from meterway.stacks.mbus.link.slave import Slave, matches

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)


class Host:
    def user_data(self) -> list[tuple[int, bytes]]:
        return [(0x78, b"\x2f")]

    def alarm(self) -> tuple[int, bytes] | None:
        return None

    def received(self, ci: int, data: bytes) -> bool:
        return True


def answer(slave: Slave, frame: ShortFrame | LongFrame) -> bytes:
    slave.receive_data(frame.encode(), 0.0)
    return slave.data_to_send()


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_a_nibble_f_matches_anything_and_any_other_only_itself(pattern: bytes, address: bytes) -> None:
    digits = zip(pattern.hex(), address.hex(), strict=True)
    expected = all(wanted in ("f", have) for wanted, have in digits)
    assert matches(pattern, Address.from_wired(address)) == expected
    assert matches(address, Address.from_wired(address))
    assert not matches(pattern[:7], Address.from_wired(address))


def test_a_selection_of_another_meter_takes_the_selection_away() -> None:
    slave = Slave(Host(), primary=1, secondary=METER)
    request = ShortFrame(control=0x5B, address=253)
    assert answer(slave, request) == b""
    chosen = LongFrame(control=0x53, address=253, ci=0x52, data=METER.to_wired())
    assert answer(slave, chosen) == ACK
    assert answer(slave, request)
    assert answer(slave, LongFrame(control=0x53, address=253, ci=0x52, data=bytes(8))) == b""
    assert answer(slave, request) == b""


def test_a_reset_at_253_deselects_and_at_255_nobody_answers() -> None:
    slave = Slave(Host(), primary=1, secondary=METER)
    answer(slave, LongFrame(control=0x53, address=253, ci=0x52, data=METER.to_wired()))
    assert answer(slave, ShortFrame(control=0x40, address=253)) == ACK
    assert not slave.selected
    assert answer(slave, ShortFrame(control=0x40, address=255)) == b""
    assert answer(slave, ShortFrame(control=0x40, address=1)) == ACK
    assert answer(slave, ShortFrame(control=0x40, address=2)) == b""


@given(st.binary(max_size=60))
def test_noise_is_not_answered(octets: bytes) -> None:
    slave = Slave(Host(), primary=77, secondary=METER)
    slave.receive_data(bytes(octet for octet in octets if octet not in (0x10, 0x68)), 0.0)
    assert slave.data_to_send() == b""
    slave.handle_timeout(1.0)
    assert slave.next_timeout() is None
    assert answer(slave, ShortFrame(control=0x5A, address=77)) == ACK


def test_a_primary_address_beyond_250_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Slave(Host(), primary=253, secondary=METER)
