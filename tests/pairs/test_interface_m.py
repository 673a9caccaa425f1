"""Utility meters and a gateway meet on interface M: on the simulated air, to the millisecond, and on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lnap_town import ledger
from meterway.base.obis import Obis
from meterway.interfaces.mbus.airing import Airing as GatewayAiring
from meterway.interfaces.mbus.delivery import digest
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.meters import Bound, KeyStatus, Profile
from meterway.interfaces.mbus.mirror import OrderState
from meterway.links.medium.air import AirSettings, Station
from meterway.links.medium.memory import SimulatedRadio
from meterway.meter.firmware import signed_image
from meterway.meter.mbus.airing import Airing as MeterAiring
from meterway.meter.mbus.api import MbusMeter, MeterConfig, Utility, Valve, hears
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.xdlms.results import ActionResult
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.application import ClockOrder, Switch, change_key, switch
from meterway.stacks.mbus.wireless.modes import MODES

START = 1_780_000_000.0
KEY = bytes(range(16))
OWN = Address(manufacturer=0x3B39, ident="00000001", version=1, device_type=0x31)
ALL = frozenset(("S1", "T1", "C1", "N1a", "S2"))
MAIN = {
    Utility.GAS: Obis(7, 0, 3, 1, 0),
    Utility.WATER: Obis(8, 0, 1, 0, 0),
    Utility.HEAT: Obis(6, 0, 1, 0, 0),
    Utility.HEAT_COST: Obis(4, 0, 1, 0, 0),
}


def config(utility: Utility, number: int = 1, **more: object) -> MeterConfig:
    given = {"ident": f"1000000{number}", "utility": utility, "key": KEY.hex(), "security": 7, "interval_s": 60.0}
    return MeterConfig(**{**given, **more})  # type: ignore[arg-type]


class Street:
    """Meters and a gateway on a simulated air without losses."""

    def __init__(self, folder: Path, *meters: MeterConfig, bound: bool = True) -> None:
        self.radio = SimulatedRadio(MODES, AirSettings(fading_db=0.0), start=START)
        self.meters = [MbusMeter(one) for one in meters]
        places = {
            str(one.address): self.radio.join(
                Station(name=one.config.ident, place=(5.0 + number, 0.0, 0.0), hears=hears(one.config))
            )
            for number, one in enumerate(self.meters)
        }
        self.meters_on_air = MeterAiring(self.meters, lambda one: places[str(one.address)], START)
        whole = [
            Bound(
                address=one.address,
                channel=number,
                keys=(KEY,) if one.config.security else (),
                security={0: Profile.PLAIN, 5: Profile.A, 10: Profile.D}.get(one.config.security, Profile.B),
            )
            for number, one in enumerate(self.meters, 1)
        ]
        self.book: Ledger = ledger(folder, *(whole if bound else ()), now=START)
        place = self.radio.join(Station(name="gateway", hears=ALL))
        self.gateway = GatewayAiring(place, self.book, OWN)

    def run(self, seconds: float) -> None:
        """Let time pass; meters speak when their time has come."""
        end = self.radio.now + seconds
        while (due := self.meters_on_air.next_due()) is not None and due <= end:
            self.radio.run(max(due, self.radio.now))
            self.meters_on_air.run(self.radio.now)
        self.radio.run(end)


@contextmanager
def street(folder: Path, *meters: MeterConfig, bound: bool = True) -> Iterator[Street]:
    made = Street(folder, *meters, bound=bound)
    try:
        yield made
    finally:
        made.book.spool.close()


@pytest.mark.covers("IF-M", "F1a", "E-LNAP")
@pytest.mark.parametrize("security", [0, 5, 7, 10])
def test_meters_of_all_utilities_are_mirrored_as_they_are(tmp_path: Path, security: int) -> None:
    meters = [config(utility, number, security=security) for number, utility in enumerate(MAIN, 1)]
    with street(tmp_path, *meters) as town:
        town.run(120)
        for channel, (utility, obis) in enumerate(MAIN.items(), 1):
            value = town.book.gateway.mirror.get(channel, obis)
            assert value is not None, utility
            truth = town.meters[channel - 1].at(value.received_s)[0]
            factor = 1 if utility in (Utility.GAS, Utility.WATER) else value.raw / truth if truth else 1
            assert value.raw == pytest.approx(truth * factor, abs=2)
            assert value.quality == 0


@pytest.mark.covers("IF-M", "UC-BI-05", "F4a")
@pytest.mark.parametrize("mode", ["S2", "T1", "C1", "N1a"])
def test_a_valve_closes_in_the_window_after_a_telegram(tmp_path: Path, mode: str) -> None:
    gas = config(Utility.GAS, valve=True, radio=mode)
    with street(tmp_path, gas) as town:
        town.run(70)
        assert town.book.gateway.channel(1).valve == Valve.OPEN
        payload = switch(Switch.OPEN).encode()
        order = town.book.gateway.order(1, "valve", payload, now=town.radio.now, valid_s=3600, detail="disconnect")
        assert town.meters[0].valve is Valve.OPEN
        town.run(130)
        assert town.meters[0].valve is Valve.CLOSED
        assert order.state is OrderState.DONE, order
        town.run(130)
        assert town.book.gateway.channel(1).valve == Valve.CLOSED


@pytest.mark.covers("IF-M", "UC-IN-02", "SEC-05")
def test_a_clock_is_set_and_a_key_is_changed_on_the_air(tmp_path: Path) -> None:
    fresh = b"new key, 16 oct."
    with street(tmp_path, config(Utility.WATER, radio="C1", clock_offset_s=500.0)) as town:
        town.run(70)
        gateway = town.book.gateway
        moment = datetime.fromtimestamp(town.radio.now + 60, UTC).replace(tzinfo=None, microsecond=0)
        order = ClockOrder(moment=moment)
        set_clock = gateway.order(1, "clock", order.encode(), now=town.radio.now, valid_s=3600, ci=order.ci)
        town.run(70)
        assert set_clock.state is OrderState.DONE, set_clock
        gateway.set_key(1, fresh, town.radio.now)
        rekey = gateway.order(1, "key", change_key(fresh, KEY).encode(), now=town.radio.now, valid_s=3600)
        town.run(130)
        assert town.meters[0].key == fresh
        assert rekey.state is OrderState.DONE, rekey
        assert gateway.channel(1).keys == (fresh,)
        assert gateway.channel(1).key_status >= KeyStatus.SET


@pytest.mark.covers("UC-IN-01")
def test_a_meter_asks_is_accepted_and_is_told_so(tmp_path: Path) -> None:
    with street(tmp_path, config(Utility.WATER, radio="C1"), bound=False) as town:
        gateway, meter = town.book.gateway, town.meters[0]
        gateway.install(START + 3600, START)
        radio = town.meters_on_air.radios[str(meter.address)]
        radio.install(START)
        town.meters_on_air.wake(str(meter.address), START)
        town.run(5)
        assert meter.address in gateway.proposals
        gateway.accept(meter.address, keys=[KEY], now=town.radio.now)
        sent = town.gateway.sent
        town.run(40)
        assert town.gateway.sent == sent + 1
        assert gateway.mirror.get(1, Obis(8, 0, 1, 0, 0)) is not None


@pytest.mark.covers("IF-M", "UC-IN-02", "UC-BI-05", "F4a")
@pytest.mark.parametrize("security", [5, 7, 10])
@pytest.mark.parametrize("mode", ["T1", "C1"])
def test_all_that_waits_for_a_battery_meter_is_done_in_one_waking(tmp_path: Path, security: int, mode: str) -> None:
    fresh = b"new key, 16 oct."
    with street(tmp_path, config(Utility.GAS, valve=True, security=security, radio=mode, interval_s=600.0)) as town:
        town.run(700)
        gateway, now = town.book.gateway, town.radio.now
        moment = datetime.fromtimestamp(now + 600, UTC).replace(tzinfo=None, microsecond=0)
        clock = ClockOrder(moment=moment)
        gateway.set_key(1, fresh, now)
        orders = [
            gateway.order(1, "clock", clock.encode(), now=now, valid_s=3600, ci=clock.ci),
            gateway.order(1, "key", change_key(fresh, KEY).encode(), now=now, valid_s=3600),
            gateway.order(1, "valve", switch(Switch.OPEN).encode(), now=now, valid_s=3600, detail="disconnect"),
            gateway.order(1, "read", b"", now=now, valid_s=3600),
        ]
        woken = town.meters[0].counter
        while orders[0].state is OrderState.WAITING:
            town.run(5)
        town.run(10)
        assert [order.state for order in orders] == [OrderState.DONE] * 4, orders
        assert max(order.closed_s for order in orders) - min(order.sent_s for order in orders) < 10
        assert town.meters[0].valve is Valve.CLOSED
        assert town.meters[0].key == fresh == gateway.channel(1).keys[0]
        assert town.meters[0].counter - woken <= 6


@pytest.mark.covers("IF-M", "UC-IN-05", "E-LNAP")
@pytest.mark.parametrize(("mode", "security"), [("T1", 7), ("C1", 5), ("S2", 10)])
def test_firmware_reaches_a_battery_meter_in_its_windows_and_goes_on_after_a_power_cut(
    tmp_path: Path, mode: str, security: int
) -> None:
    image = signed_image(bytes(range(256)) * 60)
    with street(tmp_path, config(Utility.WATER, radio=mode, security=security)) as town:
        town.run(70)
        book = town.book
        transfer = book.gateway.delivery(1).transfer
        assert transfer.initiate(b"WATER-2", len(image)) is ActionResult.SUCCESS
        book.images.keep(1, transfer)
        for number in range(-(-len(image) // 512)):
            block = image[number * 512 : number * 512 + 512]
            assert transfer.transfer_block(number, block) is ActionResult.SUCCESS
            book.images.keep_block(1, number, block)
        transfer.activate(digest)
        book.images.begin_delivery(1)
        while (sender := book.gateway.delivery(1).sender) is not None and sender.missing == sender.blocks:
            town.run(10)
        assert town.meters[0].firmware != b"WATER-2"
        order = book.gateway.order(1, "read", b"", now=town.radio.now, valid_s=3600)
        # the power fails: nothing is written at an end, and a gateway begins anew on the file
        town.gateway.close()
        book.spool.close()
        town.book = ledger(tmp_path, now=town.radio.now)
        place = town.radio.join(Station(name="gateway again", hears=ALL))
        town.gateway = GatewayAiring(place, town.book, OWN)
        delivery = town.book.gateway.delivery(1)
        assert delivery.is_under_way
        for _ in range(60):
            town.run(60)
            if not delivery.is_under_way:
                break
        assert delivery.told == "WATER-2"
        assert town.meters[0].firmware == b"WATER-2"
        assert delivery.transfer.status is ImageStatus.ACTIVATION_SUCCESSFUL
        assert Code.FIRMWARE_ACTIVATED in [event.code for event in town.book.events(1, 0, 1e12)]
        assert not town.book.spool.states("image:")
        assert order.is_open  # it was in memory alone


@pytest.mark.covers("IF-M", "UC-IN-05")
def test_firmware_that_the_meter_does_not_take_for_genuine_is_told_with_its_reason(tmp_path: Path) -> None:
    with street(tmp_path, config(Utility.WATER)) as town:
        town.run(70)
        book = town.book
        transfer = book.gateway.delivery(1).transfer
        transfer.initiate(b"EVIL", 300)
        transfer.transfer_block(0, bytes(300))
        transfer.activate(digest)
        book.images.begin_delivery(1)
        town.run(200)
        assert book.gateway.delivery(1).told == "EVIL: not genuine"
        assert transfer.status is ImageStatus.ACTIVATION_FAILED
        assert town.meters[0].firmware != b"EVIL"
