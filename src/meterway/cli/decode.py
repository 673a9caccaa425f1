"""``meterway decode``: one JSON line out for each telegram in, always, in order."""

from __future__ import annotations

import codecs
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import click

from meterway.base.errors import ConfigError
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.drivers.registry import Drivers, drivers_of, read_drivers
from meterway.mapping.telegram import FORMATS, Decoded, Refused, decode_telegram
from meterway.model.telegram import Json
from meterway.stacks.mbus.records.compact import Formats

__all__ = ["decode"]

_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_BLANK: Final = b" \t:,-"
_CRC_LINE: Final = re.compile(rb"![0-9A-Fa-f]{4}\r?\n")


@dataclass(frozen=True, slots=True)
class _Input:
    """One telegram with the keys to try; or why its line could not be used."""

    octets: bytes = b""
    keys: DlmsKeys = field(default_factory=DlmsKeys)
    fault: str = ""


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

    Input is hex (one telegram a line), raw octets, or JSON lines {"hex" or "raw", "key", "auth_key", "system_title"}.
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
    for telegram in _telegrams(file, given):
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


def _answer(telegram: _Input, format_: str | None, formats: Formats, drivers: Drivers | None) -> Decoded:
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
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is not hex") from None


# -- what came in -----------------------------------------------------------------------------------------------------


def _telegrams(file: BinaryIO, given: DlmsKeys) -> Iterator[_Input]:
    """Hex or JSON lines if the input looks like them, each as soon as it is there; else raw octets."""
    begun: list[bytes] = []
    for line in file:
        begun.append(line if begun else line.removeprefix(codecs.BOM_UTF8))
        if not _is_nothing(begun[-1]):
            break
    if begun and _is_line(begun[-1]):
        yield from _lines(itertools.chain(begun[-1:], file), given)
        return
    if begun and begun[-1].startswith(b"/"):
        yield from (_Input(part, given) for part in _live(itertools.chain(begun, file)))
        return
    octets = b"".join(begun) + file.read()
    if _is_text_of_lines(octets):
        yield from _lines([octets], given)
    else:
        yield from (_Input(part, given) for part in _raw(octets))


def _lines(parts: Iterable[bytes], given: DlmsKeys) -> Iterator[_Input]:
    for part in parts:
        for line in part.splitlines():
            if not _is_nothing(line):
                text = line.strip()
                yield _json_line(text, given) if text.startswith(b"{") else _hex_line(text, given)


def _is_nothing(line: bytes) -> bool:
    return not line.strip() or line.lstrip().startswith(b"#")


def _is_line(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") or _is_hex(line.strip())


def _is_text_of_lines(octets: bytes) -> bool:
    """Text of which a later line is hex or JSON: the lines before are faults, not a telegram."""
    from meterway.mapping.p1 import is_p1

    return octets.isascii() and not is_p1(octets) and any(_is_line(line) for line in octets.splitlines())


def _live(lines: Iterable[bytes]) -> Iterator[bytes]:
    """P1 telegrams as they come from a port: at their CRC, or without one when the next begins."""
    from meterway.stacks.p1.telegram import split

    gathered = b""
    for line in lines:
        if line.startswith(b"/") and gathered.strip():
            yield from split(gathered)
            gathered = b""
        gathered += line
        if _CRC_LINE.fullmatch(line):
            yield from split(gathered)
            gathered = b""
    if gathered.strip():
        yield from split(gathered)


def _raw(octets: bytes) -> list[bytes]:
    """Raw octets: a capture of P1 telegrams one by one, anything else as one."""
    from meterway.mapping.p1 import is_p1

    if not octets:
        return []
    if is_p1(octets):
        from meterway.stacks.p1.telegram import split

        return split(octets)
    return [octets]


def _is_hex(line: bytes) -> bool:
    digits = _digits(line)
    return len(digits) >= 2 and all(octet in _HEX for octet in digits)


def _digits(line: bytes) -> bytes:
    return line.removeprefix(b"0x").translate(None, _BLANK)


def _hex_line(line: bytes, given: DlmsKeys) -> _Input:
    digits = _digits(line)
    if len(digits) % 2 or not _is_hex(line):
        return _Input(fault="the line is not hex: an even number of digits 0-9 a-f is wanted")
    return _Input(bytes.fromhex(digits.decode("ascii")), given)


def _json_line(line: bytes, given: DlmsKeys) -> _Input:
    try:
        row = json.loads(line)
        octets = _octets(row)
        return _Input(octets, _keys(row, given))
    except (ValueError, TypeError, RecursionError) as error:
        return _Input(fault=f"the JSON line cannot be used: {error}")


def _octets(row: dict[str, Json]) -> bytes:
    text = row.get("hex")
    if isinstance(text, str):
        return bytes.fromhex(text)
    raw = row.get("raw")
    if isinstance(raw, str):
        try:
            return raw.encode("latin-1")
        except UnicodeEncodeError:
            return raw.encode()
    raise ValueError('neither "hex" nor "raw" is there as text')


def _keys(row: dict[str, Json], given: DlmsKeys) -> DlmsKeys:
    keys = _listed(row.get("key")) or given.keys
    auth_key = _listed(row.get("auth_key") or row.get("ak"))
    title = _listed(row.get("system_title") or row.get("systitle"))
    return DlmsKeys(
        keys=keys,
        auth_key=auth_key[0] if auth_key else given.auth_key,
        system_title=title[0] if title else given.system_title,
    )


def _listed(value: Json) -> tuple[bytes, ...]:
    if value is None:
        return ()
    return tuple(bytes.fromhex(str(item)) for item in (value if isinstance(value, list) else [value]))
