"""The tree search finds every meter, whatever their addresses, with few selections."""

from __future__ import annotations

import random

import pytest

from meterway.base.errors import LinkError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Answer, Ask, Found, Heard, LineSpeed, Procedure, heard
from meterway.stacks.mbus.link.frames import Frame, LongFrame, ShortFrame, decode_frame
from meterway.stacks.mbus.link.procedures import CountBits
from meterway.stacks.mbus.link.search import scan_primary, search_bauds, search_secondary
from meterway.stacks.mbus.link.slave import Slave


class Meter:
    """A host whose answer tells who it is."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def user_data(self) -> list[tuple[int, bytes]]:
        return [(0x72, self.address.to_wired() + b"\x01\x00\x00\x00" + b"\x0c\x13\x00\x00\x00\x00")]

    def alarm(self) -> tuple[int, bytes] | None:
        return None

    def received(self, ci: int, data: bytes) -> bool:
        return True


class Bus:
    """Slaves on one pair of wires: what several send at once comes out as their octets overlaid."""

    def __init__(self, addresses: list[Address], *, baud: int = 2400) -> None:
        self.slaves = [Slave(Meter(one), primary=number % 250, secondary=one) for number, one in enumerate(addresses)]
        self.selects = 0
        self.baud = self.line = baud

    def ask(self, frame: Frame) -> Answer:
        if isinstance(frame, LongFrame) and frame.ci == 0x52:
            self.selects += 1
        answers = []
        for slave in self.slaves if self.line == self.baud else []:
            slave.receive_data(frame.encode(), 0.0)
            octets = slave.data_to_send()
            if octets:
                answers.append(octets)
        return heard(self._overlaid(answers))

    def _overlaid(self, answers: list[bytes]) -> list[Frame | bytes]:
        if not answers:
            return []
        if len(set(answers)) == 1:
            return [decode_frame(answers[0])]
        longest = max(answers, key=len)
        mixed = bytes(
            longest[place] & min(one[place] if place < len(one) else 255 for one in answers)
            for place in range(len(longest))
        )
        return [mixed[:-1] + bytes((mixed[-1] ^ 0xFF,))]

    def run(self, procedure: Procedure[object]) -> object:
        answer: Answer | None = None
        try:
            while True:
                step = procedure.send(answer) if answer is not None else next(procedure)
                answer = None
                while not isinstance(step, Ask):
                    if isinstance(step, LineSpeed):
                        self.line = step.baud
                    step = next(procedure)
                answer = Answer(heard=Heard.SILENCE) if step.quiet else self.ask(step.frame)
        except StopIteration as end:
            return end.value


def meters(idents: list[str], manufacturer: int = 0x2C2D) -> list[Address]:
    return [Address(manufacturer=manufacturer, ident=ident, version=1, device_type=7) for ident in idents]


def found_addresses(found: object) -> set[str]:
    assert isinstance(found, list)
    return {str(meter.secondary) for meter in found if isinstance(meter, Found)}


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("count", [1, 5, 20, 100])
@pytest.mark.parametrize("seed", range(3))
def test_all_meters_are_found_within_ten_selections_each(count: int, seed: int) -> None:
    drawn = random.Random(seed)
    addresses = [
        Address(
            manufacturer=drawn.randrange(0x421, 0x6B5A),
            ident=f"{drawn.randrange(10**8):08d}",
            version=drawn.randrange(256),
            device_type=drawn.choice([2, 3, 4, 6, 7, 8]),
        )
        for _ in range(count)
    ]
    bus = Bus(addresses)
    found = bus.run(search_secondary(CountBits()))
    assert found_addresses(found) == {str(address) for address in addresses}
    assert bus.selects <= 10 * count + 10


def test_a_delivery_with_consecutive_numbers_is_told_apart_by_the_last_digits() -> None:
    addresses = meters([f"{12345600 + number:08d}" for number in range(100)])
    bus = Bus(addresses)
    assert len(found_addresses(bus.run(search_secondary(CountBits())))) == 100
    assert bus.selects == 130 < selects_from_the_front(addresses)


def test_meters_that_differ_only_in_manufacturer_version_or_type_are_told_apart() -> None:
    base = meters(["11223344"])[0]
    others = [
        Address(manufacturer=0x4B2D, ident=base.ident, version=1, device_type=7),
        Address(manufacturer=base.manufacturer, ident=base.ident, version=0xAB, device_type=7),
        Address(manufacturer=base.manufacturer, ident=base.ident, version=1, device_type=0x0C),
    ]
    bus = Bus([base, *others])
    assert len(found_addresses(bus.run(search_secondary(CountBits())))) == 4


@pytest.mark.parametrize("odd", ["1122A344", "1122334B", "F1223344"])
def test_identification_numbers_with_letters_are_found(odd: str) -> None:
    addresses = meters(["11223344", odd])
    assert odd in str(found_addresses(Bus(addresses).run(search_secondary(CountBits()))))


def test_two_meters_of_one_address_are_reported_as_a_conflict() -> None:
    bus = Bus(meters(["11223344", "11223344"]))
    bus.slaves[1].primary = 99
    found = bus.run(search_secondary(CountBits()))
    assert isinstance(found, list)
    assert [(meter.conflict, str(meter.secondary)) for meter in found] == [(True, "KAM-11223344-01-07")]


def test_a_line_full_of_noise_ends_the_search_with_an_error() -> None:
    bus = Bus([])
    bus.ask = lambda frame: Answer(heard=Heard.GARBAGE, octets=b"\x55")  # type: ignore[method-assign]
    with pytest.raises(LinkError, match="noise"):
        bus.run(search_secondary(CountBits(), limit=500))


def test_a_search_can_be_narrowed_to_a_pattern() -> None:
    bus = Bus(meters(["11223344", "55667788"]))
    found = bus.run(search_secondary(CountBits(), bytes.fromhex("FFFF6655FFFFFFFF")))
    assert found_addresses(found) == {"KAM-55667788-01-07"}


def test_the_scan_of_primary_addresses_finds_each_slave_and_names_conflicts() -> None:
    bus = Bus(meters(["11223344", "55667788", "99887766"]))
    bus.slaves[0].primary, bus.slaves[1].primary, bus.slaves[2].primary = 5, 250, 250
    found = bus.run(scan_primary(CountBits()))
    assert isinstance(found, list)
    assert [meter.primary for meter in found] == [5, 250]


def test_the_speed_of_a_meter_is_found_by_trying_them() -> None:
    bus = Bus(meters(["11223344"]), baud=9600)
    found = bus.run(search_bauds(CountBits()))
    assert isinstance(found, dict)
    assert list(found) == [9600]


def test_short_frames_are_what_a_scan_sends() -> None:
    step = next(scan_primary(CountBits(), [7]))
    assert isinstance(step, Ask)
    assert step.frame == ShortFrame(control=0x40, address=7)


def selects_from_the_front(addresses: list[Address], digits: int = 16) -> int:
    """What the usual walk takes (libmbus): ten selections at every place, first digit first, where several answered."""
    names = [f"{address.ident}{address.to_wired()[4:].hex()}" for address in addresses]
    count, waiting = 0, [("", names)]
    while waiting:
        begun, among = waiting.pop()
        count += 10
        for digit in "0123456789":
            behind = [name for name in among if name.startswith(begun + digit)]
            if len(behind) > 1 and len(begun) + 1 < digits:
                waiting.append((begun + digit, behind))
    return count


def deliveries(drawn: random.Random, lots: int, each: int) -> list[Address]:
    """Meters as a building has them: some lots of one maker each, numbered one after the other."""
    out = []
    for _ in range(lots):
        maker, first = drawn.randrange(0x421, 0x6B5A), drawn.randrange(10**8 - each)
        out += meters([f"{first + number:08d}" for number in range(each)], maker)
    return out


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("lots", "each"), [(1, 100), (4, 25), (10, 10)])
def test_a_building_of_100_meters_takes_no_more_selections_than_the_usual_walk(lots: int, each: int, seed: int) -> None:
    addresses = deliveries(random.Random(seed), lots, each)
    bus = Bus(addresses)
    assert len(found_addresses(bus.run(search_secondary(CountBits())))) == 100
    assert bus.selects <= selects_from_the_front(addresses)


def test_over_drawn_addresses_it_takes_as_many_as_the_usual_walk() -> None:
    ours = theirs = 0
    for seed in range(20):
        drawn = random.Random(seed)
        addresses = meters([f"{drawn.randrange(10**8):08d}" for _ in range(100)])
        bus = Bus(addresses)
        assert len(found_addresses(bus.run(search_secondary(CountBits())))) == 100
        ours += bus.selects
        theirs += selects_from_the_front(addresses)
    assert ours <= 1.003 * theirs
