"""What a driver says: which meters it is for, how their own octets are laid out, and what their own codes mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.opening import Dialect

__all__ = [
    "BLOCK_PLACES",
    "FIELD_TYPES",
    "Block",
    "Condition",
    "Driver",
    "Field",
    "History",
    "Match",
    "Piece",
    "RecordRule",
    "Repeat",
    "Table",
    "Tags",
]

FieldType = Literal["uint", "int", "bcd", "real", "date", "date-bcd", "date-bits", "text", "hex", "sum"]
FIELD_TYPES: Final[tuple[FieldType, ...]] = (
    "uint",
    "int",
    "bcd",
    "real",
    "date",
    "date-bcd",
    "date-bits",
    "text",
    "hex",
    "sum",
)
BLOCK_PLACES: Final = ("manufacturer data", "payload", "record")

Piece = tuple[int, int, int]
"""A run of bits: octet, lowest bit in it, how many."""

Interval = tuple[int, int]
_ANY: Final = ((0, 0xFF),)
_STOP: Final = frozenset((0xFF,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Meters by manufacturer code, intervals of version and device type, and CI fields (empty: any)."""

    manufacturers: frozenset[int]
    versions: tuple[Interval, ...] = _ANY
    types: tuple[Interval, ...] = _ANY
    cis: frozenset[int] = frozenset()

    def fits(self, address: Address, ci: int) -> bool:
        """Whether a telegram with this CI of this meter is meant."""
        return (
            address.manufacturer & 0x7FFF in self.manufacturers
            and (not self.cis or ci in self.cis)
            and any(low <= address.version <= high for low, high in self.versions)
            and any(low <= address.device_type <= high for low, high in self.types)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Octets that must be one of some numbers (low octet first, under ``mask``)."""

    at: int
    size: int
    mask: int
    values: frozenset[int]

    def holds(self, octets: bytes) -> bool:
        """Whether the octets are there and are one of the numbers."""
        start = self.at if self.at >= 0 else len(octets) + self.at
        part = octets[max(start, 0) : start + self.size] if start >= 0 else b""
        return len(part) == self.size and int.from_bytes(part, "little") & self.mask in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A field that comes again: ``count`` times (0: to the end of the block), octets and storage numbers apart.

    ``months`` is how far the time of each lies from that of the one before.
    """

    count: int
    step: int
    storage_step: int = 1
    months: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value in a block, or how a record is to be read.

    The value is the number at ``places`` (the sum, if there are several) x ``scale`` + ``offset`` in ``unit``.
    Negative places count from the end. ``tag`` says in which part of a tagged block they lie. ``pieces`` puts a number
    together from bits, the low ones first; ``day``, ``month`` and ``year`` are such for a date, and without a year it
    is the first such day after the field ``after``. ``of`` are the fields a sum adds up. ``time`` is the field with
    the time of the value.
    """

    name: str
    type: FieldType
    id: str = ""
    tag: int | None = None
    places: tuple[int, ...] = (0,)
    size: int = 1
    big: bool = False
    pieces: tuple[Piece, ...] = ()
    day: tuple[Piece, ...] = ()
    month: tuple[Piece, ...] = ()
    year: tuple[Piece, ...] = ()
    after: str = ""
    of: tuple[str, ...] = ()
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    unit: str = ""
    storage: int = 0
    tariff: int = 0
    subunit: int = 0
    function: str = "instantaneous"
    invalid: frozenset[int] = frozenset()
    table: str = ""
    time: str = ""
    when: tuple[Condition, ...] = ()
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A block of parts that each begin with a tag octet: where they begin, how long each is, what ends them.

    ``stops`` are octets that no part follows; ``end`` is how many octets at the end of the block belong to no part.
    """

    start: int
    end: int
    sizes: Mapping[int, int]
    stops: frozenset[int] = _STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Octets of the manufacturer and the values in them.

    ``place`` is where they stand: after DIF 0F or 1F, the whole payload, or a record with the value information
    ``vif``. ``sizes`` are the lengths they may have. ``transform`` names a function that makes them readable.
    """

    place: str
    vif: str = ""
    sizes: Interval = (0, 0xFFFF)
    when: tuple[Condition, ...] = ()
    transform: str = ""
    tags: Tags | None = None
    fields: tuple[Field, ...] = ()

    def fits(self, octets: bytes) -> bool:
        """Whether this layout is that of the octets."""
        return self.sizes[0] <= len(octets) <= self.sizes[1] and all(one.holds(octets) for one in self.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRule:
    """What standard records with one of these value information blocks mean beyond what the norm can say.

    None in ``tariff``, ``subunit`` and ``function`` stands for any, as do no intervals of ``storages``. ``distrust`` is
    the reason why the value must not be used, ``invalid`` are numbers (of the data, low octet first) that stand for
    none. ``field`` reads the data anew.
    """

    vifs: frozenset[str]
    storages: tuple[Interval, ...] = ()
    tariff: int | None = None
    subunit: int | None = None
    function: str | None = None
    name: str = ""
    unit: str | None = None
    scale: Fraction = Fraction(1)
    to_tariff: int | None = None
    table: str = ""
    distrust: str = ""
    invalid: frozenset[int] = frozenset()
    field: Field | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Stored values whose time is counted from the date of another: ``months`` for each storage number.

    ``first`` to ``last`` are the storage numbers, ``base`` that of the date.
    """

    first: int
    last: int
    base: int
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a number means: as a whole (``values``), or bit by bit with ``zero`` for none."""

    values: Mapping[int, str | int | float] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    zero: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One family of meters. ``opt_in`` drivers are used only where they were asked for by name.

    ``formats`` are the record headers of compact frames; ``dialect`` is what must be known before the payload is read.
    ``ident_last`` says that the radio address holds version and type before the identification number.
    """

    name: str
    title: str
    matches: tuple[Match, ...]
    blocks: tuple[Block, ...] = ()
    records: Mapping[str, tuple[RecordRule, ...]] = field(default_factory=dict)
    histories: tuple[History, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)
    formats: tuple[bytes, ...] = ()
    dialect: Dialect | None = None
    opt_in: bool = False
    ident_last: bool = False
