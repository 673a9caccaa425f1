"""``meterway local``: a meter read at its local port while there is no line to it, and what it said taken in later."""

from __future__ import annotations

import getpass
import json
import os
import sys
import time
from pathlib import Path

import click

from meterway.base.errors import ConfigError
from meterway.base.settings import secret_text
from meterway.cli.device import moment
from meterway.cli.loop import run
from meterway.cli.place import find_config

__all__ = ["local"]

_JSON = click.option("--json", "as_json", is_flag=True, help="The outcome as one JSON object.")
_DAY_S = 86400.0


@click.group()
def local() -> None:
    """What a hand-held does: read a meter at its local port, and bring what it said to the head end."""


@local.command()
@click.argument("place", metavar="HOST:PORT")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--password", required=True, help='"env:NAME" of the variable with the reading client\'s password.')
@click.option("--transport", type=click.Choice(["hdlc", "tcp"]), default="hdlc", show_default=True)
@click.option("--client", type=int, default=2, show_default=True, help="The reading client's address.")
@click.option("--profile", default="idis", show_default=True, help="The meter's companion profile.")
@click.option("--from", "start", metavar="TIME", help="Profiles and logs from this time on; without it, 60 days.")
@_JSON
def read(
    place: str,
    file: Path,
    password: str,
    transport: str,
    client: int,
    profile: str,
    start: str | None,
    as_json: bool,
) -> None:
    """Read the meter at HOST:PORT and write all it said to FILE, as it said it."""
    from meterway.headend.hand_held import LocalPort, read_locally

    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"{place!r} is no HOST:PORT")
    if not password.startswith("env:"):
        raise ConfigError('--password: name a variable ("env:NAME"); a command line is there for all to see')
    if file.exists():
        raise ConfigError(f"{file}: is there already, and what it has may be all there is of a meter")
    where = LocalPort(
        host=host,
        port=int(port),
        password=secret_text(password, field="--password", environ=os.environ).encode(),
        transport=transport,
        client=client,
        profile=profile,
    )
    now = time.time()
    begin = moment(start, "--from")
    reading = run(
        read_locally(where, who=getpass.getuser(), from_s=now - 60 * _DAY_S if begin is None else begin, to_s=now)
    )
    file.write_bytes(reading.encode())
    counts = {"registers": len(reading.registers), "profiles": len(reading.profiles), "logs": len(reading.logs)}
    if as_json:
        click.echo(json.dumps({"ok": True, "serial": reading.serial, "sha256": reading.digest, **counts}))
    else:
        click.echo(f"{reading.serial}: {', '.join(f'{count} {name}' for name, count in counts.items())} in {file}")


@local.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings of the head end.")
@_JSON
def take(file: Path, config: Path | None, as_json: bool) -> None:
    """Put what a hand-held wrote to FILE into the head end's store; what is there already stays."""
    from meterway.headend.fleet import Fleet
    from meterway.headend.local_reading import LocalReading, take_in
    from meterway.store.database import open_store
    from meterway.store.vault import Vault

    settings = find_config(config)
    try:
        reading = LocalReading.decode(file.read_bytes())
    except (OSError, ConfigError) as error:
        raise ConfigError(f"{file}: {error}") from None
    store = open_store(settings.store_url)
    try:
        fleet = Fleet(store, Vault.from_file(Path(settings.master_key)), system_title=bytes(8))
        taken = take_in(
            store, fleet.by_serial(reading.serial), reading, actor=getpass.getuser(), now_ms=int(time.time() * 1000)
        )
    finally:
        store.close()
    if as_json:
        told = {"serial": taken.serial, "values": taken.values, "events": taken.events, "sha256": taken.digest}
        click.echo(json.dumps({"ok": taken.cause == "ok", **told, "error": taken.error}))
    else:
        click.echo(f"{taken.serial}: {taken.values} values, {taken.events} new events {taken.error}".rstrip())
    if taken.cause != "ok":
        sys.exit(1)
