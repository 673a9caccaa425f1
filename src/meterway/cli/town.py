"""``meterway town``: one of the physical configurations P1 to P15 on this machine."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meterway.cli.loop import run, until_ended
from meterway.town.configurations.catalogue import CONFIGURATIONS, configuration_of

if TYPE_CHECKING:
    from meterway.town.configurations.running import Running
    from meterway.town.configurations.summary import ConfigurationSummary

__all__ = ["town"]


@click.command()
@click.option("--configuration", "label", metavar="P1..P15", help="Which one; without it they are listed.")
@click.option("--meters", type=click.IntRange(1), default=6, show_default=True, help="Meters at least.")
@click.option("--once", is_flag=True, help="End after the first full collection, with its summary.")
@click.option("--json", "as_json", is_flag=True, help="The summary (or the list) as one JSON object; implies --once.")
def town(label: str | None, meters: int, once: bool, as_json: bool) -> None:
    """Bring up a physical configuration: every entity it has, on sockets, read by its head ends.

    Without a terminal it ends like --once.
    """
    if label is None:
        _list(as_json=as_json)
        return
    configuration_of(label)
    stays = not (once or as_json) and sys.stdout.isatty()
    summary = run(_town(label, meters, stays=stays, as_json=as_json))
    if summary.read < summary.meters:
        sys.exit(1)


def _list(*, as_json: bool) -> None:
    if as_json:
        rows = [
            {"configuration": one.label, "title": one.title, "met_as": one.met_as, "interfaces": one.interfaces}
            for one in CONFIGURATIONS.values()
        ]
        click.echo(json.dumps({"configurations": rows}))
        return
    for one in CONFIGURATIONS.values():
        click.echo(f"{one.label:4} {one.title} ({', '.join(one.interfaces)})")


async def _town(label: str, meters: int, *, stays: bool, as_json: bool) -> ConfigurationSummary:
    from meterway.town.configurations.running import Running

    with tempfile.TemporaryDirectory(prefix="meterway-town-") as folder:
        running = Running(label, meters, Path(folder))
        try:
            await running.start()
            summary = await running.first_collection()
            _show(summary, as_json=as_json)
            if stays:
                await _stay(running)
            return summary
        finally:
            await running.stop()


def _show(summary: ConfigurationSummary, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary.as_json()))
    else:
        width = max(len(name) for name, _ in summary.rows())
        for name, text in summary.rows():
            click.echo(f"{name:{width}}  {text}")
    sys.stdout.flush()


async def _stay(running: Running) -> None:
    """The pages of its first head end, until Ctrl-C."""
    from meterway.headend.web.server import serve

    for head_end in tuple(running.head_ends.values())[:1]:
        pages = await serve(head_end)
        try:
            click.echo(f"pages: {pages.address} (Ctrl-C ends)")
            await until_ended()
        finally:
            await pages.stop()
        return
    await until_ended()
