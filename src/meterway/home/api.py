"""What upper floors may ask of home automation end devices: run load controllers, press their buttons, see their state.

``running`` gives a process its load controllers; ``HomeNodes`` puts them on any clock, a virtual one too.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from meterway.home.config import (
    HomeConfig,
    HomeKeys,
    HostConfig,
    ListenConfig,
    NetworkConfig,
    RelayConfig,
    load_config,
    sample,
)
from meterway.home.device import LoadController, RefusedError
from meterway.home.energy import EnergyManager, ManagerConfig, Measured
from meterway.home.load import LoadKind
from meterway.home.memory import HomeMemory
from meterway.home.nodes import HomeNode, HomeNodes
from meterway.home.serve import HomeHost

__all__ = [
    "EnergyManager",
    "HomeConfig",
    "HomeHost",
    "HomeKeys",
    "HomeMemory",
    "HomeNode",
    "HomeNodes",
    "HostConfig",
    "ListenConfig",
    "LoadController",
    "LoadKind",
    "ManagerConfig",
    "Measured",
    "NetworkConfig",
    "RefusedError",
    "RelayConfig",
    "RelayView",
    "load_config",
    "relays",
    "running",
    "sample",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayView:
    """One relay as it stands: ``cause`` is nothing, order, override, limit or emergency."""

    relay: int
    kind: str
    on: bool
    cause: str
    power_w: int
    energy_wh: int


@asynccontextmanager
async def running(config: HostConfig, *, unix: Callable[[], float] = time.time) -> AsyncIterator[HomeHost]:
    """Run load controllers while the block lasts; ``host.port`` is the local port, ``host.devices`` has them."""
    host = HomeHost(config, unix=unix)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


def relays(device: LoadController, now: float) -> list[RelayView]:
    """The relays of a device at a moment (Unix seconds)."""
    device.advance(now)
    return [
        RelayView(
            relay=place + 1,
            kind=one.kind.value,
            on=device.closed[place],
            cause=device.causes[place].name.lower(),
            power_w=device.power_w(place, now),
            energy_wh=device.energy_wh(place),
        )
        for place, one in enumerate(device.config.relays)
    ]
