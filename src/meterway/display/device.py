"""What a display knows: the last telegram, the curve of 24 hours, the state of its line. Pure; time comes in."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from meterway.mapping.p1 import device_of, readings_of
from meterway.model.reading import Reading, exact_number, in_base_unit, iso_utc
from meterway.model.telegram import Json
from meterway.stacks.p1.telegram import Telegram

__all__ = ["Channel", "CurvePoint", "DisplayDevice", "Line", "Peak", "Phase", "Register", "View"]

DAY: Final = timedelta(hours=24)
SLOT_S: Final = 60
_ENERGY: Final = {1: "Consumed", 2: "Fed in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """An energy register: kWh, ``tariff`` 0 for the total."""

    label: str
    tariff: int
    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase now: W (negative when feeding in), V, A; None where the meter does not tell."""

    number: int
    power_w: int | None
    voltage_v: Decimal | None
    current_a: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A gas, water or heat meter behind this one: its last reading and when it was taken."""

    number: int
    kind: str
    serial: str
    value: Decimal | None
    unit: str
    time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest quarter-hour mean of a month."""

    power_w: int
    time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """The mean power of one minute, negative when feeding in."""

    time: datetime
    power_w: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line to the meter: ``waiting``, ``connected`` or ``lost``, and what is to say about it."""

    state: str = "waiting"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything there is to show, at one moment."""

    meter: str
    identification: str
    version: str
    line: Line
    updated: datetime | None
    age_s: float | None
    clock: datetime | None
    power_w: int | None
    tariff: int | None
    message: str
    registers: tuple[Register, ...]
    phases: tuple[Phase, ...]
    channels: tuple[Channel, ...]
    demand_w: int | None
    peak: Peak | None
    peaks: tuple[Peak, ...]
    curve: tuple[CurvePoint, ...]
    telegrams: int
    octets: int
    faults: dict[str, int]
    quirks: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        """The view as plain JSON values, times as ISO 8601 in UTC."""
        return {name: _json(value) for name, value in asdict(self).items()}


def _json(value: object) -> Json:
    if isinstance(value, dict):
        return {str(name): _json(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, datetime):
        return iso_utc(value)
    if isinstance(value, Decimal):
        return exact_number(value)
    return value if isinstance(value, str | int | float | bool) else None


class DisplayDevice:
    """Takes telegrams, gives views."""

    def __init__(self, *, utc_offset_h: int = 1) -> None:
        self._offset_h = utc_offset_h
        self._readings: dict[str, Reading] = {}
        self._peaks: tuple[Peak, ...] = ()
        self._device: dict[str, Json] = {}
        self._quirks: tuple[str, ...] = ()
        self._updated: datetime | None = None
        self._slots: deque[tuple[int, int, int]] = deque()
        self._faults: Counter[str] = Counter()
        self._telegrams = 0
        self._octets = 0
        self.line = Line()

    def take(self, telegram: Telegram, now: datetime, *, octets: int = 0) -> None:
        """Take what a telegram of that many octets says; it replaces the last one."""
        rows = readings_of(telegram, offset_h=self._offset_h)
        self._readings = {row.obis.short: row for row in rows if row.obis is not None and row.storage == 0}
        history = [row for row in rows if row.obis is not None and row.obis.short == "0-0:98.1.0" and row.storage]
        self._peaks = tuple(Peak(power_w=_base(row), time=row.time) for row in history if row.unit in ("kW", "W"))
        self._device = device_of(telegram, offset_h=self._offset_h)
        self._quirks = telegram.quirks
        self._updated = now
        self._telegrams += 1
        self._octets += octets
        power = self._power("1-0:1.7.0", "1-0:2.7.0")
        if power is not None:
            self._draw(power, now)

    def fault(self, kind: str) -> None:
        """Count something that went wrong on the line."""
        self._faults[kind] += 1

    def view(self, now: datetime) -> View:
        """All there is to show at ``now`` (UTC)."""
        clock = self._device.get("time")
        return View(
            meter=str(self._device.get("id") or ""),
            identification=str(self._device.get("identification") or ""),
            version=str(self._device.get("version") or ""),
            line=self.line,
            updated=self._updated,
            age_s=None if self._updated is None else max(0.0, (now - self._updated).total_seconds()),
            clock=datetime.fromisoformat(clock) if isinstance(clock, str) else None,
            power_w=self._power("1-0:1.7.0", "1-0:2.7.0"),
            tariff=self._whole("0-0:96.14.0"),
            message=str(self._value("0-0:96.13.0") or ""),
            registers=tuple(self._registers()),
            phases=tuple(self._phases()),
            channels=tuple(self._channels()),
            demand_w=self._power("1-0:1.4.0"),
            peak=self._peak(),
            peaks=self._peaks,
            curve=self._curve(now),
            telegrams=self._telegrams,
            octets=self._octets,
            faults=dict(self._faults),
            quirks=self._quirks,
        )

    def _draw(self, power: int, now: datetime) -> None:
        slot = int(now.timestamp()) // SLOT_S
        if self._slots and self._slots[-1][0] >= slot:
            last, total, count = self._slots.pop()
            self._slots.append((last, total + power, count + 1))
        else:
            self._slots.append((slot, power, 1))
        while self._slots[0][0] <= slot - DAY.total_seconds() // SLOT_S:
            self._slots.popleft()

    def _curve(self, now: datetime) -> tuple[CurvePoint, ...]:
        first = (now - DAY).timestamp()
        return tuple(
            CurvePoint(time=datetime.fromtimestamp(slot * SLOT_S, UTC), power_w=round(total / count))
            for slot, total, count in self._slots
            if slot * SLOT_S >= first
        )

    def _value(self, code: str) -> object:
        row = self._readings.get(code)
        return None if row is None else row.value

    def _decimal(self, code: str) -> Decimal | None:
        value = self._value(code)
        return value if isinstance(value, Decimal) else None

    def _whole(self, code: str) -> int | None:
        value = self._decimal(code)
        return None if value is None else int(value)

    def _power(self, code: str, negative: str = "") -> int | None:
        """Power in W; what ``negative`` tells counts down."""
        parts = [
            sign * _base(row)
            for sign, name in ((1, code), (-1, negative))
            if (row := self._readings.get(name)) is not None and isinstance(row.value, Decimal)
        ]
        return sum(parts) if parts else None

    def _registers(self) -> list[Register]:
        return [
            Register(label=_ENERGY[row.obis.c], tariff=row.tariff, value=row.value, unit=row.unit)
            for row in self._readings.values()
            if row.obis is not None
            and row.obis.a == 1
            and row.obis.d == 8
            and row.obis.c in _ENERGY
            and isinstance(row.value, Decimal)
        ]

    def _phases(self) -> list[Phase]:
        phases = [
            Phase(
                number=number,
                power_w=self._power(f"1-0:{20 * number + 1}.7.0", f"1-0:{20 * number + 2}.7.0"),
                voltage_v=self._decimal(f"1-0:{20 * number + 12}.7.0"),
                current_a=self._decimal(f"1-0:{20 * number + 11}.7.0"),
            )
            for number in (1, 2, 3)
        ]
        return [phase for phase in phases if (phase.power_w, phase.voltage_v, phase.current_a) != (None, None, None)]

    def _channels(self) -> list[Channel]:
        rows = self._device.get("channels")
        return [self._channel(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _channel(self, row: dict[str, Json]) -> Channel:
        number = row["channel"]
        codes = (f"0-{number}:24.2.1", f"0-{number}:24.2.3", f"0-{number}:24.3.0")
        reading = next((self._readings[code] for code in codes if code in self._readings), None)
        return Channel(
            number=number if isinstance(number, int) else 0,
            kind=str(row["type"] or "unknown"),
            serial=str(row["id"] or ""),
            value=reading.value if reading is not None and isinstance(reading.value, Decimal) else None,
            unit=reading.unit if reading is not None else "",
            time=reading.time if reading is not None and reading.value is not None else None,
        )

    def _peak(self) -> Peak | None:
        row = self._readings.get("1-0:1.6.0")
        if row is None or not isinstance(row.value, Decimal):
            return None
        return Peak(power_w=_base(row), time=row.time)


def _base(row: Reading) -> int:
    """A reading in W; 0 where there is none."""
    return int(in_base_unit(row.value, row.unit)[0]) if isinstance(row.value, Decimal) else 0
