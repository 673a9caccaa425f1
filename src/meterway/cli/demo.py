"""``meterway demo``: a town on loopback sockets, read, shown, and kept up."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from meterway.base.errors import ConfigError
from meterway.cli.loop import run
from meterway.town.plan import MAX_HOMES, MAX_METERS, MAX_NEIGHBOURS, TownPlan, serial_of
from meterway.town.summary import Summary

if TYPE_CHECKING:
    from meterway.town.town import Town

__all__ = ["demo"]

_TOLD_METER: Final = 7


@click.command()
@click.option(
    "--meters", type=click.IntRange(1, MAX_METERS), default=200, show_default=True, help="Electricity meters."
)
@click.option("--displays", type=click.IntRange(0, 200), default=10, show_default=True, help="Consumer displays on H1.")
@click.option(
    "--homes",
    type=click.IntRange(0, MAX_HOMES),
    default=3,
    show_default=True,
    help="Homes with a gateway (LNAP) and gas, water and heat meters behind it.",
)
@click.option(
    "--neighbours",
    type=click.IntRange(0, MAX_NEIGHBOURS),
    default=12,
    show_default=True,
    help="Meters on a neighbourhood network behind a concentrator (NNAP), 0 leaves it out.",
)
@click.option("--once", is_flag=True, help="End after the first full collection, with its summary.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object (implies --once).")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8480, show_default=True, help="Port of the pages, 0 any."
)
def demo(meters: int, displays: int, homes: int, neighbours: int, once: bool, as_json: bool, port: int) -> None:
    """Start a town of meters, displays and a head end on this machine, read every meter, show it.

    Without a terminal it ends like --once, with the summary as text.
    """
    plan = TownPlan(meters=meters, displays=displays, homes=homes, neighbours=neighbours)
    ends = once or as_json or not sys.stdout.isatty()
    if not ends:
        _check_free(port)
    summary = run(_demo(plan, web_port=port, stays=not ends, is_quiet=as_json))
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    if not summary.is_whole:
        sys.exit(1)


@contextlib.contextmanager
def _folder(*, stays: bool) -> Iterator[Path]:
    """A new folder, removed at the end.

    For a demo that stays up it is the place where other commands look for it, unless one is up already or nothing can
    be written there.
    """
    place = _known_place() if stays else None
    folder = place or Path(tempfile.mkdtemp(prefix="meterway-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _known_place() -> Path | None:
    from meterway.cli.place import demo_folder

    place = demo_folder()
    if not _is_free(place):
        return None
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(parents=True, mode=0o700)
    except OSError:
        return None
    return place


def _is_free(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(place / "meterway.sqlite.sock"))
        except OSError:
            return True
    return False


async def _demo(plan: TownPlan, *, web_port: int, stays: bool, is_quiet: bool) -> Summary:
    with _folder(stays=stays) as folder:
        return await _town(plan, folder, web_port=web_port, stays=stays, is_quiet=is_quiet)


async def _town(plan: TownPlan, folder: Path, *, web_port: int, stays: bool, is_quiet: bool) -> Summary:
    from meterway.cli.screen import DemoScreen
    from meterway.town.town import Town

    screen = DemoScreen(is_quiet=is_quiet)
    town = Town(plan, folder, web_port=web_port)
    try:
        with screen.working(
            f"starting {plan.meters:,} meters, {plan.displays} displays, {plan.homes} homes, "
            f"{plan.neighbours} neighbours and the head end"
        ):
            config = await _open_pages(town, folder) if stays else None
            await town.start()
        with screen.collecting(plan.meters) as advance:
            summary = await town.first_collection(advance)
        screen.summary(summary)
        if config is not None:
            await screen.stay(town, _command(config, serial_of(min(_TOLD_METER, plan.meters))))
        return summary
    finally:
        await town.stop()


async def _open_pages(town: Town, folder: Path) -> Path:
    """The pages, and the settings by which commands find the town."""
    from meterway.cli.place import DEMO_CONFIG

    await town.start_pages()
    config = folder / DEMO_CONFIG
    config.write_text(town.settings_file(), encoding="utf-8")
    return config


def _check_free(port: int) -> None:
    """ConfigError if the pages cannot have their port: told at once, before anything is started."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(f"--port: 127.0.0.1:{port}: {reason}; name another one, 0 takes any that is free") from None


def _command(config: Path, serial: str) -> str:
    """What to type in another terminal."""
    from meterway.cli.place import demo_folder

    is_known = config.parent == demo_folder()
    return f"meterway read {serial} 1.8.0" + ("" if is_known else f" --config {shlex.quote(str(config))}")
