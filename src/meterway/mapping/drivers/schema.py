"""From the TOML text of a driver to the driver; every complaint names the file and the field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from meterway.base.errors import ConfigError, DecodeError
from meterway.mapping.drivers.driver import (
    BLOCK_PLACES,
    FIELD_TYPES,
    Block,
    Condition,
    Driver,
    Field,
    FieldType,
    History,
    Match,
    Piece,
    RecordRule,
    Repeat,
    Table,
    Tags,
)
from meterway.mapping.drivers.transforms import TRANSFORMS
from meterway.mapping.section import Section
from meterway.stacks.mbus.address import manufacturer_code
from meterway.stacks.mbus.opening import Dialect
from meterway.stacks.mbus.records.head import FUNCTIONS, head_at

__all__ = ["parse_driver"]

_MOST: Final = 4096
_LARGEST: Final = 10**12
_FRACTION: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?|-?[0-9]{1,15}/[0-9]{1,15}")
_NUMBER_SIZE: Final = 8
_DATE_SIZES: Final = (2, 3, 4, 6)

_TOP: Final = frozenset(
    ("title", "match", "block", "record", "history", "table", "format", "payload", "opt_in", "ident_last")
)
_MATCH: Final = frozenset(("manufacturer", "version", "type", "ci"))
_BLOCK: Final = frozenset(("place", "vif", "size", "min_size", "when", "transform", "tags", "field"))
_FIELD: Final = frozenset(
    (
        *("name", "type", "id", "tag", "at", "size", "order", "bits", "day", "month", "year", "after", "of", "scale"),
        *("offset", "unit", "storage", "tariff", "subunit", "function", "invalid", "table", "time", "when", "repeat"),
    )
)
_RECORD: Final = frozenset(
    (
        *("vif", "storage", "tariff", "subunit", "function", "name", "unit", "scale", "to_tariff", "table"),
        *("distrust", "invalid", "type", "order", "bits"),
    )
)


class _Section(Section):
    """A table of a driver: numbers, octets and fractions in lists."""

    __slots__ = ()
    most = _MOST

    def maybe(self, key: str, *, high: int | None = None) -> int | None:
        return self.number(key, high=high) if key in self.values else None

    def numbers(self, key: str, *, low: int = 0, high: int = 1 << 64) -> tuple[int, ...]:
        found = [one for one in self.listed(key) if isinstance(one, int) and not isinstance(one, bool)]
        if len(found) != len(self.listed(key)) or not all(low <= one <= high for one in found):
            raise self.error(key, f"must be whole numbers from {low} to {high}")
        return tuple(found)

    def octets(self, key: str) -> tuple[bytes, ...]:
        try:
            return tuple(bytes.fromhex(text) for text in self.texts(key))
        except ValueError:
            raise self.error(key, "is not hex") from None

    def fraction(self, key: str, default: int) -> Fraction:
        """A number as it is written, or a text such as ``1/3``."""
        value = self.values.get(key, default)
        try:
            if isinstance(value, (int, float)) or (isinstance(value, str) and _FRACTION.fullmatch(value)):
                found = Fraction(str(value))
                if not isinstance(value, bool) and abs(found) <= _LARGEST:
                    return found
        except (ValueError, ZeroDivisionError):
            pass
        raise self.error(key, f"{value!r} is neither a number nor a fraction of up to {_LARGEST}")


def parse_driver(text: str, name: str, *, file: str = "") -> Driver:
    """The driver of a TOML text; ``file`` is how complaints name it. ConfigError names file and field."""
    where = file or f"driver {name}"
    try:
        top = _Section(where, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{where}: {error}") from None
    top.known(_TOP)
    tables = _tables(top)
    matches = tuple(_match(section) for section in top.tables("match"))
    if not matches:
        raise top.error("match", "is missing: which meters is this for?")
    return Driver(
        name=name,
        title=top.get("title", str),
        matches=matches,
        blocks=tuple(_block(section, tables) for section in top.tables("block")),
        records=_records(top, tables),
        histories=tuple(_history(section) for section in top.tables("history")),
        tables=tables,
        formats=tuple(_format(top, octets) for octets in top.octets("format")),
        dialect=_dialect(top),
        opt_in=top.get("opt_in", bool, False),
        ident_last=top.get("ident_last", bool, False),
    )


def _match(section: _Section) -> Match:
    section.known(_MATCH)
    names = section.texts("manufacturer")
    if not names:
        raise section.error("manufacturer", "is missing")
    try:
        makers = frozenset(manufacturer_code(name) for name in names)
    except ConfigError as error:
        raise section.error("manufacturer", str(error)) from None
    return Match(
        manufacturers=makers,
        versions=_intervals(section, "version"),
        types=_intervals(section, "type"),
        cis=frozenset(section.numbers("ci", high=0xFF)),
    )


def _intervals(section: _Section, key: str, *, high: int = 0xFF) -> tuple[tuple[int, int], ...]:
    """Numbers and texts such as ``0x10-0x1F``; none stands for any."""
    out = []
    for one in section.listed(key):
        ends = re.fullmatch(r"\s*(\w+)\s*(?:-\s*(\w+)\s*)?", str(one))
        try:
            first = int(ends[1], 0) if ends is not None else -1
            last = int(ends[2], 0) if ends is not None and ends[2] else first
        except ValueError:
            first = last = -1
        if isinstance(one, (bool, float)) or not 0 <= first <= last <= high:
            complaint = f"{one!r} is neither a number from 0 to {high} nor an interval such as '0x10-0x1F'"
            raise section.error(key, complaint)
        out.append((first, last))
    return tuple(out) or ((0, high),)


def _dialect(top: _Section) -> Dialect | None:
    section = top.table("payload")
    if section is None:
        return None
    section.known(frozenset(("opaque", "plain_modes", "begins")))
    begins = section.octets("begins")
    if any(len(one) != 2 for one in begins):
        raise section.error("begins", "must be two octets")
    return Dialect(
        opaque=section.get("opaque", bool, False),
        plain_modes=frozenset(section.numbers("plain_modes", high=31)),
        begins=frozenset(begins),
    )


def _format(top: _Section, heads: bytes) -> bytes:
    place = 0
    try:
        while place < len(heads):
            place += head_at(heads, place, len(heads))[3]
    except DecodeError as error:
        raise top.error("format", f"{heads.hex().upper()}: {error.message}") from None
    return heads


def _history(section: _Section) -> History:
    section.known(frozenset(("first", "last", "base", "months")))
    return History(
        first=section.number("first", high=1 << 41),
        last=section.number("last", high=1 << 41),
        base=section.number("base", high=1 << 41),
        months=section.number("months", -1, low=-12, high=12),
    )


def _tables(top: _Section) -> dict[str, Table]:
    section = top.table("table")
    if section is None:
        return {}
    out = {}
    for name in section.values:
        row = section.table(name)
        if row is None:
            continue
        row.known(frozenset(("bits", "values", "zero")))
        bits = {number: str(word) for number, word in _numbered(row, "bits").items()}
        values = _numbered(row, "values")
        if ("bits" in row.values) == bool(values):
            raise section.error(name, "must have either bits or values")
        out[name] = Table(values=values, bits=bits, zero=row.get("zero", str, "ok"))
    return out


def _numbered(section: _Section, key: str) -> dict[int, str | int | float]:
    row = section.table(key)
    out: dict[int, str | int | float] = {}
    for number, word in row.values.items() if row is not None else ():
        if not re.fullmatch(r"0x[0-9A-Fa-f]{1,16}|[0-9]{1,19}", number):
            raise section.error(key, f"{number!r} is not a number")
        if isinstance(word, bool) or not isinstance(word, (str, int, float)):
            raise section.error(key, f"{number}: {word!r} is neither a text nor a number")
        out[int(number, 0) if number[:2] == "0x" else int(number)] = word
    return out


# -- blocks -----------------------------------------------------------------------------------------------------------


def _block(section: _Section, tables: Mapping[str, Table]) -> Block:
    section.known(_BLOCK)
    place = section.one_of("place", BLOCK_PLACES)
    vif = section.get("vif", str, "").upper()
    if (place == "record") != bool(vif):
        raise section.error("vif", "belongs to blocks in records, and only to them")
    transform = section.get("transform", str, "")
    if transform and transform not in TRANSFORMS:
        raise section.error("transform", f"{transform!r} is not one of {', '.join(TRANSFORMS)}")
    size = section.maybe("size")
    tags = _tags(section)
    fields = tuple(_field(one, tables) for one in section.tables("field"))
    _check_references(section, fields, tags)
    return Block(
        place=place,
        vif=vif,
        sizes=(section.number("min_size", 0), 0xFFFF) if size is None else (size, size),
        when=_conditions(section),
        transform=transform,
        tags=tags,
        fields=fields,
    )


def _check_references(section: _Section, fields: tuple[Field, ...], tags: Tags | None) -> None:
    """What a field builds on must stand before it; what times it, anywhere in the block."""
    every = {field.id for field in fields if field.id}
    seen: set[str] = set()
    for number, field in enumerate(fields, 1):
        for name in (*field.of, *((field.after,) if field.after else ())):
            if name not in seen:
                raise section.error(f"field {number}", f"{name!r} is no id of a field before it")
        if field.time and field.time not in every:
            raise section.error(f"field {number}", f"time: {field.time!r} is no id of a field of this block")
        if field.tag is not None and (tags is None or field.tag not in tags.sizes):
            raise section.error(f"field {number}", f"tag 0x{field.tag:02X} has no size in tags")
        seen.add(field.id)


def _tags(section: _Section) -> Tags | None:
    row = section.table("tags")
    if row is None:
        return None
    row.known(frozenset(("start", "end", "sizes", "stops")))
    sizes = _numbered(row, "sizes")
    whole = {tag: size for tag, size in sizes.items() if isinstance(size, int) and size >= 0 and tag <= 0xFF}
    if len(whole) != len(sizes) or not sizes:
        raise row.error("sizes", "must give the length of each tag (0 to 255) as a whole number")
    stops = row.numbers("stops", high=0xFF) if "stops" in row.values else (0xFF,)
    return Tags(start=row.number("start", 0), end=row.number("end", 0), sizes=whole, stops=frozenset(stops))


def _conditions(section: _Section) -> tuple[Condition, ...]:
    out = []
    for row in section.tables("when"):
        row.known(frozenset(("at", "size", "mask", "is")))
        size = row.number("size", 1, low=1, high=8)
        values = frozenset(row.numbers("is"))
        if not values:
            raise row.error("is", "is missing")
        mask = row.number("mask", (1 << 8 * size) - 1, high=1 << 64)
        out.append(Condition(at=row.number("at", low=-_MOST), size=size, mask=mask, values=values))
    return tuple(out)


def _field(section: _Section, tables: Mapping[str, Table]) -> Field:
    section.known(_FIELD)
    kind = _field_type(section)
    size = section.number("size", {"date": 2, "date-bcd": 3, "real": 4}.get(kind, 1), low=1, high=255)
    if (kind == "date" and size not in _DATE_SIZES) or (kind, size == 3) == ("date-bcd", False):
        raise section.error("size", f"{size} is not the size of a {kind}")
    if kind in ("uint", "int", "bcd") and size > _NUMBER_SIZE:
        raise section.error("size", f"a number has at most {_NUMBER_SIZE} octets")
    if kind == "real" and size != 4:
        raise section.error("size", "a real has 4 octets")
    if kind == "date-bits" and not (section.listed("day") and section.listed("month")):
        raise section.error("day", "a date of bits has a day and a month")
    if kind == "date-bits" and not section.listed("year") and "after" not in section.values:
        raise section.error("year", "a date of bits has a year, or stands after another date")
    if kind == "sum" and not section.texts("of"):
        raise section.error("of", "is missing: what is added up?")
    return Field(
        name=section.get("name", str),
        type=kind,
        id=section.get("id", str, ""),
        tag=section.maybe("tag", high=0xFF),
        places=section.numbers("at", low=-_MOST, high=_MOST) or (0,),
        size=size,
        big=section.one_of("order", ("little", "big"), "little") == "big",
        pieces=_pieces(section, "bits"),
        day=_pieces(section, "day"),
        month=_pieces(section, "month"),
        year=_pieces(section, "year"),
        after=section.get("after", str, ""),
        of=section.texts("of"),
        scale=section.fraction("scale", 1),
        offset=section.fraction("offset", 0),
        unit=section.get("unit", str, ""),
        storage=section.number("storage", 0),
        tariff=section.number("tariff", 0),
        subunit=section.number("subunit", 0),
        function=section.one_of("function", FUNCTIONS, FUNCTIONS[0]),
        invalid=frozenset(section.numbers("invalid")),
        table=_table_name(section, tables),
        time=section.get("time", str, ""),
        when=_conditions(section),
        repeat=_repeat(section),
    )


def _field_type(section: _Section) -> FieldType:
    word = section.get("type", str)
    for kind in FIELD_TYPES:
        if kind == word:
            return kind
    raise section.error("type", f"{word!r} is not one of {', '.join(FIELD_TYPES)}")


def _table_name(section: _Section, tables: Mapping[str, Table]) -> str:
    name = section.get("table", str, "")
    if name and name not in tables:
        raise section.error("table", f"there is no table {name!r} in this file")
    return name


def _pieces(section: _Section, key: str) -> tuple[Piece, ...]:
    out: list[Piece] = []
    for row in section.listed(key):
        whole = isinstance(row, list) and len(row) == 3 and all(isinstance(one, int) for one in row)
        if not isinstance(row, list) or not whole:
            raise section.error(key, f"{row!r} is not [octet, lowest bit, bits]")
        at, low, count = row
        if not (-_MOST <= at <= _MOST and 0 <= low <= 7 and 1 <= count <= 8 - low):
            raise section.error(key, f"{row!r}: bits lie within one octet")
        out.append((at, low, count))
    if len(out) > _NUMBER_SIZE:
        raise section.error(key, f"a number has at most {_NUMBER_SIZE} pieces")
    return tuple(out)


def _repeat(section: _Section) -> Repeat | None:
    row = section.table("repeat")
    if row is None:
        return None
    row.known(frozenset(("count", "step", "storage_step", "months", "names")))
    step = row.number("step", low=-255, high=255)
    if not step:
        raise row.error("step", "0 would read the same octets again")
    names = row.texts("names")
    count = row.number("count", len(names), high=1024)
    if names and len(names) != count:
        raise row.error("names", f"{len(names)} names for {count} values")
    return Repeat(
        count=count,
        step=step,
        storage_step=row.number("storage_step", 1),
        months=row.number("months", 0, low=-120, high=120),
        names=names,
    )


# -- records ----------------------------------------------------------------------------------------------------------


def _records(top: _Section, tables: Mapping[str, Table]) -> dict[str, tuple[RecordRule, ...]]:
    rules: dict[str, tuple[RecordRule, ...]] = {}
    for section in top.tables("record"):
        rule = _record(section, tables)
        for vif in rule.vifs:
            rules[vif] = (*rules.get(vif, ()), rule)
    return rules


def _record(section: _Section, tables: Mapping[str, Table]) -> RecordRule:
    section.known(_RECORD)
    vifs = frozenset(octets.hex().upper() for octets in section.octets("vif") if octets)
    if not vifs:
        raise section.error("vif", "is missing")
    unit = section.values.get("unit")
    return RecordRule(
        vifs=vifs,
        storages=_intervals(section, "storage", high=1 << 41) if "storage" in section.values else (),
        tariff=section.maybe("tariff", high=1 << 20),
        subunit=section.maybe("subunit", high=1 << 10),
        function=section.one_of("function", FUNCTIONS) if "function" in section.values else None,
        name=section.get("name", str, ""),
        unit=section.get("unit", str) if unit is not None else None,
        scale=section.fraction("scale", 1),
        to_tariff=section.maybe("to_tariff"),
        table=_table_name(section, tables),
        distrust=section.get("distrust", str, ""),
        invalid=frozenset(section.numbers("invalid")),
        field=_record_field(section) if "type" in section.values else None,
    )


def _record_field(section: _Section) -> Field:
    """How the data of a record is read anew; its size is that of the data."""
    kind = _field_type(section)
    if kind in ("sum", "date-bits", "date-bcd"):
        raise section.error("type", f"{kind} is for blocks")
    return Field(
        name=section.get("name", str, ""),
        type=kind,
        big=section.one_of("order", ("little", "big"), "little") == "big",
        pieces=_pieces(section, "bits"),
        scale=section.fraction("scale", 1),
    )
