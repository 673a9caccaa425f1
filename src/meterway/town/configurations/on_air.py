"""Battery meters on a simulated air, heard there by whoever joins: gateways, or masts of concentrators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from meterway.base.errors import ConfigError
from meterway.interfaces import Entity
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.links.radio import RadioPort
from meterway.meter.mbus import api as mbus
from meterway.stacks.mbus.wireless.modes import MODES
from meterway.town.configurations.frames import FrameCount
from meterway.town.configurations.messages import Carried

__all__ = ["OnAir", "meter_happens", "until"]

_APART_S: Final = {"N": 0.4}
_USUAL_APART_S: Final = 0.04
"""Between two buttons pressed: what a telegram of the mode takes on the air, and its answer."""
_LOOK_S: Final = 0.02


class OnAir:
    """One air. ``heard_by`` is the entity that hears the meters there; ``place`` says where a meter is, in metres."""

    def __init__(self, heard_by: Entity, place: Callable[[str], tuple[float, float, float]]) -> None:
        self.port = 0
        """Of the hub, once it is open."""
        self._place = place
        self._hub = RadioHub(MODES)
        self._air = RadioClient()
        self._watch = FrameCount(heard_by)
        self._host: mbus.MbusHost | None = None

    async def open(self, meters: Iterable[mbus.MeterConfig]) -> None:
        """Open the air and put the meters there."""
        config = mbus.HostConfig(meters=tuple(meters))
        self.port = await self._hub.open()
        await self._air.connect(self.port)
        await self._watch.start(self.port, len(config.meters))
        self._host = mbus.MbusHost(config, self._joined)
        await self._host.start()

    def _joined(self, meter: mbus.MbusMeter) -> RadioPort:
        ident = meter.config.ident
        return self._air.join(Station(name=ident, place=self._place(ident), hears=mbus.hears(meter.config)))

    async def stop(self) -> None:
        """Take everything down."""
        if self._host is not None:
            await self._host.stop()
        self._watch.stop()
        self._air.close()
        await self._hub.close()

    async def take_in(self, heard: Callable[[], set[str]]) -> None:
        """Press the button of each meter, one by one and again: of two that speak at once, neither is heard."""
        if self._host is None:
            return
        while waiting := [meter for meter in self._host.meters.values() if str(meter.address) not in heard()]:
            for meter in waiting:
                mbus.install(self._host, meter.config.ident)
                await asyncio.sleep(_APART_S.get(meter.config.radio[0], _USUAL_APART_S))
            await asyncio.sleep(_USUAL_APART_S)
        for meter in self._host.meters.values():
            mbus.installed(self._host, meter.config.ident)

    def carried(self) -> list[Carried]:
        """What went over the air between the meters and who hears them."""
        return self._watch.carried()

    def happen(self, serial: str, what: str) -> dict[str, float] | None:
        """Let it happen to a meter; how it is then. None if it is not here, ConfigError if it cannot be."""
        return None if self._host is None else meter_happens(self._host, serial, what)


def meter_happens(host: mbus.MbusHost, serial: str, what: str) -> dict[str, float] | None:
    """Let it happen to a meter of a host; how it is then. None if it is not there, ConfigError if it cannot be."""
    found = next((name for name, one in host.meters.items() if serial in (name, one.config.ident)), None)
    if found is None:
        return None
    match what:
        case "look":
            pass
        case "tamper":
            mbus.alarm(host, found, mbus.Alarm.TAMPER)
        case _:
            raise ConfigError(f"{what!r} does not happen to a battery meter")
    meter = host.meters[found]
    return {
        "register": float(meter.at(host.now())[0]),
        "connected": float(meter.valve is mbus.Valve.OPEN),
    }


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what tells nobody."""
    while not condition():  # noqa: ASYNC110  several things, one look at all of them
        await asyncio.sleep(_LOOK_S)
