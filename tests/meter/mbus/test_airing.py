"""Many meters on one simulated air: each at its time, and each hears only what is meant for it."""

from __future__ import annotations

import pytest

from meterway.base.errors import LinkError
from meterway.links.medium.air import AirSettings, Station
from meterway.links.medium.memory import SimulatedPort, SimulatedRadio
from meterway.links.radio import OnReception, Reception
from meterway.meter.mbus.airing import Airing
from meterway.meter.mbus.api import hears
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import Alarm, MbusMeter
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.valve import Valve
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.application import Switch, switch
from meterway.stacks.mbus.build import Wrapping, transport
from meterway.stacks.mbus.telegram import decode
from meterway.stacks.mbus.wireless.frames import decode_radio, encode_radio
from meterway.stacks.mbus.wireless.modes import MODES

NOW = 1_795_446_000.0
KEY = bytes(range(16))
GATEWAY = Address(manufacturer=0x36F9, ident="99999999", version=1, device_type=0x31)


class Street:
    """Meters and one gateway within a few metres, on a clock of their own; nothing is lost by chance."""

    def __init__(self, meters: list[MbusMeter]) -> None:
        self.radio = SimulatedRadio(MODES, AirSettings(fading_db=0.0), start=NOW)
        self.heard: list[Reception] = []
        self.kept = 0
        self.gateway = self.radio.join(Station(name="gateway", hears=frozenset(("T1", "C1", "S2"))))
        self.gateway.listen(self.heard.append)
        self.airing = Airing(meters, self.place, NOW, keep=self.keep)
        self.wake()

    def place(self, meter: MbusMeter) -> SimulatedPort:
        return self.radio.join(Station(name=str(meter.address), place=(5.0, 0.0, 0.0), hears=hears(meter.config)))

    def keep(self, meter: MbusMeter) -> None:
        self.kept += 1

    def wake(self) -> None:
        due = self.airing.next_due()
        if due is not None:
            self.radio.call_at(due, self.step)

    def step(self) -> None:
        self.airing.run(self.radio.now)
        self.wake()


def meters(count: int, **more: object) -> list[MbusMeter]:
    return [
        MbusMeter(
            MeterConfig(ident=f"{number:08d}", utility=Utility.GAS, key=KEY.hex(), valve=True, **more)  # type: ignore[arg-type]
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.covers("IF-M", "F1a")
def test_a_gateway_hears_all_meters_of_a_street() -> None:
    street = Street(meters(30))
    street.radio.run(NOW + 4 * 900)
    opened = [decode(one.octets, keys=[KEY]) for one in street.heard]
    assert {telegram.device.ident for telegram in opened if telegram.device} == {f"{n:08d}" for n in range(1, 31)}
    assert 100 <= len(opened) <= 140
    assert street.kept == street.radio.statistics.sent


@pytest.mark.covers("F4a", "IF-M")
def test_an_order_reaches_the_meter_it_names_in_its_window_and_no_other() -> None:
    both = meters(2)
    street = Street(both)

    def order(reception: Reception) -> None:
        street.heard.append(reception)
        named = decode_radio(reception.octets)
        if named.name == "SND-NR" and named.address == both[0].address and both[0].valve is Valve.OPEN:
            wrapping = Wrapping(sender=named.address, mode=7, key=KEY, counter=3, long=True, from_meter=False)
            afl, message = transport(wrapping, switch(Switch.OPEN).encode(), access=3, ci=0x5B)
            assert afl is not None
            street.gateway.send(
                encode_radio(0x53, GATEWAY, afl.encode() + message, "A"), mode="T2 down", delay_s=0.0025
            )

    street.gateway.listen(order)
    street.radio.run(NOW + 2 * 900)
    assert [meter.valve for meter in both] == [Valve.CLOSED, Valve.OPEN]
    assert [decode_radio(one.octets).name for one in street.heard].count("ACK") == 1


def test_a_meter_that_is_woken_tells_its_alarm_at_once() -> None:
    (meter,) = meters(1)
    street = Street([meter])
    street.radio.run(NOW + 1000)
    count = len(street.heard)
    meter.raise_alarm(Alarm.TAMPER)
    street.airing.wake(str(meter.address), street.radio.now)
    street.airing.run(street.radio.now)
    street.radio.run(street.radio.now + 1)
    assert [decode_radio(one.octets).name for one in street.heard[count:]] == ["ACC-DMD"]


class BrokenPort:
    """A port whose hub is gone."""

    def __init__(self) -> None:
        self.on_reception: OnReception | None = None
        self.closed = False

    def listen(self, on_reception: OnReception) -> None:
        self.on_reception = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        raise LinkError("the hub is gone")

    def close(self) -> None:
        self.closed = True


def test_meters_go_on_when_the_hub_is_gone_and_share_a_port() -> None:
    port = BrokenPort()
    airing = Airing(meters(5), lambda meter: port, NOW)
    airing.run(NOW + 901)
    assert airing.unsent == 5
    assert (airing.next_due() or 0) > NOW + 901
    assert port.on_reception is not None
    for noise in (b"", b"\x0bxxxxxxxxxxxxx", bytes(20)):
        port.on_reception(Reception(octets=noise, mode="T1", time_s=NOW))
    airing.close()
    assert port.closed
