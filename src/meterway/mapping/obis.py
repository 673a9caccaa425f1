"""What OBIS codes mean: a name for machines, a title for people, a unit (IEC 62056-6-1, EN 13757-1)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.electricity import electric_name

__all__ = ["ObisName", "describe", "find"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObisName:
    """The meaning of a code.

    ``name`` is in kebab-case and unique per medium, ``unit`` a symbol of ``base.units`` without prefix, empty
    where there is none. ``period`` is the number of a historical billing period (group F), None for now.
    """

    name: str
    title: str
    unit: str = ""
    quantity: str = ""
    flow: str = ""
    phase: str = ""
    tariff: int = 0
    period: int | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table; a group of None takes every number (from 1 on where the name holds it)."""

    groups: tuple[int | None, ...]
    name: str
    title: str
    unit: str

    def matches(self, obis: Obis) -> bool:
        """Names that hold the channel want one: channel 0 is the meter itself."""
        return obis.b != 0 or "{b}" not in self.name

    def filled(self, text: str, obis: Obis) -> str:
        return text.replace("{b}", str(obis.b)).replace("{e}", str(obis.e))


_PATTERN: Final = re.compile(r"(\w+|\{\w\})-(\w+|\{\w\}):(\w+)\.(\w+)\.(\w+|\{\w\})")
_FREE: Final = frozenset({"x", "{b}", "{e}"})


@cache
def _rows() -> tuple[_Row, ...]:
    text = resources.files(__package__).joinpath("obis.csv").read_text("utf-8")
    rows = []
    for line in csv.DictReader(text.splitlines()):
        match = _PATTERN.fullmatch(line["code"])
        if match is None:
            raise ConfigError(f"obis.csv: {line['code']!r} is not a pattern")
        groups = tuple(None if part in _FREE else int(part) for part in match.groups())
        rows.append(_Row(groups, line["name"], line["title"], line["unit"]))
    return tuple(rows)


@cache
def _by_shape() -> tuple[tuple[tuple[int, ...], dict[tuple[int, ...], _Row]], ...]:
    """The rows by which groups they fix; the shapes that fix most come first."""
    shapes: dict[tuple[int, ...], dict[tuple[int, ...], _Row]] = {}
    for row in _rows():
        fixed = tuple(place for place, group in enumerate(row.groups) if group is not None)
        key = tuple(group for group in row.groups if group is not None)
        shapes.setdefault(fixed, {})[key] = row
    return tuple(sorted(shapes.items(), key=lambda item: -len(item[0])))


@lru_cache(maxsize=8192)
def describe(obis: Obis) -> ObisName:
    """The meaning of a code; one that no table knows is named by its numbers, with ``known`` False."""
    period = obis.f if obis.f != 255 else None
    tail = "" if period is None else f"-period-{period}"
    note = "" if period is None else f", billing period {period}"
    for fixed, rows in _by_shape():
        row = rows.get(tuple(obis[place] for place in fixed))
        if row is not None and row.matches(obis):
            name, title = row.filled(row.name, obis), row.filled(row.title, obis)
            return ObisName(name=name + tail, title=title + note, unit=row.unit, period=period)
    electric = electric_name(obis) if obis.a == 1 else None
    if electric is not None:
        return ObisName(
            name=electric.name + tail,
            title=electric.title + note,
            unit=electric.unit,
            quantity=electric.quantity,
            flow=electric.flow,
            phase=electric.phase,
            tariff=electric.tariff,
            period=period,
        )
    name = "obis-" + "-".join(str(group) for group in obis[:5])
    return ObisName(name=name + tail, title=f"OBIS {obis.short}{note}", period=period, known=False)


_ANGLES: Final = range(78)
_PERIOD: Final = re.compile(r"(?P<head>.+)-period-(?P<period>\d{1,3})")


@cache
def _table_names() -> dict[str, Obis]:
    """The names of the table; those that hold a number for channels 1 to 8 and numbers 0 to 16."""
    names: dict[str, Obis] = {}
    for row in _rows():
        channels = range(1, 9) if "{b}" in row.name else (0,)
        numbers = range(17) if "{e}" in row.name else (0,)
        for b, e in [(b, e) for b in channels for e in numbers]:
            free = (0, b, 0, 0, e)
            obis = Obis(*[free[place] if group is None else group for place, group in enumerate(row.groups)])
            names.setdefault(row.filled(row.name, obis), obis)
    return names


@cache
def _electric_names() -> dict[str, Obis]:
    """The names that electrical codes compose to, without tariff and harmonic."""
    codes = [Obis(1, 0, c, d, 0) for c in range(1, 93) for d in range(47)] + [Obis(1, 0, 81, 7, e) for e in _ANGLES]
    names: dict[str, Obis] = {}
    for obis in codes:
        found = electric_name(obis)
        if found is not None:
            names.setdefault(found.name, obis)
    return names


def find(text: str) -> Obis:
    """The code that a person means: ``1-0:1.8.0*255``, ``1.8.0``, ``0.0.1.0.0.255``, ``clock``, ``load-profile``.

    Every name that ``describe`` gives is found again. Raises ConfigError with the names that come closest.
    """
    word = text.strip()
    if word[:1].isdigit() and re.search(r"[.:]", word):
        return Obis.parse(word)
    name = re.sub(r"[_\s]+", "-", word.lower())
    found = _by_name(name)
    if found is None and (period := _PERIOD.fullmatch(name)):
        head = _by_name(period["head"])
        found = head and head._replace(f=int(period["period"]))
    if found is None:
        raise ConfigError(f"{text!r} is neither an OBIS code nor a known name{_hint(name)}")
    return found


def _by_name(name: str) -> Obis | None:
    found = _table_names().get(name) or _electric_names().get(name)
    if found is not None:
        return found
    head, _, last = name.rpartition("-")
    harmonic = head.endswith("-harmonic") and last.isdigit()
    base = _electric_names().get(head.removesuffix("-harmonic") if harmonic else head)
    if base is None:
        return None
    e = int(last) if harmonic else _group_e(last)
    candidate = base._replace(e=e) if 0 <= e <= 255 else base
    return candidate if describe(candidate).name == name else None


def _group_e(word: str) -> int:
    if word[:1] == "t" and word[1:].isdigit():
        return int(word[1:])
    return {"thd": 124, "tdd": 125}.get(word, 0)


def _hint(name: str) -> str:
    from difflib import get_close_matches  # only a wrong name pays for it

    close = get_close_matches(name, [*_table_names(), *_electric_names()], n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else ""
