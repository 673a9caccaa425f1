"""Master and slave engines over one line: reading in several telegrams, repeating, switching, giving up."""

from __future__ import annotations

import pytest

from meterway.base.errors import LinkError, LocalProtocolError, RemoteProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Found, LineSpeed, Procedure
from meterway.stacks.mbus.link.frames import LongFrame
from meterway.stacks.mbus.link.master import Done, Failed, Master, MasterEvent
from meterway.stacks.mbus.link.procedures import CountBits, read, reset, send, set_baud
from meterway.stacks.mbus.link.search import scan_primary, search_secondary
from meterway.stacks.mbus.link.slave import Slave

METER = Address(manufacturer=0x2C2D, ident="12345678", version=1, device_type=7)
HEADER = METER.to_wired() + b"\x01\x00\x00\x00"


class Host:
    """A meter of three telegrams that remembers what it was sent."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, bytes]] = []
        self.reads = 0

    def user_data(self) -> list[tuple[int, bytes]]:
        self.reads += 1
        bodies = [bytes.fromhex("0413010000001F"), bytes.fromhex("0413020000001F"), bytes.fromhex("041303000000")]
        return [(0x72, HEADER + body) for body in bodies]

    def alarm(self) -> tuple[int, bytes] | None:
        return (0x71, b"\x04") if self.taken else None

    def received(self, ci: int, data: bytes) -> bool:
        self.taken.append((ci, data))
        return ci != 0x55


class Line:
    """One master and one slave; ``lose`` are the numbers of answers that never arrive."""

    def __init__(self, *, echo: bool = False, lose: tuple[int, ...] = (), spoil: tuple[int, ...] = ()) -> None:
        self.host = Host()
        self.slave = Slave(self.host, primary=5, secondary=METER)
        self.master = Master(echo=echo)
        self.echo, self.lose, self.spoil = echo, lose, spoil
        self.answers = 0
        self.sent: list[bytes] = []
        self.now = 0.0

    def run(self, procedure: Procedure[object]) -> list[MasterEvent]:
        self.master.start(procedure, self.now)
        events: list[MasterEvent] = []
        while True:
            while (event := self.master.next_event()) is not None:
                events.append(event)
            if not self.master.busy:
                return events
            self._turn()

    def _turn(self) -> None:
        octets = self.master.data_to_send()
        if octets:
            self.sent.append(octets)
            if self.echo:
                self.master.receive_data(octets, self.now)
            self.slave.receive_data(octets, self.now)
            answer = self.slave.data_to_send()
            if answer:
                self.answers += 1
                if self.answers in self.spoil:
                    answer = bytes((answer[0],)) + bytes(len(answer) - 1)
                if self.answers not in self.lose:
                    for octet in answer:
                        self.master.receive_data(bytes((octet,)), self.now)
        until = self.master.next_timeout()
        if until is not None:
            self.now = until
            self.master.handle_timeout(self.now)

    def result(self, procedure: Procedure[object]) -> object:
        last = self.run(procedure)[-1]
        assert isinstance(last, Done), last
        return last.result


def volumes(frames: object) -> list[int]:
    assert isinstance(frames, list)
    return [frame.data[14] for frame in frames if isinstance(frame, LongFrame)]


@pytest.mark.covers("IF-M")
@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("target", [5, METER, 254])
def test_a_read_out_of_three_telegrams_comes_whole(echo: bool, target: int | Address) -> None:
    line = Line(echo=echo)
    assert volumes(line.result(read(line.master.bits, target))) == [1, 2, 3]
    assert line.host.reads == 1


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("how", ["lose", "spoil"])
def test_a_lost_answer_is_repeated_and_none_is_skipped(lost: int, how: str) -> None:
    line = Line(lose=(lost,)) if how == "lose" else Line(spoil=(lost,))
    assert volumes(line.result(read(line.master.bits, 5))) == [1, 2, 3]
    assert line.host.reads == 1


def test_the_frame_count_bit_alternates_and_begins_set_after_a_reset() -> None:
    line = Line()
    line.result(reset(line.master.bits, 5))
    line.result(read(line.master.bits, 5))
    assert [octets[1] for octets in line.sent] == [0x40, 0x7B, 0x5B, 0x7B]


def test_user_data_is_acknowledged_once_and_a_refusal_is_an_error() -> None:
    line = Line(lose=(1,))
    line.result(send(line.master.bits, METER, 0x51, b"\x01\x7a\x09"))
    assert line.host.taken == [(0x51, b"\x01\x7a\x09")]
    failed = line.run(send(line.master.bits, 5, 0x55))[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, LinkError)
    line.result(send(line.master.bits, 255, 0x50))
    assert line.host.taken[-1] == (0x50, b"")


def test_alarms_are_asked_for_apart() -> None:
    line = Line()
    assert line.result(read(line.master.bits, 5, alarms=True)) == []
    line.host.taken.append((0, b""))
    frames = line.result(read(line.master.bits, 5, alarms=True))
    assert isinstance(frames, list)
    assert [frame.ci for frame in frames] == [0x71]


def test_meter_and_line_switch_speed_together() -> None:
    line = Line()
    events = line.run(set_baud(line.master.bits, 5, 9600))
    assert events == [LineSpeed(baud=9600), Done(result=None)]
    assert line.slave.next_event() == LineSpeed(baud=9600)
    assert line.master.baud == 9600
    assert isinstance(line.run(set_baud(line.master.bits, 5, 1234))[-1], Failed)


def test_a_meter_that_is_not_there_is_named() -> None:
    line = Line()
    for target in (9, Address(manufacturer=1, ident="00000001", version=0, device_type=0)):
        failed = line.run(read(line.master.bits, target))[-1]
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, LinkError)


def test_an_answer_that_is_no_frame_is_an_error_of_the_other_side() -> None:
    line = Line(spoil=(1, 2, 3))
    failed = line.run(read(line.master.bits, 5))[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, RemoteProtocolError)


def test_scan_and_search_run_on_the_engine_and_tell_what_they_find() -> None:
    line = Line()
    events = line.run(scan_primary(line.master.bits, range(8)))
    assert events[0] == Found(primary=5)
    events = line.run(search_secondary(line.master.bits))
    assert events[0] == Found(primary=5, secondary=METER)


def test_a_closed_line_ends_the_procedure_and_a_busy_bus_refuses_another() -> None:
    master = Master()
    master.start(read(CountBits(), 5), 0.0)
    with pytest.raises(LocalProtocolError):
        master.start(read(CountBits(), 6), 0.0)
    master.receive_data(b"", 0.0)
    event = master.next_event()
    assert isinstance(event, Failed)
    assert master.next_timeout() is None
    assert not master.busy
