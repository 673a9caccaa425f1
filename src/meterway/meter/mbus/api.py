"""What upper floors may ask of utility meters: run them, disturb them, stand in front of them, know the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from meterway.base.errors import ConfigError
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.meter.mbus.config import AirConfig, HostConfig, MeterConfig, load_config, sample
from meterway.meter.mbus.device import Alarm, Condition, MbusMeter
from meterway.meter.mbus.legacy import LegacyConfig, LegacyHost
from meterway.meter.mbus.past import Said, said
from meterway.meter.mbus.serve import MbusHost, PortOf
from meterway.meter.mbus.usage import Utility
from meterway.meter.mbus.valve import Input, Valve
from meterway.stacks.mbus.wireless.modes import DOWNLINK

__all__ = [
    "AirConfig",
    "Alarm",
    "Condition",
    "HostConfig",
    "LegacyConfig",
    "LegacyHost",
    "MbusHost",
    "MbusMeter",
    "MeterConfig",
    "Said",
    "Utility",
    "Valve",
    "alarm",
    "hears",
    "heal",
    "inject",
    "install",
    "installed",
    "joined",
    "load_config",
    "press",
    "running",
    "said",
    "sample",
]


@asynccontextmanager
async def running(
    config: HostConfig, port_of: PortOf | None = None, *, unix: Callable[[float], float] | None = None
) -> AsyncIterator[MbusHost]:
    """Run meters while the block lasts."""
    host = MbusHost(config, port_of, unix=unix)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


def joined(radio: RadioClient) -> PortOf:
    """Puts each meter at its place on a simulated air."""
    return lambda meter: radio.join(
        Station(name=str(meter.address), place=meter.config.place, hears=hears(meter.config))
    )


def hears(config: MeterConfig) -> frozenset[str]:
    """The radio modes a meter must be able to hear at its place on the air; none if it is one-way."""
    if not config.two_way:
        return frozenset()
    return frozenset((DOWNLINK.get(config.radio[0], config.radio),))


def inject(host: MbusHost, name: str, condition: Condition, *, rate: float | None = None) -> None:
    """Let a condition set in behind a meter; ConfigError if there is no such meter or it has no such condition."""
    meter = host.meter(name)
    meter.begin(condition, host.now(), rate=rate)
    host.changed(meter)


def heal(host: MbusHost, name: str, condition: Condition) -> None:
    """A condition is over."""
    meter = host.meter(name)
    meter.end(condition, host.now())
    host.changed(meter)


def alarm(host: MbusHost, name: str, which: Alarm) -> None:
    """Open the case, hold a magnet to it, break something."""
    meter = host.meter(name)
    meter.raise_alarm(which)
    host.changed(meter)


def press(host: MbusHost, name: str) -> Valve:
    """The consumer presses the button of a gas meter; where the valve stands then. ConfigError if it has no valve."""
    meter, now = host.meter(name), host.now()
    meter.advance(now)
    if not meter.move_valve(Input.BUTTON, now):
        raise ConfigError(f"meter {name} has no valve")
    host.changed(meter)
    return meter.valve


def install(host: MbusHost, name: str) -> None:
    """The installer presses the button: the meter asks to be taken in. ConfigError if it is not on the air."""
    meter = host.meter(name)
    if host.airing is None:
        raise ConfigError(f"meter {name} is not on the air")
    host.airing.radios[str(meter.address)].install(host.now())
    host.changed(meter)


def installed(host: MbusHost, name: str) -> None:
    """The installer is done: the meter speaks by its interval again. ConfigError if it is not on the air."""
    meter = host.meter(name)
    if host.airing is None:
        raise ConfigError(f"meter {name} is not on the air")
    host.airing.radios[str(meter.address)].installed(host.now())
    host.changed(meter)
