"""M-Bus meters alone: ``meterway meter`` for gas, water, heat and their like."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from meterway.base.errors import ConfigError
from meterway.cli.loop import run, until_ended

if TYPE_CHECKING:
    from meterway.meter.mbus.api import HostConfig, MeterConfig

__all__ = ["UTILITIES", "mbus_sample", "run_mbus", "speaks_mbus"]

UTILITIES: Final = ("electricity", "gas", "water", "heat", "cooling", "heat-and-cooling", "heat-cost-allocator")
_PROFILES: Final = {0: "plain", 5: "A", 7: "B", 10: "D"}


def mbus_sample(utility: str) -> str:
    """A commented settings file for one meter."""
    from meterway.meter.mbus.api import Utility, sample

    return sample(Utility(utility.replace("-", " ")))


def speaks_mbus(path: Path) -> bool:
    """Whether a settings file is one of M-Bus meters: it has ``[[meters]]``. A file that cannot be read has none."""
    try:
        return "meters" in tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False


def run_mbus(path: Path, say: Callable[..., None], *, white_list: bool, as_json: bool) -> None:
    """Run the meters of a settings file until Ctrl-C, or only show them as a gateway lists them."""
    from meterway.meter.mbus.api import load_config

    settings = load_config(path)
    if white_list:
        for channel, meter in enumerate(settings.meters, 1):
            click.echo(_listed(meter, channel))
        return
    run(_running(settings, lambda event, **facts: say(as_json, event, **facts)))


def _listed(meter: MeterConfig, channel: int) -> str:
    lines = [f'address = "{meter.address}"', f"channel = {channel}", f'security = "{_PROFILES[meter.security]}"']
    if meter.security:
        lines.append(f'key = "{meter.secret.hex()}"')
    if meter.primary:
        lines += ['link = "wired"', f"primary = {meter.primary}"]
    return "[[meters]]\n" + "\n".join(lines) + "\n"


async def _running(settings: HostConfig, say: Callable[..., None]) -> None:
    from meterway.links.medium.client import RadioClient
    from meterway.meter.mbus.api import joined, running

    if settings.air is None and settings.bus_port is None:
        raise ConfigError("the meters are neither on the air nor on a bus: give the settings [air] or bus_port")
    radio = RadioClient()
    if settings.air is not None:
        await radio.connect(settings.air.port, settings.air.host)
    async with running(settings, joined(radio) if settings.air is not None else None) as host:
        for meter in host.meters.values():
            say("meter", name=str(meter.address), utility=meter.config.utility.value)
        if settings.air is not None:
            say("on the air", host=settings.air.host, port=settings.air.port)
        if host.bus_port is not None:
            say("bus", host=settings.bus_host, port=host.bus_port)
        await until_ended()
    radio.close()
