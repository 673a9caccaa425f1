"""``meterway import``: meters from a CSV file into the registry."""

from __future__ import annotations

import io
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from meterway.base.errors import ConfigError
from meterway.cli.place import find_config
from meterway.headend.registry import COLUMNS, Imported, import_csv
from meterway.store.database import open_store
from meterway.store.vault import Vault

__all__ = ["import_devices"]


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings of the head end.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as one JSON object.")
def import_devices(file: Path, config: Path | None, as_json: bool) -> None:
    """Put the meters of a CSV FILE into the head end's registry; wrong lines are named and left out."""
    settings = find_config(config)
    store = open_store(settings.store_url)
    try:
        outcome = import_csv(
            io.StringIO(_text(file), newline=""),
            name=str(file),
            store=store,
            vault=Vault.from_file(Path(settings.master_key)),
            now_ms=int(time.time() * 1000),
        )
    finally:
        store.close()
    _show(outcome, as_json=as_json)
    if outcome.errors:
        sys.exit(1)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at octet {error.start}") from None


def _show(outcome: Imported, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": not outcome.errors, **asdict(outcome)}))
        return
    completed = f" {outcome.completed} given their keys," if outcome.completed else ""
    click.echo(f"{outcome.added} meters added,{completed} {len(outcome.errors)} lines left out")
    for error in outcome.errors:
        click.echo(f"  {error}", err=True)


import_devices.help = (
    (import_devices.help or "")
    + "\n\n\b\nColumns:\n"
    + "\n".join(f"  {name:13} {meaning}" for name, meaning in COLUMNS.items())
)
