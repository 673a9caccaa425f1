"""``meterway neighbourhood``: a simulated power line or radio mesh for meters and concentrators of other processes."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from meterway.cli.loop import run, until_ended

if TYPE_CHECKING:
    from meterway.links.medium.neighbourhood.records import Carried, Route
    from meterway.links.medium.neighbourhood.settings import NeighbourhoodSettings
    from meterway.links.medium.neighbourhood.wire import Figures

__all__ = ["neighbourhood"]

_PROFILES = ("prime", "g3", "s-fsk", "rf-mesh")
_LAST_NODE: Final = 0xFFFE
_CHANCE = click.FloatRange(0.0, 1.0)


@click.command()
@click.option("--profile", type=click.Choice(_PROFILES), default="prime", show_default=True, help="What it is like.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=10200, show_default=True, help="Where others join, 0 any."
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed places and loses the same.")
@click.option("--loss", type=_CHANCE, help="The share of transmissions lost on every hop, instead of by distance.")
@click.option("--hops", type=click.IntRange(0, 15), default=0, help="How far the last nodes are, instead of by seed.")
@click.option("--coordinators", default="0", show_default=True, help="Nodes of concentrators, with commas between.")
@click.option(
    "--time-factor",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    help="How many times as fast frames are on the medium; clocks keep real time.",
)
@click.option("--quiet", is_flag=True, help="Do not show transmissions.")
@click.option("--json", "as_json", is_flag=True, help="Every transmission as one JSON line.")
def neighbourhood(
    profile: str,
    port: int,
    seed: int,
    loss: float | None,
    hops: int,
    coordinators: str,
    time_factor: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run a simulated neighbourhood network on this machine and show every transmission on it until Ctrl-C.

    At the end it tells the routes and what was lost. It listens on loopback and has no access control.
    """
    from meterway.links.medium.neighbourhood.settings import preset

    changes: dict[str, Any] = {"seed": seed, "loss": loss, "coordinators": _numbers(coordinators)}
    settings = preset(profile, **changes, **({"hops": hops} if hops else {}))
    run(_network(settings, port, time_factor, quiet=quiet, as_json=as_json))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = (-1,)
    if not all(0 <= node <= _LAST_NODE for node in found):
        raise click.BadParameter(f"--coordinators: numbers of 0 to {_LAST_NODE} with commas between, not {text!r}")
    return found


async def _network(
    settings: NeighbourhoodSettings, port: int, time_factor: float, *, quiet: bool, as_json: bool
) -> None:
    from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
    from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub

    hub, watch = NeighbourhoodHub(settings, time_factor=time_factor), NeighbourhoodClient()
    bound = await hub.open(port=port)
    try:
        _say(json.dumps({"event": "listening", "port": bound}) if as_json else f"listening: port {bound}")
        await watch.connect(bound)
        if not quiet:
            watch.watch(lambda carried: _say(_line(carried, as_json=as_json)), lambda figures, routes: None)
        await until_ended()
        _say(_summary(hub.figures(), hub.routes(), as_json=as_json))
    finally:
        watch.close()
        await hub.close()


def _line(carried: Carried, *, as_json: bool) -> str:
    from meterway.links.node import BROADCAST

    if as_json:
        facts = {**carried._asdict(), "octets": len(carried.octets), "hex": carried.octets.hex()}
        return json.dumps({"event": "transmission", **facts})
    at = datetime.fromtimestamp(carried.start_s, UTC).strftime("%H:%M:%S")
    end = "all" if carried.receiver == BROADCAST else f"{carried.receiver}"
    way = "" if carried.to in (carried.receiver, BROADCAST) else f" for {carried.to}"
    again = f", attempt {carried.attempt}" if carried.attempt > 1 else ""
    return f"{at} {carried.sender} to {end}{way}, {len(carried.octets)} octets{again}: {carried.result}"


def _summary(figures: Figures, routes: list[Route], *, as_json: bool) -> str:
    depth = max((route.hops for route in routes), default=0)
    if as_json:
        shown = [{"node": one.node, "parent": one.parent, "hops": one.hops} for one in routes if one.present]
        facts = {"sent": figures.sent, "delivered": figures.delivered, "lost": figures.lost}
        return json.dumps({"event": "ended", **facts, "transmissions": figures.transmissions, "routes": shown})
    lost = ", ".join(f"{count} lost by {cause}" for cause, count in figures.lost.items()) or "none lost"
    return (
        f"{len(routes)} nodes up to {depth} hops away; {figures.sent} frames, {figures.delivered} delivered, {lost}; "
        f"{figures.transmissions} transmissions, {figures.airtime_s:.0f} s on the medium"
    )


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
