"""``meterway home``: load controllers alone, on a neighbourhood network and on a local port."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from meterway.base.errors import ConfigError
from meterway.cli.entity import _say, _wanted, _write_sample
from meterway.cli.loop import run, until_ended

if TYPE_CHECKING:
    from meterway.home.api import HostConfig

__all__ = ["home"]

_ANY_PORT: Final = 4070
"""Stands in a registry row where the port is not known yet."""


@click.command()
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--write-config", is_flag=True, help="Write a commented settings file (to CONFIG, or shown) and end.")
@click.option("--serial", default="H0001", show_default=True, help="Serial of the device in a written file.")
@click.option(
    "--csv", is_flag=True, help="Show the devices as a CSV file for the head end's registry (with keys) and end."
)
@click.option("--white-list", is_flag=True, help="Show the devices as a concentrator lists them (with keys) and end.")
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines.")
def home(config: Path | None, write_config: bool, serial: str, csv: bool, white_list: bool, as_json: bool) -> None:
    """Run the load controllers of a TOML file until Ctrl-C. What hangs on their relays is simulated."""
    from meterway.home.api import load_config, sample

    if write_config:
        if not re.fullmatch(r"[A-Za-z0-9]{1,16}", serial):
            raise ConfigError(f"--serial: 1 to 16 letters and digits are wanted, not {serial!r}")
        _write_sample(sample(serial), config)
        return
    settings = load_config(_wanted(config, "home"))
    if white_list:
        _show_nodes(settings)
    elif csv:
        _show_registry(settings)
    else:
        run(_running(settings, as_json))


def _show_nodes(settings: HostConfig) -> None:
    """The concentrator gets what joining needs; commands go end to end, with keys that it has not."""
    for one in settings.devices:
        click.echo(f'[[nodes]]\neui = "{one.title.hex()}"\nserial = "{one.serial}"\nrole = "home"\nprofile = "home"')
        if one.join_key:
            click.echo(f'key = "{one.join_key.hex()}"')
        click.echo()


def _show_registry(settings: HostConfig) -> None:
    """As reached on the local port; behind a concentrator the head end finds the place by itself."""
    listen = settings.listen
    host, port = (listen.address, listen.port or _ANY_PORT) if listen is not None else ("127.0.0.1", _ANY_PORT)
    click.echo("serial,system_title,profile,transport,host,port,sap,guek,gak")
    for number, one in enumerate(settings.devices, 1):
        row = f"{one.serial},{one.title.hex()},home,tcp,{host},{port},{number if listen is not None else 1}"
        click.echo(f"{row},{one.keys.guek.hex()},{one.keys.gak.hex()}")


async def _running(settings: HostConfig, as_json: bool) -> None:
    from meterway.home.api import running

    async with running(settings) as host:
        for number, serial in enumerate(host.devices, 1):
            _say(as_json, "device", serial=serial, relays=len(host.devices[serial].relays), server=number)
        if settings.network is not None:
            known = settings.network
            _say(as_json, "network", profile=known.profile, address=known.address, port=known.port, node=known.node)
        if host.port is not None and settings.listen is not None:
            _say(as_json, "listening", address=settings.listen.address, port=host.port)
        await until_ended()
