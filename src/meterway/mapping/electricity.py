"""Names of electrical quantities, composed from the groups C, D and E of their OBIS code (IEC 62056-6-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.obis import Obis

__all__ = ["ElectricName", "electric_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricName:
    """The parts of a name; ``quantity`` is ``energy``, ``power``, ``demand``, ``voltage``, ``current``, ..."""

    name: str
    title: str
    unit: str
    quantity: str
    flow: str
    phase: str
    tariff: int


@dataclass(frozen=True, slots=True)
class _Measured:
    """What group C says: a kind of power with its flow, or another quantity."""

    kind: str
    flow: str
    unit: str


# Group C 1 to 20; L1 to L3 follow at distances of 20.
_POWERS: Final = {
    1: _Measured("active", "import", "W"),
    2: _Measured("active", "export", "W"),
    3: _Measured("reactive", "import", "var"),
    4: _Measured("reactive", "export", "var"),
    5: _Measured("reactive", "q1", "var"),
    6: _Measured("reactive", "q2", "var"),
    7: _Measured("reactive", "q3", "var"),
    8: _Measured("reactive", "q4", "var"),
    9: _Measured("apparent", "import", "VA"),
    10: _Measured("apparent", "export", "VA"),
    15: _Measured("active", "absolute", "W"),
    16: _Measured("active", "net", "W"),
    17: _Measured("active", "q1", "W"),
    18: _Measured("active", "q2", "W"),
    19: _Measured("active", "q3", "W"),
    20: _Measured("active", "q4", "W"),
}
_OTHERS: Final = {
    11: _Measured("current", "", "A"),
    12: _Measured("voltage", "", "V"),
    13: _Measured("power-factor", "", ""),
    14: _Measured("frequency", "", "Hz"),
}
_EXTRA: Final = {
    84: (_Measured("power-factor-export", "", ""), ""),
    85: (_Measured("power-factor-export", "", ""), "l1"),
    86: (_Measured("power-factor-export", "", ""), "l2"),
    87: (_Measured("power-factor-export", "", ""), "l3"),
    88: (_Measured("square-current", "", "A²h"), ""),
    89: (_Measured("square-voltage", "", "V²h"), ""),
    90: (_Measured("current-sum", "", "A"), ""),
    91: (_Measured("current", "", "A"), "n"),
    92: (_Measured("voltage", "", "V"), "n"),
}

# Group D where the value is an energy: what is added to the name and to the title.
_ENERGIES: Final = {
    8: ("", ""),
    9: ("since-billing", "since the last billing reset"),
    10: ("over-threshold", "above the threshold"),
    29: ("interval", "in recording interval 1"),
    30: ("interval-2", "in recording interval 2"),
}
# Group D where the value is an average, its extreme, or a threshold.
_VALUES: Final = {
    0: ("billing-average", "average of the billing period"),
    1: ("cumulative-min", "cumulative minimum"),
    2: ("cumulative-max", "cumulative maximum"),
    3: ("min", "minimum"),
    4: ("", "current average"),
    5: ("last", "last average"),
    6: ("max", "maximum"),
    11: ("cumulative-min-2", "cumulative minimum of period 2"),
    12: ("cumulative-max-2", "cumulative maximum of period 2"),
    13: ("min-2", "minimum of period 2"),
    14: ("2", "current average of period 2"),
    15: ("last-2", "last average of period 2"),
    16: ("max-2", "maximum of period 2"),
    21: ("cumulative-min-3", "cumulative minimum of period 3"),
    22: ("cumulative-max-3", "cumulative maximum of period 3"),
    23: ("min-3", "minimum of period 3"),
    24: ("3", "current average of period 3"),
    25: ("last-3", "last average of period 3"),
    26: ("max-3", "maximum of period 3"),
    27: ("interval", "average of recording interval 1"),
    28: ("interval-2", "average of recording interval 2"),
}
_LIMITS: Final = {
    31: ("under-threshold", "lower limit"),
    32: ("under-count", "times under the limit"),
    33: ("under-duration", "time under the limit"),
    34: ("under-magnitude", "extreme under the limit"),
    35: ("over-threshold", "upper limit"),
    36: ("over-count", "times over the limit"),
    37: ("over-duration", "time over the limit"),
    38: ("over-magnitude", "extreme over the limit"),
    39: ("missing-threshold", "limit for a missing value"),
    40: ("missing-count", "times missing"),
    41: ("missing-duration", "time missing"),
    42: ("missing-magnitude", "extreme while missing"),
    43: ("under-time-threshold", "time before it counts as under the limit"),
    44: ("over-time-threshold", "time before it counts as over the limit"),
    45: ("missing-time-threshold", "time before it counts as missing"),
    46: ("contracted", "contracted value"),
}
_COUNTS: Final = frozenset({32, 36, 40})
_DURATIONS: Final = frozenset({33, 37, 41, 43, 44, 45})
_VOLTAGE_WORDS: Final = {"under": ("sag", "sag"), "over": ("swell", "swell"), "missing": ("cut", "cut")}
_ANGLE_ENDS: Final = {0: "u1", 1: "u2", 2: "u3", 4: "i1", 5: "i2", 6: "i3", 7: "in"}
_MAX_TARIFF: Final = 63
_THD, _TDD = 124, 125


def electric_name(obis: Obis) -> ElectricName | None:
    """The name of a code of medium electricity (A = 1); None if its groups do not say a quantity."""
    if obis.c == 81 and obis.d == 7:
        return _angle(obis.e)
    found = _measured(obis.c)
    if found is None:
        return None
    measured, phase = found
    power = obis.c < 81 and measured.unit in ("W", "var", "VA")
    value = _power_value(measured, obis.d) if power else _other_value(measured, obis.d)
    if value is None:
        return None
    quantity, unit, suffix, remark = value
    extra = _group_e(obis, harmonic=not power and obis.d in (7, 24))
    if extra is None:
        return None
    e_name, e_title, e_unit, tariff = extra
    head = f"{measured.kind}-{quantity}" if power else quantity
    words = [head, measured.flow, suffix, phase, e_name]
    title = " ".join(part for part in (head.replace("-", " "), measured.flow, phase.upper()) if part)
    details = ", ".join(part for part in (title[0].upper() + title[1:], remark, e_title) if part)
    return ElectricName(
        name="-".join(word for word in words if word),
        title=details,
        unit=unit if e_unit is None else e_unit,
        quantity=quantity,
        flow=measured.flow,
        phase=phase,
        tariff=tariff,
    )


def _measured(c: int) -> tuple[_Measured, str] | None:
    if 1 <= c <= 80:
        phase, place = divmod(c - 1, 20)
        found = _POWERS.get(place + 1) or _OTHERS.get(place + 1)
        return None if found is None else (found, ("", "l1", "l2", "l3")[phase])
    return _EXTRA.get(c)


def _power_value(measured: _Measured, d: int) -> tuple[str, str, str, str] | None:
    """Quantity, unit, what is added to the name, what is added to the title."""
    if d in _ENERGIES:
        return ("energy", measured.unit + "h", *_ENERGIES[d])
    if d == 7:
        return "power", measured.unit, "", ""
    if d in _VALUES:
        return ("demand", measured.unit, *_VALUES[d])
    return _limit("power", measured.unit, d)


def _other_value(measured: _Measured, d: int) -> tuple[str, str, str, str] | None:
    if measured.unit in ("A²h", "V²h"):
        return (measured.kind, measured.unit, *_ENERGIES[d]) if d in _ENERGIES else None
    if d == 7:
        return measured.kind, measured.unit, "", ""
    if d in _VALUES:
        suffix, remark = _VALUES[d]
        return measured.kind, measured.unit, "-".join(part for part in ("average", suffix) if part), remark
    return _limit(measured.kind, measured.unit, d)


def _limit(quantity: str, unit: str, d: int) -> tuple[str, str, str, str] | None:
    if d not in _LIMITS:
        return None
    suffix, remark = _LIMITS[d]
    if quantity == "voltage":
        word, _, rest = suffix.partition("-")
        if word in _VOLTAGE_WORDS:
            suffix = f"{_VOLTAGE_WORDS[word][0]}-{rest}"
    return quantity, "" if d in _COUNTS else "s" if d in _DURATIONS else unit, suffix, remark


def _group_e(obis: Obis, *, harmonic: bool) -> tuple[str, str, str | None, int] | None:
    """What group E adds to name and title, the unit if it changes it, and the tariff."""
    e = obis.e
    if e == 0:
        return "", "", None, 0
    if not harmonic:
        return (f"t{e}", f"tariff {e}", None, e) if e <= _MAX_TARIFF else None
    if e <= 120:
        return f"harmonic-{e}", f"harmonic {e}", None, 0
    if e == _THD:
        return "thd", "total harmonic distortion", "%", 0
    if e == _TDD:
        return "tdd", "total demand distortion", "%", 0
    return None


def _angle(e: int) -> ElectricName | None:
    reference, measured = _ANGLE_ENDS.get(e // 10), _ANGLE_ENDS.get(e % 10)
    if reference is None or measured is None:
        return None
    return ElectricName(
        name=f"angle-{measured}-to-{reference}",
        title=f"Phase angle from {reference.upper()} to {measured.upper()}",
        unit="°",
        quantity="angle",
        flow="",
        phase="",
        tariff=0,
    )
