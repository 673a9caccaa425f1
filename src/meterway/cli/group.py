"""``meterway group``: groups of meters, and orders to them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from meterway.base.errors import ConfigError, LinkError
from meterway.cli.loop import run
from meterway.cli.place import find_config
from meterway.model.telegram import Json

if TYPE_CHECKING:
    from meterway.headend.control import Request

__all__ = ["group"]

_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings of the head end, which must run."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="The answer as one JSON object.")
_KINDS = ("disconnect", "reconnect", "emergency", "clock", "load-off", "load-on")


@click.group()
def group() -> None:
    """Groups of meters: define them, order something of all at once, see what came of it."""


@group.command()
@click.argument("name")
@click.option("--nnap", "nnaps", multiple=True, metavar="SERIAL", help="All meters of a concentrator; repeatable.")
@click.option("--meter", "meters", multiple=True, metavar="SERIAL", help="A meter; repeatable.")
@click.option("--profile", default="", help="All meters of a companion profile.")
@_CONFIG
@_JSON
def define(
    name: str, nnaps: tuple[str, ...], meters: tuple[str, ...], profile: str, config: Path | None, as_json: bool
) -> None:
    """Define the group NAME, or define it anew."""
    given: dict[str, Json] = {"name": name, "nnaps": list(nnaps), "meters": list(meters), "profile": profile}
    _show(_ask(config, "group-define", name, given), as_json)


@group.command(name="list")
@_CONFIG
@_JSON
def list_groups(config: Path | None, as_json: bool) -> None:
    """All groups."""
    _show(_ask(config, "group-list", "", {}), as_json)


@group.command()
@click.argument("name")
@click.argument("kind", type=click.Choice(_KINDS))
@click.option("--value", help="JSON: the emergency profile, or duration_s, offset_s, emergency of a load order.")
@click.option("--not-before", type=float, default=0.0, metavar="UNIX", help="Not before this time (Unix seconds).")
@click.option("--expires", type=float, default=0.0, metavar="UNIX", help="Not after this time; a day if left out.")
@click.option("--confidence", type=click.FloatRange(0.01, 0.999), default=0.95, show_default=True)
@click.option("--tolerated", type=click.FloatRange(0.001, 0.99), default=0.05, show_default=True)
@click.option("--sample", type=click.IntRange(min=0), default=0, help="Meters of each concentrator to read back.")
@click.option("--settle", "settle_s", type=click.FloatRange(0, 86400), default=0.0, help="Seconds before reading back.")
@click.option("--dry-run", is_flag=True, help="Say who would get it and how; do nothing.")
@_CONFIG
@_JSON
def order(
    name: str,
    kind: str,
    value: str | None,
    not_before: float,
    expires: float,
    confidence: float,
    tolerated: float,
    sample: int,
    settle_s: float,
    dry_run: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Order KIND of the group NAME: once a concentrator by broadcast where all of its meters are meant."""
    try:
        parsed = json.loads(value) if value is not None else None
    except ValueError as error:
        raise click.UsageError(f"--value: not JSON ({error})") from None
    wanted: dict[str, Json] = {
        "kind": kind, "value": parsed, "not_before": not_before, "expires": expires, "confidence": confidence,
        "tolerated": tolerated, "sample": sample, "settle_s": settle_s, "dry_run": dry_run,
    }  # fmt: skip
    _show(_ask(config, "group-order", name, wanted), as_json)


@group.command()
@click.argument("order_id")
@_CONFIG
@_JSON
def show(order_id: str, config: Path | None, as_json: bool) -> None:
    """How an order stands."""
    _show(_ask(config, "group-show", order_id, {}), as_json)


def _ask(config: Path | None, action: str, name: str, value: dict[str, Json]) -> dict[str, Json]:
    from meterway.headend.control import Request, ask, socket_path

    settings = find_config(config)
    path = socket_path(settings.store_url)
    if path is None:
        raise ConfigError("groups are ordered through the API of a head end whose store is not a file of this machine")
    request: Request = Request(action=action, serial=name, value=value)
    answer = run(ask(path, request))
    if answer is None:
        raise LinkError(f"no head end runs on this store ({path}); start it: meterway headend")
    return answer


def _show(answer: dict[str, Json], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer))
    elif isinstance(answer.get("error"), dict):
        click.echo(f"meterway: {cast(dict[str, Json], answer['error'])['message']}", err=True)
    else:
        for line in _lines(answer):
            click.echo(line)
    if not answer.get("ok"):
        sys.exit(1)


def _lines(answer: dict[str, Json]) -> list[str]:
    if "groups" in answer:
        rows = cast(list[dict[str, Json]], answer["groups"])
        return [f"{row['name']}: {_members(row)}" for row in rows] or ["there is no group"]
    report = cast(dict[str, Json], answer.get("order") or {})
    if not report:
        return ["defined"]
    lines = [f"order {report['id']}: {report['kind']} of {report['group']}, {report['state']}"]
    for part in cast(list[dict[str, Json]], report["parts"]):
        way = f"{part['way']}{' (' + str(part['why']) + ')' if part['why'] else ''}"
        text = f"  {part['nnap'] or 'no concentrator'}: {part['members']} meters, {way}, {part['state']}"
        if part["sampled"]:
            share = cast(float, part["failed_at_most"])
            text += f"; {part['confirmed']} of {part['sampled']} read back have done it,"
            text += f" at most {share:.1%} have not ({cast(float, report['confidence']):.0%} sure)"
        lines.append(text)
        found = cast(dict[str, str], part["devices"])
        lines += [f"    {serial}: {state}" for serial, state in found.items() if state != "confirmed"]
    return lines


def _members(row: dict[str, Json]) -> str:
    named = [*cast(list[str], row["nnaps"]), *cast(list[str], row["meters"])]
    return ", ".join([*named, *([f"profile {row['profile']}"] if row["profile"] else [])])
