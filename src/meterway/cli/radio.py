"""``meterway radio``: a simulated air that meters and gateways of other processes join."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from meterway.cli.loop import run, until_ended

if TYPE_CHECKING:
    from meterway.links.medium.wire import Gone

__all__ = ["radio"]


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=10100, show_default=True, help="Where others join, 0 any."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed fades and loses the same.")
@click.option("--json", "as_json", is_flag=True, help="Every frame as one JSON line.")
def radio(port: int, seed: int, as_json: bool) -> None:
    """Run a simulated radio (868, 433 and 169 MHz) on this machine and show every telegram on it until Ctrl-C.

    It listens on loopback and has no access control.
    """
    run(_air(port, seed, as_json))


async def _air(port: int, seed: int, as_json: bool) -> None:
    from meterway.links.medium.air import AirSettings
    from meterway.links.medium.client import RadioClient
    from meterway.links.medium.hub import RadioHub
    from meterway.stacks.mbus.wireless.modes import MODES

    hub, watch = RadioHub(MODES, AirSettings(seed=seed)), RadioClient()
    bound = await hub.open(port=port)
    try:
        _say(json.dumps({"event": "listening", "port": bound}) if as_json else f"listening: port {bound}")
        await watch.connect(bound)
        watch.watch(lambda frame: _say(_line(frame, as_json=as_json)), lambda _: None)
        await until_ended()
    finally:
        watch.close()
        await hub.close()


def _line(frame: Gone, *, as_json: bool) -> str:
    from meterway.mapping.in_words import in_words

    if as_json:
        facts = {"time": frame.start_s, "station": frame.station, "mode": frame.mode, "heard": frame.heard}
        return json.dumps({"event": "frame", **facts, "lost": frame.lost, "hex": frame.octets.hex()})
    at = datetime.fromtimestamp(frame.start_s, UTC).strftime("%H:%M:%S")
    lost = "".join(f", {count} lost by {cause}" for cause, count in frame.lost.items())
    fate = f"{len(frame.octets)} octets, heard by {frame.heard}{lost}"
    return f"{at} {frame.station} {frame.mode}, {fate}: {in_words(frame.octets)}"


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
