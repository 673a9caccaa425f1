"""Procedures run by hand: each octet a master sends, in its order, and what it makes of each answer."""

from __future__ import annotations

import pytest

from meterway.base.errors import LinkError, RemoteProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Answer, Ask, LineSpeed, Procedure, heard
from meterway.stacks.mbus.link.frames import Ack, LongFrame
from meterway.stacks.mbus.link.procedures import (
    BAUD_CIS,
    MAX_TELEGRAMS,
    TRIES,
    CountBits,
    deselect,
    more_follows,
    read,
    reset,
    select,
    send,
    set_baud,
)

METER = Address.parse("KAM-12345678-01-07")
HEADER = METER.to_wired() + b"\x01\x00\x00\x00"
SILENCE, ACK = heard([]), heard([Ack()])


def told(records: str, ci: int = 0x72) -> Answer:
    return heard([LongFrame(control=8, address=5, ci=ci, data=HEADER + bytes.fromhex(records))])


def play(procedure: Procedure[object], *answers: Answer) -> tuple[list[str], object]:
    """Answer each question in turn; the octets asked (or the speed switched to) and the result."""
    asked: list[str] = []
    left = list(answers)
    try:
        step = next(procedure)
        while True:
            if not isinstance(step, Ask):
                asked.append(f"speed {step.baud}" if isinstance(step, LineSpeed) else str(step))
                step = next(procedure)
                continue
            asked.append(step.frame.encode().hex())
            step = procedure.send(SILENCE if step.quiet else left.pop(0))
    except StopIteration as end:
        assert not left
        return asked, end.value


@pytest.mark.covers("IF-M")
def test_a_reset_is_sent_three_times_at_most_and_once_to_all() -> None:
    bits = CountBits()
    assert play(reset(bits, 5), SILENCE, ACK) == (["1040054516"] * 2, True)
    assert play(reset(bits, 5), *[SILENCE] * TRIES) == (["1040054516"] * TRIES, False)
    assert play(reset(bits, 255)) == (["1040ff3f16"], True)
    assert play(deselect(bits), SILENCE) == (["1040fd3d16"], False)


@pytest.mark.covers("IF-M")
def test_a_secondary_address_is_selected_before_it_is_read_with_the_bit_set() -> None:
    asked, frames = play(read(CountBits(), METER), ACK, told("041301000000"))
    assert asked == ["680b0b6853fd52785634122d2c01071716", "107bfd7816"]
    assert isinstance(frames, list)
    assert len(frames) == 1


def test_the_bit_turns_with_each_answered_request_and_not_with_a_repeated_one() -> None:
    bits = CountBits()
    asked, _ = play(read(bits, 5), SILENCE, told("0413010000001F"), told("041302000000"))
    assert [octets[2:4] for octets in asked] == ["7b", "7b", "5b"]
    asked, _ = play(send(bits, 5, 0x51, b"\x01"), SILENCE, ACK)
    assert [octets[8:10] for octets in asked] == ["73", "73"]
    bits.reset(5)
    assert bits.control(0x5B, 5) == 0x7B
    assert bits.control(0x5B, 6) == 0x7B


@pytest.mark.parametrize(("records", "ci", "more"), [("1F", 0x72, True), ("0F", 0x72, False), ("1F", 0x73, False)])
def test_more_follows_only_where_the_records_say_so(records: str, ci: int, more: bool) -> None:
    frame = told(records, ci).frame
    assert frame is not None
    assert more_follows(frame) is more


def test_an_encrypted_answer_does_not_seem_to_go_on() -> None:
    data = METER.to_wired() + b"\x01\x00\x10\x05" + b"\x1f" * 16
    assert not more_follows(LongFrame(control=8, address=5, ci=0x72, data=data))


def test_a_meter_without_end_is_given_up() -> None:
    with pytest.raises(RemoteProtocolError, match="more than"):
        play(read(CountBits(), 5), *[told("1F")] * MAX_TELEGRAMS)


@pytest.mark.parametrize("baud", BAUD_CIS)
def test_line_and_meter_switch_speed_after_the_acknowledgement(baud: int) -> None:
    asked, _ = play(set_baud(CountBits(), 5, baud), ACK)
    assert asked[0][12:14] == f"{BAUD_CIS[baud]:02x}"
    assert asked[1] == f"speed {baud}"
    with pytest.raises(LinkError):
        play(set_baud(CountBits(), 5, baud), *[SILENCE] * TRIES)


def test_a_selection_that_nobody_acknowledges_is_an_error_of_the_line() -> None:
    assert play(select(CountBits(), METER.to_wired()), *[SILENCE] * TRIES)[1] == SILENCE
    with pytest.raises(LinkError, match="cannot be selected"):
        play(send(CountBits(), METER, 0x51), *[SILENCE] * TRIES)
