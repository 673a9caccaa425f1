"""The process in which a town's homes live: the air they share, gas, water and heat meters, and a gateway in each.

Told and ended like the street: one line of order, one of report, until standard input is closed.
"""

from __future__ import annotations

import asyncio
import hmac
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Final, Literal

import msgspec

from meterway.base.errors import LinkError
from meterway.base.settings import Secretive
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.lnap.api import (
    BusConfig,
    Lnap,
    LnapConfig,
    MeterConfig,
    MqttConfig,
    PartyConfig,
    RadioConfig,
    SideConfig,
    registry_rows,
    replay,
)
from meterway.meter.mbus import api as mbus
from meterway.stacks.mbus.wireless.modes import MODES
from meterway.town.broker import BrokerAccess, corner_of
from meterway.town.process import say, serve_order, until_closed

__all__ = ["METERS_A_HOME", "PARTY", "Home", "HomesOrder", "HomesReport", "lnap_serial", "main", "secret_of"]

METERS_A_HOME: Final = 3
PARTY: Final = "operator"
"""As whom the head end asks."""
_UTILITIES: Final[tuple[tuple[mbus.Utility, Literal["T1", "C1", ""]], ...]] = (
    (mbus.Utility.GAS, "T1"),
    (mbus.Utility.WATER, "C1"),
    (mbus.Utility.HEAT, ""),
)
"""What a home has, and in which radio mode it speaks; the last is on two wires."""
_APART_M: Final = 60.0
_APART_S: Final = 0.04
_SPEAK_S: Final = 15.0
_TELL_S: Final = 5.0
_POLL_S: Final = 60.0
_HEARD_S: Final = 20.0
_LOOK_S: Final = 0.02
_HOUR_S: Final = 3600
_PAST_DAYS: Final = 30
"""Days of readings that all gateways together have when the town begins: it is not to begin late for many homes."""
_BEFORE_HOUR_S: Final = 20


class HomesOrder(Secretive, frozen=True):
    """How many homes, where their gateways keep their files, what all keys derive from (hex), and their broker."""

    homes: int
    folder: str
    secret: str
    broker: BrokerAccess | None = None


class Home(msgspec.Struct, frozen=True):
    """How a home's gateway is reached."""

    serial: str
    system_title: str
    port: int
    meters: list[str]


class HomesReport(msgspec.Struct, frozen=True):
    """All homes and the port of their air, or why there are none."""

    homes: list[Home] = []
    hub_port: int = 0
    error: str = ""


def secret_of(secret: bytes, serial: str) -> bytes:
    """What the keys of a gateway's logical devices derive from, 32 octets."""
    return hmac.digest(secret, f"gateway|{serial}".encode(), "sha256")


def lnap_serial(home: int) -> str:
    """The serial of a home's gateway (1 the first): ``LNAP0001``."""
    return f"LNAP{home:04d}"


def _meter(home: int, place: int, secret: bytes) -> mbus.MeterConfig:
    utility, mode = _UTILITIES[place]
    ident = f"{place + 1}{home:07d}"
    key = hmac.digest(secret, f"meter|{ident}".encode(), "sha256")[:16].hex()
    if not mode:
        return mbus.MeterConfig(ident=ident, utility=utility, security=0, primary=place + 1)
    return mbus.MeterConfig(
        ident=ident,
        utility=utility,
        key=key,
        valve=utility is mbus.Utility.GAS,
        radio=mode,
        interval_s=_SPEAK_S,
        place=(home * _APART_M + place, 3.0, 0.0),  # some metres from the gateway of the same home
    )


class _Homes:
    """Everything of the process; ``start`` returns when every gateway has heard its meters."""

    def __init__(self, order: HomesOrder) -> None:
        self._secret = bytes.fromhex(order.secret)
        self._broker = order.broker
        self._folder = Path(order.folder)
        self._state = self._folder / "meters.jsonl"
        self._meters = {
            home: [_meter(home, place, self._secret) for place in range(METERS_A_HOME)]
            for home in range(1, order.homes + 1)
        }
        self._hub = RadioHub(MODES)
        self._air = RadioClient()
        self._hosts: list[mbus.MbusHost] = []
        self._lnaps: list[Lnap] = []
        self._began = 0.0

    async def start(self) -> HomesReport:
        await asyncio.to_thread(self._live_through)
        self._began = time.time()
        hub_port = await self._hub.open()
        await self._air.connect(hub_port)
        on_air = tuple(meter for meters in self._meters.values() for meter in meters if not _is_wired(meter))
        radio = await self._host(mbus.HostConfig(meters=on_air, state=str(self._state)), by_radio=True)
        for home, meters in self._meters.items():
            wired = mbus.HostConfig(meters=tuple(meter for meter in meters if _is_wired(meter)), bus_port=0)
            bus = (await self._host(wired, by_radio=False)).bus_port or 0
            lnap = Lnap(self._gateway(home, hub_port, bus))
            await lnap.start()
            self._lnaps.append(lnap)
        try:
            async with asyncio.timeout(_HEARD_S):
                await self._until(lambda: all(lnap.airings for lnap in self._lnaps))
                await self._take_in(radio, on_air)
                await self._until(lambda: len(self._heard()) == len(self._meters) * METERS_A_HOME)
        except TimeoutError:
            raise LinkError(f"a home's gateway did not hear its meters within {_HEARD_S:g} s") from None
        return HomesReport(homes=[_home(lnap) for lnap in self._lnaps], hub_port=hub_port)

    def _live_through(self) -> None:
        """The days before the town began: every hour, each gateway heard and polled its meters."""
        end = time.time()
        first = (int(end) // _HOUR_S - max(1, _PAST_DAYS // len(self._meters)) * 24) * _HOUR_S - _BEFORE_HOUR_S
        hours = range(first, int(end) + 1, _HOUR_S)
        everybody = [meter for meters in self._meters.values() for meter in meters]
        spoken: dict[int, list[mbus.Said]] = {home: [] for home in self._meters}
        of_home = cycle(home for home, meters in self._meters.items() for _ in meters)
        for home, one in zip(of_home, mbus.said(everybody, hours, state=self._state), strict=False):
            spoken[home].append(one)
        for home, telegrams in spoken.items():
            told = ((one.time_s, _link(one), one.octets, one.mode) for one in telegrams)
            replay(self._gateway(home, 0, 0), told, until_s=end)

    async def stop(self) -> None:
        for lnap in self._lnaps:
            await lnap.stop()
        for host in self._hosts:
            await host.stop()
        self._air.close()
        await self._hub.close()

    async def _host(self, config: mbus.HostConfig, *, by_radio: bool) -> mbus.MbusHost:
        host = mbus.MbusHost(config, mbus.joined(self._air) if by_radio else None)
        await host.start()
        self._hosts.append(host)
        return host

    def _gateway(self, home: int, hub_port: int, bus_port: int) -> LnapConfig:
        serial = lnap_serial(home)
        operator = PartyConfig(
            name=PARTY,
            client=1,
            secret=secret_of(self._secret, serial).hex(),
            channels="all",
            rights=("read", "command", "configure"),
            sees_gateway=True,
        )
        place = (home * _APART_M, 0.0, 0.0)
        return LnapConfig(
            serial=serial,
            ident=f"9{home:07d}",
            store=str(self._folder / f"{serial}.sqlite"),
            master_key=str(self._folder / f"{serial}.key"),
            wan=SideConfig(port=0),
            parties=(operator,),
            meters=tuple(_listed(meter, place) for place, meter in enumerate(self._meters[home], 1)),
            radios=(RadioConfig(port=hub_port, station=serial, place=place),) if hub_port else (),
            buses=(BusConfig(port=bus_port, poll_s=_POLL_S),) if bus_port else (),
            mqtt=self._mqtt(serial),
        )

    def _mqtt(self, serial: str) -> MqttConfig | None:
        if self._broker is None:
            return None
        return MqttConfig(
            port=self._broker.port,
            username=serial,
            password=self._broker.passwords[serial],
            authority=self._broker.authority,
            prefix=f"{corner_of(serial)}/meterway",
            discovery=f"{corner_of(serial)}/homeassistant",
            every_s=_TELL_S,
        )

    async def _take_in(self, radio: mbus.MbusHost, meters: tuple[mbus.MeterConfig, ...]) -> None:
        """Press the button of each meter, one by one and again: of two that speak at once, neither is heard."""
        while waiting := [meter for meter in meters if str(meter.address) not in self._heard()]:
            for meter in waiting:
                mbus.install(radio, meter.ident)
                await asyncio.sleep(_APART_S)
            await asyncio.sleep(_APART_S)

    def _heard(self) -> set[str]:
        """The meters that their gateways have heard since the town began."""
        return {
            meter.name
            for lnap in self._lnaps
            for meter in lnap.gateway.channels.values()
            if meter.heard_s >= self._began
        }

    @staticmethod
    async def _until(condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110  several gateways, one look at all of them
            await asyncio.sleep(_LOOK_S)


def _link(said: mbus.Said) -> Literal["radio", "wired"]:
    return "radio" if said.mode else "wired"


def _is_wired(meter: mbus.MeterConfig) -> bool:
    return meter.primary > 0


def _listed(meter: mbus.MeterConfig, channel: int) -> MeterConfig:
    """The meter in its gateway's white list."""
    if _is_wired(meter):
        return MeterConfig(address=str(meter.address), channel=channel, link="wired", security="plain")
    return MeterConfig(address=str(meter.address), channel=channel, key=meter.key)


def _home(lnap: Lnap) -> Home:
    first, *others = registry_rows(lnap, PARTY)
    return Home(
        serial=first["serial"],
        system_title=first["system_title"],
        port=int(first["port"]),
        meters=[row["serial"] for row in others],
    )


async def _run(order: HomesOrder) -> None:
    homes = _Homes(order)
    try:
        say(await homes.start())
        await until_closed()
    finally:
        await homes.stop()


def main() -> int:
    """Run the homes; exit status 1 if they could not start."""
    return serve_order(HomesOrder, _run, lambda reason: HomesReport(error=reason), "homes")


if __name__ == "__main__":
    sys.exit(main())
