"""A meter of old: a register on a display, and an optical port (on TCP here) that tells it in IEC 62056-21."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.meter.config import seed_of
from meterway.meter.mbus.usage import Usage, Utility
from meterway.stacks.iec21.exchange import Device, Event
from meterway.stacks.iec21.messages import DataMessage, DataSet, Identification

__all__ = ["LegacyConfig", "LegacyHost", "LegacyMeter"]

_ROUND: Final = 1_000_000_000
"""Six digits before the point: then the display begins again, Wh."""


class LegacyConfig(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """One meter: what is printed on it, how it identifies itself."""

    serial: Annotated[str, msgspec.Meta(pattern="^[0-9]{8}$")]
    maker: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}[A-Za-z]$")] = "MWY"
    speed: Annotated[str, msgspec.Meta(pattern="^[0-6A-Fa-z]$")] = "5"
    """The speed character of its identification: a digit in mode C, A to F in mode B, else mode A."""
    ident: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9-]{1,16}$")] = "LEGACY"


class LegacyMeter:
    """What it shows is a pure function of the time."""

    def __init__(self, config: LegacyConfig) -> None:
        self.config = config
        self._usage = Usage(seed=seed_of(config.serial), utility=Utility.ELECTRICITY)

    def energy(self, unix_s: float) -> int:
        """The energy that went through it, Wh."""
        return self._usage.at(unix_s)[0]

    def readout(self, unix_s: float) -> DataMessage:
        """What its port tells: error code, number, energy with three decimals of a kWh as on its display."""
        whole, part = divmod(self.energy(unix_s) % _ROUND, 1000)
        sets = (
            DataSet(address="F.F", value="00"),
            DataSet(address="C.1.0", value=self.config.serial),
            DataSet(address="1.8.0", value=f"{whole:06d}.{part:03d}", unit="kWh"),
        )
        return DataMessage(lines=tuple((one,) for one in sets))

    def device(self, unix: Callable[[], float]) -> Device:
        """The engine of its port; it keeps one conversation."""
        identification = Identification(maker=self.config.maker, speed=self.config.speed, ident=self.config.ident)
        return Device(identification, lambda: self.readout(unix()), address=self.config.serial)


class LegacyHost:
    """Meters of old with a TCP port each on the loopback; ``unix`` gives the time."""

    def __init__(self, configs: tuple[LegacyConfig, ...], unix: Callable[[], float] = time.time) -> None:
        self.meters = {config.serial: LegacyMeter(config) for config in configs}
        self.ports: dict[str, int] = {}
        self._unix = unix
        self._listeners: list[tcp.Listener] = []
        self._lines: set[EngineProtocol[Event]] = set()

    async def start(self) -> None:
        """Open a port for each."""
        for serial, meter in self.meters.items():
            listener = await tcp.listen("127.0.0.1", 0, self._factory(meter))
            self._listeners.append(listener)
            self.ports[serial] = listener.port

    async def stop(self) -> None:
        """Close the ports and the lines."""
        for listener in self._listeners:
            listener.close()
        for line in tuple(self._lines):
            line.abort()
        await asyncio.sleep(0)

    def _factory(self, meter: LegacyMeter) -> Callable[[], EngineProtocol[Event]]:
        def make() -> EngineProtocol[Event]:
            line: EngineProtocol[Event] = EngineProtocol(
                meter.device(self._unix),
                lambda event: None,
                on_made=self._lines.add,
                on_lost=lambda error: self._lines.discard(line),
            )
            return line

        return make
