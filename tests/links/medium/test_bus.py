from __future__ import annotations

import pytest

from mbus_bench import KnownMeter, address_of, bus_of
from meterway.links.medium.bus import BusSettings, SimulatedBus
from meterway.links.memory import MemoryLine
from meterway.stacks.mbus.link.exchange import Found, Procedure
from meterway.stacks.mbus.link.frames import LongFrame, ShortFrame
from meterway.stacks.mbus.link.master import Done, Failed, Master
from meterway.stacks.mbus.link.procedures import read, set_baud
from meterway.stacks.mbus.link.search import scan_primary, search_bauds, search_secondary
from meterway.stacks.mbus.link.slave import Slave

NKE_5 = ShortFrame(control=0x40, address=5).encode()
NKE_ALL = ShortFrame(control=0x40, address=254).encode()
READ_ALL = ShortFrame(control=0x5B, address=254).encode()


def run(bus: SimulatedBus, procedure: Procedure[object], master: Master, limit_s: float = 100_000.0) -> object:
    """Run a procedure over a line in memory; the bus is told the speeds that the master switches to."""
    outcome: list[object] = []

    def on_event(event: object) -> None:
        if isinstance(event, Done):
            outcome.append(event.result)
        elif isinstance(event, Failed):
            raise event.error
        elif not isinstance(event, Found):
            bus.baud = master.baud

    line = MemoryLine(master, bus, on_left=on_event)
    master.start(procedure, 0.0)
    for second in range(0, int(limit_s), 10):
        line.run(float(second))
        if outcome:
            return outcome[0]
    raise AssertionError("the procedure did not end")


def ask(bus: SimulatedBus, octets: bytes, now: float = 0.0) -> bytes:
    bus.receive_data(octets, now)
    return bus.data_to_send()


def test_one_slave_answers_and_others_are_silent() -> None:
    bus = bus_of(10)
    assert ask(bus, NKE_5) == b"\xe5"
    assert ask(bus, ShortFrame(control=0x40, address=77).encode()) == b""
    assert bus.statistics.answers == 1
    assert bus.statistics.octets_from_master == 10


@pytest.mark.covers("IF-M")
def test_several_answers_at_once_are_garbage() -> None:
    bus = bus_of(5)
    assert ask(bus, NKE_ALL) != b"\xe5"
    noise = ask(bus, READ_ALL)
    assert noise
    assert bus.statistics.collisions == 2
    with pytest.raises(ValueError, match=r".+"):
        _ = LongFrame(control=0, address=0, ci=0).encode().index(noise)


def test_answers_in_step_are_overlaid_bit_by_bit() -> None:
    bus = bus_of(2, BusSettings(answer_bits=(11, 11)))
    assert ask(bus, NKE_ALL) == b"\xe5"
    answers = [
        LongFrame(control=8, address=number, ci=0x72, data=KnownMeter(address_of(number)).user_data()[0][1]).encode()
        for number in range(2)
    ]
    assert ask(bus, READ_ALL) == bytes(one & other for one, other in zip(*answers, strict=True))


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("seed", range(3))
def test_a_secondary_search_finds_100_of_100_meters(seed: int) -> None:
    bus = bus_of(100, BusSettings(seed=seed))
    master = Master(baud=2400, latency_s=0.0)
    found = run(bus, search_secondary(master.bits), master)
    assert isinstance(found, list)
    assert {each.secondary.ident for each in found} == {address_of(number).ident for number in range(100)}


def test_a_primary_scan_finds_meters_and_a_shared_address() -> None:
    bus = bus_of(3)
    bus.attach(Slave(KnownMeter(address_of(77)), primary=2, secondary=address_of(77)))
    master = Master(latency_s=0.0)
    found = run(bus, scan_primary(master.bits, range(6)), master)
    assert isinstance(found, list)
    assert [(each.primary, each.conflict) for each in found] == [(0, False), (1, False), (2, True)]


def test_a_slave_is_deaf_at_another_speed_and_can_be_switched() -> None:
    bus = bus_of(1)
    master = Master(latency_s=0.0)
    run(bus, set_baud(master.bits, 0, 9600), master)
    assert (bus.baud, bus.slaves[0].baud) == (9600, 9600)
    assert ask(bus, ShortFrame(control=0x40, address=0).encode()) == b"\xe5"
    bus.baud = 2400
    assert ask(bus, ShortFrame(control=0x40, address=0).encode()) == b""


def test_a_search_over_speeds_finds_meters_where_they_listen() -> None:
    bus = SimulatedBus()
    for number, baud in enumerate((300, 2400, 9600)):
        bus.attach(Slave(KnownMeter(address_of(number)), primary=number, secondary=address_of(number)), baud=baud)
    master = Master(latency_s=0.0)
    found = run(bus, search_bauds(master.bits, range(3), (300, 2400, 9600)), master)
    assert isinstance(found, dict)
    assert {baud: [each.primary for each in there] for baud, there in found.items()} == {300: [0], 2400: [1], 9600: [2]}


@pytest.mark.parametrize("baud", [300, 2400])
def test_in_real_time_octets_take_their_bit_times(baud: int) -> None:
    bus = SimulatedBus(BusSettings(real_time=True, baud=baud, answer_bits=(20, 20)))
    bus.attach(Slave(KnownMeter(address_of(1), size=100), primary=5, secondary=address_of(1)), baud=baud)
    bus.receive_data(ShortFrame(control=0x5B, address=5).encode(), 1000.0)
    assert bus.data_to_send() == b""
    begin = 1000.0 + (5 * 11 + 20) / baud
    chunk = 1 if baud == 300 else 2
    first = bus.next_timeout()
    assert first == pytest.approx(begin + chunk * 11 / baud)
    assert first is not None
    bus.handle_timeout(first)
    heard = bus.data_to_send()
    assert len(heard) == chunk
    while (due := bus.next_timeout()) is not None:
        first = due
        bus.handle_timeout(due)
    heard += bus.data_to_send()
    assert len(heard) == 121
    assert first == pytest.approx(begin + 121 * 11 / baud)


def test_a_master_reads_in_real_time_at_300_baud() -> None:
    bus = SimulatedBus(BusSettings(real_time=True, baud=300, answer_bits=(11, 330)))
    bus.attach(Slave(KnownMeter(address_of(1), size=200), primary=5, secondary=address_of(1)), baud=300)
    master = Master(baud=300, latency_s=0.05)
    frames = run(bus, read(master.bits, 5), master)
    assert isinstance(frames, list)
    assert len(frames[0].data) == 212


def test_an_echo_comes_before_the_answer() -> None:
    assert ask(bus_of(10, BusSettings(echo=True)), NKE_5) == NKE_5 + b"\xe5"


def test_noise_is_repeatable_by_seed_and_a_master_reads_through_a_little_of_it() -> None:
    def heard(seed: int) -> list[bytes]:
        bus = bus_of(10, BusSettings(seed=seed, damaged=0.05))
        return [ask(bus, ShortFrame(control=0x5B, address=3).encode(), now=float(number)) for number in range(50)]

    assert heard(1) == heard(1) != heard(2)
    bus = bus_of(10, BusSettings(damaged=0.002, lost=0.05))
    master = Master(latency_s=0.0)
    for _ in range(20):
        assert run(bus, read(master.bits, 3), master)
    assert bus.statistics.damaged + bus.statistics.lost > 0


def test_a_lost_answer_is_counted() -> None:
    bus = bus_of(10, BusSettings(lost=1.0))
    assert ask(bus, NKE_5) == b""
    assert bus.statistics.lost == 1


def test_a_converter_that_checks_parity_passes_less_of_a_collision() -> None:
    loose, strict = (ask(bus_of(20, BusSettings(drop_bad_parity=drop)), READ_ALL) for drop in (False, True))
    assert len(strict) < len(loose)


def test_half_a_frame_is_forgotten_when_the_line_was_quiet() -> None:
    bus = bus_of(10)
    assert ask(bus, NKE_5[:3], now=1.0) == b""
    assert ask(bus, NKE_5[3:], now=1.01) == b"\xe5"
    assert ask(bus, b"\x68\x20\x20\x68", now=2.0) == b""
    assert ask(bus, NKE_5, now=3.0) == b"\xe5"


def test_a_master_that_left_hears_nothing_old() -> None:
    bus = SimulatedBus(BusSettings(real_time=True))
    bus.attach(Slave(KnownMeter(address_of(1)), primary=5, secondary=address_of(1)))
    bus.receive_data(NKE_5, 0.0)
    bus.receive_data(b"", 0.01)
    assert bus.next_timeout() is None
    assert bus.next_event() is None
