"""The clock of a site is that of the machine and its own offset, whatever time the engine is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.tabled import Ask, Attr, Right, SitedDevice, Thing
from meterway.stacks.dlms.tabled.table import clock, date_time
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

CLOCK = Obis(0, 0, 1, 0, 0)


class Owner(NamedTuple):
    client: int


class House:
    clock_offset_s = 3600.0

    def title(self, channel: int) -> bytes:
        return b"MWY0000" + bytes((channel,))


class Counters:
    def sending(self, party: Owner, channel: int) -> SendCounter:
        return SendCounter()

    def receiving(self, party: Owner, channel: int) -> ReceivedCounter:
        return ReceivedCounter()


class Device(SitedDevice[House, Owner]):
    def _party(self, client: int) -> Owner | None:
        return Owner(client)

    def _keys(self, party: Owner) -> Keys:
        return Keys(bytes(16), bytes(16))

    def _may(self, party: Owner, right: Right, key: tuple[int, Obis]) -> bool:
        return True

    def _made(self, ask: Ask[House, Owner]) -> Iterable[Thing[Ask[House, Owner]]]:
        return [clock(Attr(lambda asked: date_time(asked.now)))]

    def noticed(self, client: int, kind: str, now: float) -> None:
        raise NotImplementedError


def test_the_clock_is_the_machines_and_the_offset() -> None:
    device = Device(House(), 3, counters=Counters(), unix=lambda: 1_795_467_600.0)
    answer = device.get(1, AttributeDescriptor(8, CLOCK, 2), None, 17.0)
    assert answer == axdr.encode(date_time(1_795_471_200))
    assert device.system_title == b"MWY0000\x03"
