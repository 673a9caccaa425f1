"""What comes into ``meterway decode``, cut into telegrams with their keys: lines of text, JSON lines or raw octets."""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from meterway.cli.pasted import octets_of
from meterway.mapping.capture import CUT, Capture, end_of
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.p1 import is_p1
from meterway.mapping.tic import is_tic
from meterway.model.telegram import Json
from meterway.stacks.iec21.readout import looks_like_readout
from meterway.stacks.p1.telegram import split

__all__ = ["TelegramInput", "telegrams"]

_CRC_LINE: Final = re.compile(rb"![0-9A-Fa-f]{4}\r?\n")
_TIC_BEGIN: Final = re.compile(rb"(?=\x02)|(?<!\x02\n)(?<=\n)(?=AD(?:CO|SC)[ \t])")
_HEX_NAMES: Final = ("hex", "telegram", "data", "frame", "payload", "sml")
_CHUNK: Final = 1 << 16
_MOST_LINES: Final = 256
_LONGEST_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class TelegramInput:
    """One telegram with the keys to try; or why its line could not be used."""

    octets: bytes = b""
    keys: DlmsKeys = field(default_factory=DlmsKeys)
    fault: str = ""


def telegrams(file: BinaryIO, given: DlmsKeys) -> Iterator[TelegramInput]:
    """Hex or JSON lines if the input looks like them, P1 or other raw octets otherwise; each as soon as it is there.

    ``given`` are the keys for what brings none of its own.
    """
    begun: list[bytes] = []
    for line in file:
        begun.append(line if begun else line.removeprefix(codecs.BOM_UTF8))
        if not _is_nothing(begun[-1]):
            break
    if not begun or _is_nothing(begun[-1]):
        return
    first = begun[-1]
    if first.startswith(b"/"):
        yield from (TelegramInput(part, given) for part in _live(itertools.chain(begun, file)))
    elif _is_line(first):
        yield from _lines(itertools.chain([first], file), given)
    else:
        yield from _others(b"".join(begun), file, given)


def _others(begun: bytes, file: BinaryIO, given: DlmsKeys) -> Iterator[TelegramInput]:
    """Text whose first line says nothing is read to its end; raw octets are cut as they come."""
    if not _is_text(begun):
        yield from (TelegramInput(part, given) for part in _raw(begun, file))
        return
    octets = begun + file.read()
    if is_p1(octets) or looks_like_readout(octets):
        yield from (TelegramInput(part, given) for part in split(octets))
    elif is_tic(octets):
        yield from (TelegramInput(part, given) for part in _TIC_BEGIN.split(octets) if part.strip())
    elif _is_text(octets) and any(_is_line(line) for line in octets.splitlines()):
        yield from _lines(octets.splitlines(), given)  # the lines before are faults, not a telegram
    else:
        yield TelegramInput(octets, given)


def _raw(begun: bytes, file: BinaryIO) -> Iterator[bytes]:
    capture = Capture()
    yield from capture.feed(begun)
    while chunk := file.read(_CHUNK):
        yield from capture.feed(chunk)
    yield from capture.flush()


def _live(lines: Iterable[bytes]) -> Iterator[bytes]:
    """P1 telegrams as they come from a port: at their CRC, or without one when the next begins."""
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


# -- lines ------------------------------------------------------------------------------------------------------------


def _is_nothing(line: bytes) -> bool:
    return not line.strip() or line.lstrip().startswith(b"#")


def _is_text(octets: bytes) -> bool:
    """UTF-8 without control characters but those that end lines and columns."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return False
    return not any(ord(letter) < 32 and letter not in "\t\r\n\x1b\x02\x03" for letter in text)


def _is_line(line: bytes) -> bool:
    if line.lstrip().startswith(b"{"):
        return True
    return not is_p1(line) and not is_tic(line) and not looks_like_readout(line) and octets_of(line.strip()) is not None


def _lines(lines: Iterable[bytes], given: DlmsKeys) -> Iterator[TelegramInput]:
    """One telegram a line; lines are joined only where they are pieces of frames that are whole together."""
    joined = _Joined()
    for raw in lines:
        for line in raw.splitlines():
            yield from _line(line, joined, given)
    yield from _inputs(joined.flush(), given)


def _line(line: bytes, joined: _Joined, given: DlmsKeys) -> Iterator[TelegramInput]:
    text = line.strip()
    is_other = _is_nothing(line) or text.startswith(b"{")
    octets = None if is_other else octets_of(text, **({"shortest": 1} if joined.is_open else {}))
    if octets is not None:
        yield from _inputs(joined.add(octets), given)
        return
    yield from _inputs(joined.flush(), given)
    if _is_nothing(line):
        return
    if text.startswith(b"{"):
        yield _json_line(text, given)
    else:
        yield TelegramInput(fault="the line is not hex: an even number of digits 0-9 a-f is wanted")


def _inputs(parts: Iterable[bytes], given: DlmsKeys) -> Iterator[TelegramInput]:
    for part in parts:
        if len(part) <= _LONGEST_LINE:
            yield TelegramInput(part, given)
            continue
        yield from (TelegramInput(one, given) for one in _cut(part))


class _Joined:
    """Lines of a dump that break frames apart: held from one that ends within a frame until all frames are whole.

    If that never comes, each line is a telegram of its own.
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []

    @property
    def is_open(self) -> bool:
        """Whether a frame has begun that has not ended."""
        return bool(self._held)

    def add(self, octets: bytes) -> Iterator[bytes]:
        """The octets of the next line; gives what is certain now."""
        together = b"".join((*self._held, octets))
        end = _end_of_all(together, is_alone=not self._held)
        if end == CUT and len(self._held) < _MOST_LINES:
            self._held.append(octets)
        elif self._held and end == len(together):
            self._held.clear()
            yield from _cut(together)
        elif self._held:
            yield from self.flush()
            yield from self.add(octets)
        else:
            yield octets

    def flush(self) -> Iterator[bytes]:
        """Nothing follows that could be joined."""
        held = self._held.copy()
        self._held.clear()
        together = b"".join(held)
        yield from [together] if _end_of_all(together, is_alone=True) == len(together) > 0 else held


def _cut(octets: bytes) -> Iterator[bytes]:
    capture = Capture()
    yield from capture.feed(octets)
    yield from capture.flush()


def _end_of_all(octets: bytes, *, is_alone: bool) -> int:
    """The end of all if frame follows upon frame to the last octet, CUT if the last is broken off, else 0."""
    start = 0
    while start < len(octets):
        end = end_of(octets, start, is_alone=is_alone)
        if end <= start:
            return end
        start = end
    return start


# -- JSON lines -------------------------------------------------------------------------------------------------------


def _json_line(line: bytes, given: DlmsKeys) -> TelegramInput:
    octets = octets_of(line) if b'"' not in line else None
    if octets is not None:
        return TelegramInput(octets, given)
    try:
        row = json.loads(line)
        return TelegramInput(_octets(row), _keys(row, given))
    except (ValueError, TypeError, RecursionError) as error:
        return TelegramInput(fault=f"the JSON line cannot be used: {error}")


def _octets(row: dict[str, Json]) -> bytes:
    text = next((row[name] for name in _HEX_NAMES if isinstance(row.get(name), str)), None)
    if isinstance(text, str):
        return bytes.fromhex(text) if not text else _named(octets_of(text.encode()), "hex")
    raw = row.get("raw")
    if isinstance(raw, str):
        try:
            return raw.encode("latin-1")
        except UnicodeEncodeError:
            return raw.encode()
    raise ValueError('neither "hex" nor "raw" is there as text')


def _named(octets: bytes | None, name: str) -> bytes:
    if octets is None:
        raise ValueError(f'"{name}" is not hex')
    return octets


def _keys(row: dict[str, Json], given: DlmsKeys) -> DlmsKeys:
    keys = _listed(row, "key") or given.keys
    auth_key = _listed(row, "auth_key") or _listed(row, "ak")
    title = _listed(row, "system_title") or _listed(row, "systitle")
    return DlmsKeys(
        keys=keys,
        auth_key=auth_key[0] if auth_key else given.auth_key,
        system_title=title[0] if title else given.system_title,
    )


def _listed(row: dict[str, Json], name: str) -> tuple[bytes, ...]:
    value = row.get(name)
    if value is None:
        return ()
    return tuple(
        _named(octets_of(str(item).encode()), name) for item in (value if isinstance(value, list) else [value])
    )
