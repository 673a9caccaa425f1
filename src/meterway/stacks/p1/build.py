"""Telegrams out of plain values: Dutch DSMR 5.0.2, Belgian eMUCS-P1 and the Swedish consumer interface.

Sources: DSMR P1 companion standard 5.0.2; eMUCS-P1 1.7.1 and 2.1.1; Swedish branch recommendation for the
customer interface (Energiforetagen), all as their telegrams show them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from meterway.base.errors import LocalProtocolError
from meterway.stacks.p1.clock import written
from meterway.stacks.p1.telegram import P1Object, Telegram, seal

__all__ = [
    "PROFILES",
    "ChannelValues",
    "P1Values",
    "PeakValues",
    "PhaseValues",
    "belgian",
    "dutch",
    "swedish",
    "telegram_of",
]

Number = int | float | Decimal
GAS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseValues:
    """One phase, now: W and var by direction, V, A, and its counts of sags and swells."""

    power_in_w: int = 0
    power_out_w: int = 0
    reactive_in_var: int = 0
    reactive_out_var: int = 0
    voltage_v: Number = 230
    current_a: Number = 0
    sags: int = 0
    swells: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelValues:
    """A meter on an M-Bus channel (1 to 4): device type as in EN 13757-3 and its last reading, in m³ or ``unit``."""

    channel: int
    device_type: int
    serial: str
    time: datetime
    value: Number
    unit: str = "m3"
    valve: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakValues:
    """The highest quarter-hour mean of a period: W, when it was, and the end of its period."""

    power_w: int
    time: datetime
    period: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class P1Values:
    """All a consumer port may tell; times are UTC, energies Wh and varh for each tariff from 1 on."""

    serial: str
    time: datetime
    energy_in_wh: tuple[int, ...]
    energy_out_wh: tuple[int, ...] = ()
    reactive_in_varh: int = 0
    reactive_out_varh: int = 0
    power_in_w: int = 0
    power_out_w: int = 0
    phases: tuple[PhaseValues, ...] = ()
    tariff: int = 1
    power_failures: int = 0
    long_power_failures: int = 0
    failure_log: tuple[tuple[datetime, int], ...] = ()
    message: str = ""
    breaker: int = 1
    limit_w: int = 99_999
    fuse_a: Number = Decimal("999.99")
    demand_w: int = 0
    peak: PeakValues | None = None
    peaks: tuple[PeakValues, ...] = ()
    channels: tuple[ChannelValues, ...] = ()
    identification: str = r"MWY5\METERWAY"


def telegram_of(values: P1Values, profile: str) -> Telegram:
    """The sealed telegram of a profile, ``dsmr5``, ``emucs`` or ``sweden``; LocalProtocolError for another."""
    build = PROFILES.get(profile)
    if build is None:
        raise LocalProtocolError(f"no P1 profile {profile!r}; there are {', '.join(sorted(PROFILES))}")
    return build(values)


def dutch(values: P1Values) -> Telegram:
    """DSMR 5.0.2: version 50, two tariffs, three decimals of kWh and kW."""
    return _sealed(values, _dutch_rows(values))


def belgian(values: P1Values) -> Telegram:
    """eMUCS-P1 2.x: the current mean demand, this month's peak and up to 13 monthly peaks besides."""
    return _sealed(values, _belgian_rows(values))


def swedish(values: P1Values) -> Telegram:
    """Sweden: totals only, reactive energy and power, standard time all the year."""
    return _sealed(values, _swedish_rows(values))


PROFILES: Final[dict[str, Callable[[P1Values], Telegram]]] = {"dsmr5": dutch, "emucs": belgian, "sweden": swedish}


def _sealed(values: P1Values, rows: Iterable[tuple[str, ...]]) -> Telegram:
    objects = tuple(P1Object.of(*row) for row in rows)
    return seal(Telegram(identification=values.identification, objects=objects))


Rows = Iterator[tuple[str, ...]]


def _dutch_rows(values: P1Values) -> Rows:
    yield "1-3:0.2.8", "50"
    yield "0-0:1.0.0", written(values.time)
    yield "0-0:96.1.1", _hex(values.serial)
    yield from _tariffs(values)
    yield from _power(values, 2)
    yield "0-0:96.7.21", f"{values.power_failures:05d}"
    yield "0-0:96.7.9", f"{values.long_power_failures:05d}"
    yield "1-0:99.97.0", *_failures(values)
    yield from _phases(values, 32, 32, lambda phase: f"{phase.sags:05d}")
    yield from _phases(values, 32, 36, lambda phase: f"{phase.swells:05d}")
    yield "0-0:96.13.0", _hex(values.message)
    yield from _phases(values, 32, 7, lambda phase: f"{_positive(phase.voltage_v):05.1f}*V")
    yield from _phases(values, 31, 7, lambda phase: f"{_positive(phase.current_a):03.0f}*A")
    yield from _phase_power(values, 2)
    for channel in values.channels:
        yield f"0-{channel.channel}:24.1.0", f"{channel.device_type:03d}"
        yield f"0-{channel.channel}:96.1.0", _hex(channel.serial)
        yield f"0-{channel.channel}:24.2.1", *_channel(channel)


def _belgian_rows(values: P1Values) -> Rows:
    yield "0-0:96.1.4", "50221"
    yield "0-0:96.1.1", _hex(values.serial)
    yield "0-0:1.0.0", written(values.time)
    yield from _tariffs(values)
    yield "1-0:1.4.0", _kilo(values.demand_w, 2, "kW")
    if values.peak is not None:
        yield "1-0:1.6.0", written(values.peak.time), _kilo(values.peak.power_w, 2, "kW")
    yield "0-0:98.1.0", *_peaks(values)
    yield from _power(values, 2)
    yield from _phase_power(values, 2)
    yield from _phases(values, 32, 7, lambda phase: f"{_positive(phase.voltage_v):05.1f}*V")
    yield from _phases(values, 31, 7, lambda phase: f"{_positive(phase.current_a):06.2f}*A")
    yield "0-0:96.3.10", f"{values.breaker}"
    yield "0-0:17.0.0", _kilo(values.limit_w, 2, "kW")
    yield "1-0:31.4.0", f"{_positive(values.fuse_a):06.2f}*A"
    yield "0-0:96.13.0", _hex(values.message)
    for channel in values.channels:
        yield f"0-{channel.channel}:24.1.0", f"{channel.device_type:03d}"
        yield f"0-{channel.channel}:96.1.1", _hex(channel.serial)
        if channel.valve is not None:
            yield f"0-{channel.channel}:24.4.0", f"{channel.valve}"
        yield f"0-{channel.channel}:24.2.{3 if channel.device_type == GAS else 1}", *_channel(channel)


def _swedish_rows(values: P1Values) -> Rows:
    yield "0-0:1.0.0", written(values.time, summer_time=False)
    yield "1-0:1.8.0", _kilo(sum(values.energy_in_wh), 8, "kWh")
    yield "1-0:2.8.0", _kilo(sum(values.energy_out_wh), 8, "kWh")
    yield "1-0:3.8.0", _kilo(values.reactive_in_varh, 8, "kVArh")
    yield "1-0:4.8.0", _kilo(values.reactive_out_varh, 8, "kVArh")
    yield from _power(values, 4)
    yield "1-0:3.7.0", _kilo(sum(phase.reactive_in_var for phase in values.phases), 4, "kVAr")
    yield "1-0:4.7.0", _kilo(sum(phase.reactive_out_var for phase in values.phases), 4, "kVAr")
    yield from _phase_power(values, 4)
    yield from _phases(values, 23, 7, lambda phase: _kilo(phase.reactive_in_var, 4, "kVAr"))
    yield from _phases(values, 24, 7, lambda phase: _kilo(phase.reactive_out_var, 4, "kVAr"))
    yield from _phases(values, 32, 7, lambda phase: f"{_positive(phase.voltage_v):05.1f}*V")
    yield from _phases(values, 31, 7, lambda phase: f"{_positive(phase.current_a):05.1f}*A")


def _tariffs(values: P1Values) -> Rows:
    for direction, registers in ((1, values.energy_in_wh), (2, values.energy_out_wh)):
        for tariff, energy in enumerate((*registers, 0, 0)[: max(2, len(registers))], 1):
            yield f"1-0:{direction}.8.{tariff}", _kilo(energy, 6, "kWh")
    yield "0-0:96.14.0", f"{values.tariff:04d}"


def _power(values: P1Values, digits: int) -> Rows:
    yield "1-0:1.7.0", _kilo(values.power_in_w, digits, "kW")
    yield "1-0:2.7.0", _kilo(values.power_out_w, digits, "kW")


def _phase_power(values: P1Values, digits: int) -> Rows:
    yield from _phases(values, 21, 7, lambda phase: _kilo(phase.power_in_w, digits, "kW"))
    yield from _phases(values, 22, 7, lambda phase: _kilo(phase.power_out_w, digits, "kW"))


def _phases(values: P1Values, group_c: int, group_d: int, text: Callable[[PhaseValues], str]) -> Rows:
    """One row for each phase: the codes of L2 and L3 are 20 and 40 above those of L1."""
    for index, phase in enumerate(values.phases):
        yield f"1-0:{group_c + 20 * index}.{group_d}.0", text(phase)


def _failures(values: P1Values) -> tuple[str, ...]:
    rows = [part for time, seconds in values.failure_log for part in (written(time), f"{seconds:010d}*s")]
    return (str(len(values.failure_log)), "0-0:96.7.19", *rows)


def _peaks(values: P1Values) -> tuple[str, ...]:
    rows = [
        part
        for peak in values.peaks
        for part in (written(peak.period), written(peak.time), _kilo(peak.power_w, 2, "kW"))
    ]
    return (str(len(values.peaks)), "1-0:1.6.0", "1-0:1.6.0", *rows)


def _channel(channel: ChannelValues) -> tuple[str, str]:
    return written(channel.time), f"{_positive(channel.value):09.3f}*{channel.unit}"


def _kilo(thousandths: int, digits: int, unit: str) -> str:
    """A value in thousandths of its unit with three decimals; a register rolls over after ``digits`` digits."""
    whole, part = divmod(int(_positive(thousandths)) % 10 ** (digits + 3), 1000)
    return f"{whole:0{digits}d}.{part:03d}*{unit}"


def _positive(value: Number) -> Number:
    if value < 0:
        raise LocalProtocolError(f"{value} cannot be sent: P1 has a code for each direction and no signs")
    return value


def _hex(plain: str) -> str:
    return plain.encode("latin-1", "replace").hex().upper()
