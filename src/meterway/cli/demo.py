"""``meterway demo``: a town on loopback sockets, read, shown, and kept up."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import click

from meterway.cli.loop import run
from meterway.town.plan import MAX_METERS, TownPlan
from meterway.town.summary import Summary

__all__ = ["demo"]


@click.command()
@click.option(
    "--meters", type=click.IntRange(1, MAX_METERS), default=200, show_default=True, help="Electricity meters."
)
@click.option("--displays", type=click.IntRange(0, 200), default=10, show_default=True, help="Consumer displays on H1.")
@click.option("--once", is_flag=True, help="End after the first full collection, with its summary.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object (implies --once).")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8480, show_default=True, help="Port of the pages, 0 any."
)
def demo(meters: int, displays: int, once: bool, as_json: bool, port: int) -> None:
    """Start a town of meters, displays and a head end on this machine, read every meter, show it.

    Without a terminal it ends like --once, with the summary as text.
    """
    plan = TownPlan(meters=meters, displays=displays)
    ends = once or as_json or not sys.stdout.isatty()
    folder = _folder(stays=not ends)
    try:
        summary = run(_demo(plan, folder, web_port=port, stays=not ends, is_quiet=as_json))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    if summary.read < summary.meters:
        sys.exit(1)


def _folder(*, stays: bool) -> Path:
    """A new folder; for a demo that stays up the place where other commands look for it, unless one is up already."""
    from meterway.cli.place import demo_folder

    place = demo_folder()
    if not stays or not _is_free(place):
        return Path(tempfile.mkdtemp(prefix="meterway-demo-"))
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    return place


def _is_free(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(place / "meterway.sqlite.sock"))
        except OSError:
            return True
    return False


async def _demo(plan: TownPlan, folder: Path, *, web_port: int, stays: bool, is_quiet: bool) -> Summary:
    from meterway.cli.place import DEMO_CONFIG
    from meterway.cli.screen import DemoScreen
    from meterway.town.town import Town

    screen = DemoScreen(is_quiet=is_quiet)
    with screen.working(f"starting {plan.meters:,} meters, {plan.displays} displays and the head end"):
        town = Town(plan, folder, web_port=web_port)
        try:
            await town.start()
            if stays:
                (folder / DEMO_CONFIG).write_text(town.settings_file(), encoding="utf-8")
                await town.start_pages()
        except BaseException:
            await town.stop()
            raise
    try:
        with screen.collecting(plan.meters) as advance:
            summary = await town.first_collection(advance)
        screen.summary(summary)
        if stays:
            await screen.stay(town)
        return summary
    finally:
        await town.stop()
