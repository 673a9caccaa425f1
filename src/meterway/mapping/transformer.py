"""The balance of a transformer as a concentrator (NNAP) shows it: a profile of days, whose rows are fixed here.

A profile (class 7) with codes of our own (OBIS groups C 128 and above are the manufacturer's); concentrator and head
end both speak its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, Self

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data
from meterway.stacks.dlms.classes.elements import CaptureObject
from meterway.stacks.dlms.classes.profile_generic import CLOCK_TIME
from meterway.stacks.dlms.tabled.table import date_time

__all__ = ["BALANCES", "COLUMNS", "ENERGY", "DayBalance", "Lack", "Verdict", "decode_balances"]

BALANCES: Final = Obis(0, 0, 128, 16, 0)
"""Profile generic, a row a day (UTC): the rows are those of ``DayBalance``; read only."""
_PARTS: Final = (
    "revision", "judged", "period", "intervals", "complete", "given", "taken", "low", "high", "verdict", "lacking",
    "missing",
)  # fmt: skip
ENERGY: Final = ("given", "taken")
"""The columns that are registers (class 3, Wh); the others are data."""
COLUMNS: Final[tuple[CaptureObject, ...]] = (
    CLOCK_TIME,
    *(
        CaptureObject(class_id=3 if name in ENERGY else 1, obis=Obis(0, 0, 128, 16, place), attribute=2)
        for place, name in enumerate(_PARTS, 1)
    ),
)
"""What the profile captures: the clock (the day's begin), then one object for each part."""
_TOP: Final = 0xFFFFFFFF
_I64: Final = 1 << 63
_DAY_S: Final = 86400


class Verdict(IntEnum):
    """A day's loss against the band; ``OPEN``: too few intervals are whole to say."""

    OPEN = 0
    WITHIN = 1
    BEYOND = 2


class Lack(NamedTuple):
    """A meter and how many intervals of the day it lacks."""

    serial: str
    intervals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBalance:
    """A day of a transformer. ``day`` is its begin, ``judged`` when it was judged (Unix seconds); energies are in Wh.

    Of ``intervals`` of ``period`` seconds ``complete`` were known of everybody, and only those count. ``given`` went
    into the network (through the transformer, and by those that feed in), ``taken`` left it. ``low`` and ``high`` are
    the band of the loss in thousandths of what was given. ``missing`` names meters that lack intervals, those that
    lack most first; ``lacking`` is how many there are in all. A day that is judged anew has the next ``revision``.
    """

    day: int
    revision: int = 1
    judged: int
    period: int
    intervals: int
    complete: int
    given: int
    taken: int
    low: int
    high: int
    verdict: Verdict
    lacking: int = 0
    missing: tuple[Lack, ...] = ()

    @property
    def lost(self) -> int:
        """Wh that no meter accounts for."""
        return self.given - self.taken

    @property
    def share(self) -> float | None:
        """The loss as a share of what was given; None where nothing was."""
        return self.lost / self.given if self.given > 0 else None

    def encode(self) -> Data:
        """One row: a structure of thirteen."""
        return axdr.structure(
            date_time(self.day),
            axdr.u32(self.revision),
            axdr.u32(self.judged),
            axdr.u32(self.period),
            axdr.u16(self.intervals),
            axdr.u16(self.complete),
            axdr.i64(self.given),
            axdr.i64(self.taken),
            axdr.i16(self.low),
            axdr.i16(self.high),
            axdr.enum(self.verdict),
            axdr.u16(self.lacking),
            axdr.array(*(axdr.structure(axdr.octets(one.serial.encode()), axdr.u16(one.intervals))
                         for one in self.missing)),
        )  # fmt: skip

    @classmethod
    def decode(cls, row: object) -> Self:
        """From the native form of one row; DecodeError for anything that is no row, or that no day can be."""
        match row:
            case [
                bytes(moment), int(revision), int(judged), int(period), int(intervals), int(complete), int(given),
                int(taken), int(low), int(high), int(verdict), int(lacking), list(missing),
            ]:  # fmt: skip
                found = cls(
                    day=_day(moment),
                    revision=_within(revision, _TOP),
                    judged=_within(judged, _TOP),
                    period=_within(period, _DAY_S),
                    intervals=_within(intervals, 0xFFFF),
                    complete=_within(complete, intervals),
                    given=_within(given, _I64, -_I64),
                    taken=_within(taken, _I64, -_I64),
                    low=_within(low, 0x7FFF, -0x8000),
                    high=_within(high, 0x7FFF, -0x8000),
                    verdict=_verdict(verdict),
                    lacking=_within(lacking, 0xFFFF),
                    missing=tuple(map(_lack, missing)),
                )
                if len(found.missing) <= found.lacking:
                    return found
        raise DecodeError("a balance is a structure of thirteen", 0, "balance")


def decode_balances(octets: bytes) -> tuple[DayBalance, ...]:
    """The rows of the profile's buffer; DecodeError if any is none, or a day stands twice."""
    rows, end = axdr.to_native(octets)
    if end != len(octets):
        raise DecodeError(f"{len(octets) - end} octets after the value", end, "trailing")
    if not isinstance(rows, list):
        raise DecodeError("the balances are an array", 0, "balance")
    found = tuple(map(DayBalance.decode, rows))
    _once(found)
    return found


def _once(found: Sequence[DayBalance]) -> None:
    if len({one.day for one in found}) != len(found):
        raise DecodeError("a day stands twice in the balances", 0, "balance")


def _day(octets: bytes) -> int:
    moment = CosemDateTime.decode(octets).utc(0)
    if moment is None or moment.timestamp() < 0 or moment.timestamp() % _DAY_S:
        raise DecodeError("a balance is of a day in UTC", 0, "balance")
    return int(moment.timestamp())


def _lack(item: object) -> Lack:
    match item:
        case [bytes(serial), int(intervals)]:
            try:
                name = serial.decode()
            except UnicodeDecodeError:
                name = "\0"
            if name.isprintable() and len(name) <= 64:
                return Lack(name, _within(intervals, 0xFFFF))
    raise DecodeError("what is missing is a serial and how many intervals", 0, "balance")


def _verdict(value: int) -> Verdict:
    try:
        return Verdict(value)
    except ValueError:
        raise DecodeError(f"{value} is no verdict", 0, "balance") from None


def _within(value: int, top: int, least: int = 0) -> int:
    if isinstance(value, bool) or not least <= value <= top:
        raise DecodeError(f"{value} is not within {least} and {top}", 0, "balance")
    return value
