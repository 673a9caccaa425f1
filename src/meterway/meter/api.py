"""What upper floors may ask of meters: start them, see their state, hurt them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from meterway.meter.config import (
    H1Config,
    HostConfig,
    ListenConfig,
    MeterConfig,
    NetworkConfig,
    PushConfig,
    load_config,
    sample,
)
from meterway.meter.device import Meter
from meterway.meter.events import Event, EventCode, Log
from meterway.meter.faults import Fault
from meterway.meter.keys import Keys
from meterway.meter.load import CHANNELS, Load, LoadKind
from meterway.meter.nodes import MeterNode, MeterNodes, NodeSettings
from meterway.meter.serve import HDLC_PHYSICAL, Beyond, Endpoint, MeterHost
from meterway.meter.zone import Zone

__all__ = [
    "CHANNELS",
    "HDLC_PHYSICAL",
    "Beyond",
    "Endpoint",
    "Event",
    "EventCode",
    "Fault",
    "H1Config",
    "HostConfig",
    "Keys",
    "ListenConfig",
    "Load",
    "LoadKind",
    "Log",
    "Meter",
    "MeterConfig",
    "MeterHost",
    "MeterNode",
    "MeterNodes",
    "NetworkConfig",
    "NodeSettings",
    "PushConfig",
    "Zone",
    "inject",
    "load_config",
    "sample",
    "serve_meters",
]

_TEN_YEARS_S: Final = 315_576_000.0


@asynccontextmanager
async def serve_meters(
    meters: Sequence[MeterConfig],
    *,
    listen: Sequence[ListenConfig] = (ListenConfig(port=0),),
    h1: H1Config | None = None,
    push: PushConfig | None = None,
) -> AsyncIterator[MeterHost]:
    """Run meters while the block lasts; ``host.endpoints`` says how each is reached."""
    host = MeterHost(HostConfig(meters=tuple(meters), listen=tuple(listen), h1=h1, push=push))
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


def inject(host: MeterHost | MeterNodes, serial: str, fault: Fault | None) -> None:
    """Give a meter a simulated fault, or heal it (None); connections made from now on have it."""
    meter = host.meters[serial]
    host.faults.pop(serial, None)
    if fault is None:
        meter.clock_offset_s = meter.config.clock_offset_s
        meter.keys = meter.config.keys
    elif fault is Fault.CLOCK_YEARS_OFF:
        meter.clock_offset_s = -_TEN_YEARS_S
    elif fault is Fault.WRONG_KEY:
        meter.keys = replace(meter.keys, guek=secrets.token_bytes(16))
        meter.send_counter = meter.received = None
    else:
        host.faults[serial] = fault
