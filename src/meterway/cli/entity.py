"""``meterway meter``, ``display``, ``lnap``, ``nnap``, ``headend``: one entity alone, from a TOML file."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meterway.base.errors import ConfigError
from meterway.cli.loop import run, until_ended
from meterway.cli.supervise import RESTART, SUPERVISED, supervise
from meterway.cli.utility import UTILITIES, mbus_sample, run_mbus, speaks_mbus
from meterway.model.telegram import Json

if TYPE_CHECKING:
    from meterway.headend.config import HeadEndConfig
    from meterway.lnap.api import LnapConfig
    from meterway.meter.api import HostConfig
    from meterway.nnap.api import NnapConfig

__all__ = ["display", "headend", "lnap", "meter", "nnap"]

_FILE = click.Path(path_type=Path, dir_okay=False)


def _write_sample(text: str, path: Path | None) -> None:
    """To a new file, readable by its owner only (it may hold keys), or to standard output."""
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} is already there; it is left as it is") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    click.echo(f"{path} written", err=True)


def _say(as_json: bool, event: str, **facts: Json) -> None:
    if as_json:
        click.echo(json.dumps({"event": event, **facts}))
    else:
        text = ", ".join(f"{name} {value}" for name, value in facts.items())
        click.echo(f"{event}: {text}" if text else event)
    sys.stdout.flush()


# -- meter ------------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("config", type=_FILE, required=False)
@click.option("--write-config", is_flag=True, help="Write a commented settings file (to CONFIG, or shown) and end.")
@click.option("--serial", default="M0001", show_default=True, help="Serial of the meter in a written file.")
@click.option(
    "--utility",
    type=click.Choice(UTILITIES),
    default=UTILITIES[0],
    show_default=True,
    help="What the meter in a written file measures; all but electricity speak M-Bus, wired or by radio.",
)
@click.option(
    "--csv", is_flag=True, help="Show the meters as a CSV file for the head end's registry (with keys) and end."
)
@click.option(
    "--white-list",
    is_flag=True,
    help="Show the meters as the settings of a gateway or concentrator list them (with keys) and end.",
)
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines.")
def meter(
    config: Path | None, write_config: bool, serial: str, utility: str, csv: bool, white_list: bool, as_json: bool
) -> None:
    """Run the virtual meters of a TOML file until Ctrl-C."""
    if write_config:
        _write_sample(_meter_sample(serial, utility), config)
        return
    path = _wanted(config, "meter")
    if speaks_mbus(path):
        if csv:
            raise ConfigError("--csv: a head end reaches these meters through a gateway; see --white-list")
        run_mbus(path, _say, white_list=white_list, as_json=as_json)
        return
    from meterway.meter.api import load_config

    settings = load_config(path)
    if white_list:
        _show_nodes(settings)
        return
    if csv:
        _show_registry(settings)
        return
    run(_meters(settings, as_json))


def _meter_sample(serial: str, utility: str) -> str:
    from meterway.meter.api import sample

    if utility != UTILITIES[0]:
        return mbus_sample(utility)
    if not re.fullmatch(r"[A-Za-z0-9]{1,16}", serial):
        raise ConfigError(f"--serial: 1 to 16 letters and digits are wanted, not {serial!r}")
    return sample(serial)


def _wanted(config: Path | None, entity: str) -> Path:
    if config is None:
        raise click.UsageError(f"a settings file is wanted; make one: meterway {entity} --write-config {entity}.toml")
    return config


async def _meters(settings: HostConfig, as_json: bool) -> None:
    from meterway.meter.api import MeterHost

    host = MeterHost(settings)
    await host.start()
    try:
        for end in host.endpoints:
            _say(as_json, "listening", serial=end.serial, transport=end.transport, address=end.address, port=end.port)
        for serial, port in host.h1_ports.items():
            _say(as_json, "consumer port", serial=serial, port=port)
        if settings.network is not None:
            known = settings.network
            _say(as_json, "network", profile=known.profile, address=known.address, port=known.port, node=known.node)
        await until_ended()
    finally:
        await host.stop(last_gasp=True)


def _show_nodes(settings: HostConfig) -> None:
    """The meters as a concentrator's settings list its nodes."""
    if settings.network is None:
        raise ConfigError("--white-list: these meters speak DLMS to the head end; see --csv")
    for one in settings.meters:
        title = one.title.hex()
        click.echo(f'[[nodes]]\neui = "{title}"\ntitle = "{title}"\nserial = "{one.serial}"')
        click.echo(f'profile = "{one.country}"')
        if one.join_key:
            click.echo(f'key = "{one.join_key.hex()}"')
        click.echo(f'guek = "{one.keys.guek.hex()}"\ngak = "{one.keys.gak.hex()}"\n')


def _show_registry(settings: HostConfig) -> None:
    """One line a meter: the first way in that a head end can take, with the logical device where it is shared."""
    from meterway.meter.api import HDLC_PHYSICAL

    listen = next((one for one in settings.listen if one.transport != "udp"), None)
    if listen is None and settings.network is not None:
        raise ConfigError("--csv: a head end reaches these meters through a concentrator; see --white-list")
    if listen is None:
        raise ConfigError("listen: a head end calls over tcp or hdlc, and these meters listen on udp only")
    click.echo("serial,system_title,profile,transport,host,port,sap,physical,guek,gak")
    physical = str(HDLC_PHYSICAL) if listen.transport == "hdlc" else ""
    for number, one in enumerate(settings.meters):
        shared = listen.sharing != "port-per-meter"
        port, sap = (listen.port, number + 1) if shared else (listen.port + number, 1)
        row = f"{one.serial},{one.title.hex()},{one.country},{listen.transport},{listen.address},{port},{sap}"
        click.echo(f"{row},{physical},{one.keys.guek.hex()},{one.keys.gak.hex()}")


# -- display ----------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("config", type=_FILE, required=False)
@click.option("--write-config", is_flag=True, help="Write a commented settings file (to CONFIG, or shown) and end.")
@click.option("--json", "as_json", is_flag=True, help="Each change of what is shown as one JSON line.")
def display(config: Path | None, write_config: bool, as_json: bool) -> None:
    """Run a simple consumer display: a panel in the terminal and a page, fed by a meter's H1 port."""
    from meterway.display import api

    if write_config:
        _write_sample(api.write_config(), config)
        return
    settings = api.load_config(_wanted(config, "display"))
    try:
        run(_shown(settings) if as_json else api.run(settings, panel=sys.stdout.isatty()))
    except KeyboardInterrupt:
        sys.exit(130)


async def _shown(settings: object) -> None:
    from meterway.display.api import Display, DisplayConfig

    if not isinstance(settings, DisplayConfig):
        return
    shown = Display(settings)
    shown.start()
    try:
        async for view in shown.changes():
            click.echo(json.dumps(view.as_json()))
            sys.stdout.flush()
    finally:
        await shown.stop()


# -- local network access point -------------------------------------------------------------------------------------


@click.command()
@click.argument("config", type=_FILE, required=False)
@click.option("--write-config", is_flag=True, help="Write a commented settings file (to CONFIG, or shown) and end.")
@click.option("--csv", metavar="PARTY", help="Show PARTY's rows for the head end's registry (with keys) and end.")
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines.")
def lnap(config: Path | None, write_config: bool, csv: str | None, as_json: bool) -> None:
    """Run a gateway: it hears and polls the meters of its white list and serves their values until Ctrl-C."""
    from meterway.lnap.api import load_config, sample, slots_of

    if write_config:
        _write_sample(sample(), config)
        return
    settings = load_config(_wanted(config, "lnap"))
    if csv is not None:
        _show_rows(settings, csv)
        return
    if settings.update is not None and SUPERVISED not in os.environ:
        arguments = ["lnap", str(config), *(["--json"] if as_json else [])]
        sys.exit(supervise(arguments, slots_of(settings)))
    if run(_gateway(settings, as_json)):
        sys.exit(RESTART)


def _show_rows(settings: LnapConfig, party: str) -> None:
    from meterway.lnap.api import registry_rows_of

    rows = registry_rows_of(settings, party)
    click.echo(",".join(rows[0]))
    for row in rows:
        click.echo(",".join(row.values()))


async def _gateway(settings: LnapConfig, as_json: bool) -> bool:
    """Whether it is to be started anew."""
    from meterway.lnap.api import serve_lnap

    async with serve_lnap(settings) as gateway:
        _say(as_json, "firmware", version=gateway.site.firmware)
        for side, port in gateway.ports.items():
            _say(as_json, "listening", side=side, port=port)
        waits = {asyncio.create_task(until_ended()), asyncio.create_task(gateway.ended.wait())}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        return gateway.ended.is_set()


# -- neighbourhood network access point -------------------------------------------------------------------------------


@click.command()
@click.argument("config", type=_FILE, required=False)
@click.option("--write-config", is_flag=True, help="Write a commented settings file (to CONFIG, or shown) and end.")
@click.option("--csv", metavar="PARTY", help="Show PARTY's rows for the head end's registry (with keys) and end.")
@click.option(
    "--copy-state", type=_FILE, metavar="FILE", help="Copy the state of a running concentrator for a standby, and end."
)
@click.option("--take-over", is_flag=True, help="Run on the copied state of another that is gone.")
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines.")
def nnap(
    config: Path | None, write_config: bool, csv: str | None, copy_state: Path | None, take_over: bool, as_json: bool
) -> None:
    """Run a concentrator: it reads the meters of its network and carries what others ask of them, until Ctrl-C."""
    from meterway.nnap import api

    if write_config:
        _write_sample(api.sample(), config)
        return
    settings = api.load_config(_wanted(config, "nnap"))
    if csv is not None:
        rows = api.registry_rows_of(settings, csv)
        click.echo(",".join(rows[0]))
        for row in rows:
            click.echo(",".join(row.values()))
    elif copy_state is not None:
        api.copy_state(settings, copy_state)
        click.echo(f"{copy_state} written", err=True)
    else:
        if take_over:
            api.take_over(settings)
        run(_concentrator(settings, as_json))


async def _concentrator(settings: NnapConfig, as_json: bool) -> None:
    from meterway.nnap.api import serve_nnap

    async with serve_nnap(settings) as concentrator:
        heard = concentrator.collector
        battery = {} if heard is None else {"battery_meters": len(heard.gateway.channels)}
        _say(as_json, "listening", port=concentrator.port, mode=settings.mode, nodes=len(settings.nodes), **battery)
        await until_ended()


# -- head end ---------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("config", type=_FILE, required=False)
@click.option("--write-config", is_flag=True, help="Write a commented settings file (to CONFIG, or shown) and end.")
@click.option("--new-token", metavar="NAME", help="Make an API token of that name, show it once, and end.")
@click.option("--new-nnap-token", metavar="SERIAL", help="Make the token a concentrator delivers with, and end.")
@click.option("--json", "as_json", is_flag=True, help="What happens as JSON lines.")
def headend(
    config: Path | None, write_config: bool, new_token: str | None, new_nnap_token: str | None, as_json: bool
) -> None:
    """Run the head end of a TOML file: it collects on schedule and serves its pages until Ctrl-C."""
    from meterway.headend.config import load_config, sample

    if write_config:
        _write_sample(sample(), config)
        return
    settings = load_config(_wanted(config, "headend"))
    for setting, path, name in (
        ("web.tokens", settings.web.tokens, new_token),
        ("bulk.tokens", settings.bulk.tokens, new_nnap_token),
    ):
        if name is not None:
            _make_token(setting, path, name, as_json)
            return
    run(_head_end(settings, as_json))


def _make_token(setting: str, path: str, name: str, as_json: bool) -> None:
    from meterway.headend.web.tokens import new_token

    if not path:
        raise ConfigError(f'{setting}: name the file of tokens in the settings first, e.g. "meterway.tokens"')
    token = new_token(Path(path), name)
    click.echo(json.dumps({"name": name, "token": token}) if as_json else token)


async def _head_end(settings: HeadEndConfig, as_json: bool) -> None:
    from meterway.headend.control_server import ControlSocket
    from meterway.headend.serve import HeadEnd
    from meterway.headend.web.server import serve

    head_end = HeadEnd(settings)
    control = ControlSocket(head_end)
    try:
        await control.start()
        pages = await serve(head_end)
        try:
            await head_end.start()
            _say(as_json, "pages", address=pages.address)
            if settings.push.enabled:
                _say(as_json, "push", port=head_end.push.port)
            await until_ended()
        finally:
            await pages.stop()
    finally:
        await control.stop()
        await head_end.stop()
