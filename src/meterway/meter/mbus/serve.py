"""Utility meters as a process: on the air of a hub or a receiver, and on a simulated two-wire bus behind a TCP port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError
from meterway.links.medium.bus import SimulatedBus
from meterway.links.medium.bus_ports import BusTcp
from meterway.links.radio import RadioPort
from meterway.meter.mbus.airing import Airing
from meterway.meter.mbus.config import HostConfig
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.dlms import DlmsMeter
from meterway.meter.mbus.module import Module
from meterway.meter.mbus.state import FileState
from meterway.meter.mbus.wired import WiredMeter

__all__ = ["MbusHost"]

_LONGEST_S: Final = 3600.0

PortOf = Callable[[MbusMeter], RadioPort]


class MbusHost:
    """All meters of one process; one timer for all of them.

    ``port_of`` gives each meter its place on the air (the same one for several is fine); without it nobody is on the
    air. ``unix`` turns the loop's time into Unix seconds (default: the real time).
    """

    def __init__(
        self, config: HostConfig, port_of: PortOf | None = None, *, unix: Callable[[float], float] | None = None
    ) -> None:
        self.config = config
        self.meters: dict[str, MbusMeter] = {}
        self.airing: Airing | None = None
        self.bus_port: int | None = None
        self._port_of = port_of
        self._unix = unix or (lambda _: time.time())
        self._state: FileState | None = None
        self._bus: BusTcp | None = None
        self._modules: list[Module] = []
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Unix seconds."""
        return self._unix(asyncio.get_running_loop().time())

    def meter(self, name: str) -> MbusMeter:
        """The meter of this name (``MWY-10000001-01-03``) or identification number; ConfigError if there is none."""
        found = self.meters.get(name) or next((one for one in self.meters.values() if one.config.ident == name), None)
        if found is None:
            raise ConfigError(f"there is no meter {name}")
        return found

    async def start(self) -> None:
        """Make the meters as they were, put them on the air and on the bus; ConfigError if a port is taken."""
        self._state = FileState(Path(self.config.state)) if self.config.state else None
        for settings in self.config.meters:
            meter = MbusMeter(settings)
            if self._state is not None:
                self._state.restore(meter)
            self.meters[str(meter.address)] = meter
        try:
            if self.config.bus_port is not None:
                await self._open_bus(self.config.bus_port)
        except ConfigError:
            await self.stop()
            raise
        for meter in self.meters.values():
            if meter.config.reads:
                self._modules.append(Module(meter, self.now, self.keep))
                await self._modules[-1].start()
        if self._port_of is not None:
            self.airing = Airing(
                self.meters.values(), self._port_of, self.now(), keep=self.keep, grace_s=self.config.window_grace_s
            )
            self._set_timer()

    async def stop(self) -> None:
        """Leave air and bus, keep what must not be forgotten."""
        if self._timer is not None:
            self._timer.cancel()
        for module in self._modules:
            await module.stop()
        if self.airing is not None:
            self.airing.close()
        if self._bus is not None:
            await self._bus.close()
        if self._state is not None:
            self._state.close(tuple(self.meters.values()))
            self._state = None
        await asyncio.sleep(0)

    def keep(self, meter: MbusMeter) -> None:
        """Write what must outlive the process."""
        if self._state is not None:
            self._state.keep(meter)

    def changed(self, meter: MbusMeter) -> None:
        """Somebody did something to a meter: keep it, and let it speak if it wants to."""
        self.keep(meter)
        if self.airing is not None:
            self.airing.wake(str(meter.address), self.now())
            self._set_timer()

    # -- air ----------------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.airing.next_due() if self.airing is not None else None
        if due is not None:
            wait_s = min(max(due - self.now(), 0.0), _LONGEST_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._run)

    def _run(self) -> None:
        self._timer = None
        if self.airing is not None:
            try:
                self.airing.run(self.now())
            finally:
                self._set_timer()

    # -- bus ----------------------------------------------------------------------------------------------

    def attach(self, bus: SimulatedBus) -> None:
        """Put every meter on a two-wire bus."""
        for meter in self.meters.values():
            wired = DlmsMeter if meter.config.speaks_dlms else WiredMeter
            bus.attach(wired(meter, self.now, on_change=self.keep).slave)

    async def _open_bus(self, port: int) -> None:
        bus = SimulatedBus()
        self.attach(bus)
        self._bus = BusTcp(bus)
        self.bus_port = await self._bus.open(self.config.bus_host, port)
