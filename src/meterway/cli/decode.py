"""``meterway decode``: one JSON line out for each telegram in, always, in order."""

from __future__ import annotations

import json
import sys
from typing import BinaryIO

import click

from meterway.base.errors import ConfigError
from meterway.cli.pasted import octets_of
from meterway.cli.telegram_input import TelegramInput, telegrams
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.drivers.registry import Drivers, drivers_of, read_drivers
from meterway.mapping.telegram import FORMATS, Decoded, Refused, decode_telegram
from meterway.stacks.mbus.records.compact import Formats

__all__ = ["decode"]


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--key", "keys", multiple=True, metavar="HEX", help="Encryption key to try; may be given several times.")
@click.option("--auth-key", metavar="HEX", help="Authentication key.")
@click.option("--system-title", metavar="HEX", help="System title of the sender, where the telegram has none.")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), help="The format, if it must not be guessed.")
@click.option(
    "--drivers",
    "folder",
    metavar="DIR",
    envvar="METERWAY_DRIVERS",
    help="Folder with drivers of your own for M-Bus meters, as TOML files (or METERWAY_DRIVERS).",
)
@click.option(
    "--driver", "named", multiple=True, metavar="NAME", help="Use this M-Bus driver, which must be asked for."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines (also the default when the output is no terminal).")
@click.option("--exit-status", is_flag=True, help="Exit with 1 if any telegram was refused.")
def decode(
    file: BinaryIO,
    keys: tuple[str, ...],
    auth_key: str | None,
    system_title: str | None,
    format_: str | None,
    folder: str | None,
    named: tuple[str, ...],
    as_json: bool,
    exit_status: bool,
) -> None:
    """Decode telegrams from FILE or standard input.

    Input is hex (one telegram a line), as programs and logs write it, raw octets, or JSON lines {"hex" or "raw", "key",
    "auth_key", "system_title"}.
    """
    given = DlmsKeys(
        keys=tuple(_hex(key, "--key") for key in keys),
        auth_key=_hex(auth_key, "--auth-key") if auth_key else None,
        system_title=_hex(system_title, "--system-title") if system_title else b"",
    )
    refused = 0
    is_pretty = sys.stdout.isatty() and not as_json
    formats = Formats()
    drivers = _drivers(folder, named)
    for telegram in telegrams(file, given):
        answer = _answer(telegram, format_, formats, drivers)
        refused += isinstance(answer, Refused)
        _write(answer, is_pretty=is_pretty)
    if exit_status and refused:
        sys.exit(1)


def _drivers(folder: str | None, named: tuple[str, ...]) -> Drivers | None:
    """The drivers the user asked for with those of the package; None for the usual ones, read when they are needed."""
    if not folder and not named:
        return None
    return drivers_of(read_drivers(folder) if folder else (), named=named)


def _answer(telegram: TelegramInput, format_: str | None, formats: Formats, drivers: Drivers | None) -> Decoded:
    if telegram.fault:
        return Refused(kind="input", message=telegram.fault, offset=0)
    try:
        return decode_telegram(telegram.octets, telegram.keys, format=format_, formats=formats, drivers=drivers)
    except Exception as error:
        return Refused(kind="internal", message=f"{type(error).__name__}: {error}", offset=0)


def _write(answer: Decoded, *, is_pretty: bool) -> None:
    if is_pretty:
        from meterway.cli.show import show_telegram

        show_telegram(answer)
        return
    sys.stdout.write(json.dumps(answer.as_json(), ensure_ascii=False, separators=(", ", ": ")) + "\n")
    sys.stdout.flush()


def _hex(text: str, option: str) -> bytes:
    octets = octets_of(text.encode())
    if octets is None:
        raise ConfigError(f"{option}: {text!r} is not hex")
    return octets
