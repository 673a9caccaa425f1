"""``meterway demo``: a town on loopback sockets, read, shown, and kept up."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

import click

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
    folder = Path(tempfile.mkdtemp(prefix="meterway-demo-"))
    try:
        summary = _run(plan, folder, web_port=port, stays=not ends, is_quiet=as_json)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    if summary.read < summary.meters:
        sys.exit(1)


def _run(plan: TownPlan, folder: Path, *, web_port: int, stays: bool, is_quiet: bool) -> Summary:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_demo(plan, folder, web_port=web_port, stays=stays, is_quiet=is_quiet))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


async def _demo(plan: TownPlan, folder: Path, *, web_port: int, stays: bool, is_quiet: bool) -> Summary:
    from meterway.cli.screen import DemoScreen
    from meterway.town.town import Town

    screen = DemoScreen(is_quiet=is_quiet)
    with screen.working(f"starting {plan.meters:,} meters, {plan.displays} displays and the head end"):
        town = Town(plan, folder, web_port=web_port)
        try:
            await town.start()
            if stays:
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
