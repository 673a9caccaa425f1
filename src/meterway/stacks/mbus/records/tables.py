"""The value information codes of EN 13757-3 as data: what a VIF means, in which unit, at which power of ten.

A row is written once for a whole group of codes; the exponent runs with the low bits of the code. Units are the
symbols of ``meterway.base.units`` where it has one; a value is given in that unit without a prefix.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["COMBINABLE", "COMBINABLE_2", "FB", "FD", "FD_2", "PRIMARY", "RECORD_ERRORS", "Combinable", "Meaning"]


class Meaning(NamedTuple):
    """What a value information field says: value in ``unit`` = integer x ``num`` / ``den``.

    ``kind`` tells how the data field is read: ``number``, ``time`` (types F, G, I, J), ``flags`` (unsigned, no scale),
    ``id`` (digits are kept as text), ``octets`` (structured, kept as they are) or ``maker`` (only the maker knows).
    """

    quantity: str
    unit: str = ""
    num: int = 1
    den: int = 1
    kind: str = "number"


Rows = tuple[tuple[int, int, str, str, int], ...]


def _scaled(quantity: str, unit: str, exponent: int, factor: int = 1) -> Meaning:
    if exponent >= 0:
        return Meaning(quantity, unit, factor * 10**exponent)
    return Meaning(quantity, unit, factor, 10**-exponent)


def _expand(rows: Rows, table: dict[int, Meaning]) -> dict[int, Meaning]:
    for first, count, quantity, unit, exponent in rows:
        for step in range(count):
            table[first + step] = _scaled(quantity, unit, exponent + step)
    return table


def _series(first: int, quantity: str, units: str) -> dict[int, Meaning]:
    return {first + step: Meaning(quantity, unit) for step, unit in enumerate(units.split())}


def _one(kind: str, names: dict[int, str]) -> dict[int, Meaning]:
    return {code: Meaning(name, kind=kind) for code, name in names.items()}


# first code, how many, quantity, unit, power of ten of the first
_PRIMARY_ROWS: Final[Rows] = (
    (0x00, 8, "energy", "Wh", -3),
    (0x08, 8, "energy", "J", 0),
    (0x10, 8, "volume", "m³", -6),
    (0x18, 8, "mass", "kg", -3),
    (0x28, 8, "power", "W", -3),
    (0x30, 8, "power", "J/h", 0),
    (0x38, 8, "volume flow", "m³/h", -6),
    (0x50, 8, "mass flow", "kg/h", -3),
    (0x58, 4, "flow temperature", "°C", -3),
    (0x5C, 4, "return temperature", "°C", -3),
    (0x60, 4, "temperature difference", "K", -3),
    (0x64, 4, "external temperature", "°C", -3),
    (0x68, 4, "pressure", "bar", -3),
)

PRIMARY: Final[dict[int, Meaning]] = _expand(
    _PRIMARY_ROWS,
    {
        **_series(0x20, "on time", "s min h d"),
        **_series(0x24, "operating time", "s min h d"),
        **{0x40 + step: _scaled("volume flow", "m³/h", step - 7, 60) for step in range(8)},
        **{0x48 + step: _scaled("volume flow", "m³/h", step - 9, 3600) for step in range(8)},
        0x6C: Meaning("date", kind="time"),
        0x6D: Meaning("time", kind="time"),
        0x6E: Meaning("heat cost units"),
        **_series(0x70, "averaging duration", "s min h d"),
        **_series(0x74, "actuality duration", "s min h d"),
        0x78: Meaning("fabrication number", kind="id"),
        0x79: Meaning("enhanced identification", kind="id"),
        0x7A: Meaning("bus address", kind="flags"),
        0x7E: Meaning("any"),
        0x7F: Meaning("manufacturer specific", kind="maker"),
    },
)

_FB_ROWS: Final[Rows] = (
    (0x00, 2, "energy", "Wh", 5),
    (0x02, 2, "reactive energy", "varh", 3),
    (0x04, 2, "apparent energy", "VAh", 3),
    (0x08, 2, "energy", "J", 8),
    (0x0C, 4, "energy", "cal", 5),
    (0x10, 2, "volume", "m³", 2),
    (0x14, 4, "reactive power", "var", 0),
    (0x18, 2, "mass", "kg", 5),
    (0x1A, 2, "relative humidity", "%", -1),
    (0x20, 1, "volume", "ft³", 0),
    (0x21, 1, "volume", "ft³", -1),
    (0x22, 1, "volume", "gal", -1),
    (0x23, 1, "volume", "gal", 0),
    (0x24, 1, "volume flow", "gal/min", -3),
    (0x25, 1, "volume flow", "gal/min", 0),
    (0x26, 1, "volume flow", "gal/h", 0),
    (0x28, 2, "power", "W", 5),
    (0x2A, 1, "phase angle voltage to voltage", "°", -1),
    (0x2B, 1, "phase angle voltage to current", "°", -1),
    (0x2C, 4, "frequency", "Hz", -3),
    (0x30, 2, "power", "J/h", 8),
    (0x34, 4, "apparent power", "VA", 0),
    (0x58, 4, "flow temperature", "°F", -3),
    (0x5C, 4, "return temperature", "°F", -3),
    (0x60, 4, "temperature difference", "°F", -3),
    (0x64, 4, "external temperature", "°F", -3),
    (0x70, 4, "cold and warm temperature limit", "°F", -3),
    (0x74, 4, "cold and warm temperature limit", "°C", -3),
    (0x78, 8, "cumulated maximum power", "W", -3),
)

FB: Final[dict[int, Meaning]] = _expand(_FB_ROWS, {})

_FD_ROWS: Final[Rows] = (
    (0x00, 4, "credit", "currency", -3),
    (0x04, 4, "debit", "currency", -3),
    (0x40, 16, "voltage", "V", -9),
    (0x50, 16, "current", "A", -12),
)

FD: Final[dict[int, Meaning]] = _expand(
    _FD_ROWS,
    {
        **_one(
            "flags",
            {
                0x08: "access number",
                0x09: "device type",
                0x0A: "manufacturer",
                0x17: "error flags",
                0x18: "error mask",
                0x1A: "digital output",
                0x1B: "digital input",
                0x1F: "remote control",
                0x62: "control signal",
                0x66: "state of parameter activation",
                0x67: "special supplier information",
            },
        ),
        **_one(
            "number",
            {
                0x1E: "retry",
                0x20: "first storage number of cyclic storage",
                0x21: "last storage number of cyclic storage",
                0x22: "size of storage block",
                0x23: "descriptor for tariff and subunit",
                0x2A: "operator specific data",
                0x3A: "dimensionless",
                0x60: "reset counter",
                0x61: "cumulation counter",
                0x63: "day of week",
                0x64: "week number",
                0x75: "number of times the meter was stopped",
            },
        ),
        **_one(
            "id",
            {
                0x0B: "parameter set identification",
                0x0C: "model or version",
                0x0D: "hardware version",
                0x0E: "firmware version",
                0x0F: "software version",
                0x10: "customer location",
                0x11: "customer",
                0x12: "access code user",
                0x13: "access code operator",
                0x14: "access code system operator",
                0x15: "access code developer",
                0x16: "password",
            },
        ),
        **_one(
            "octets",
            {
                0x19: "security key",
                0x3B: "data container for wireless M-Bus",
                0x72: "daylight saving rule",
                0x73: "listening window management",
                0x76: "data container for a manufacturer protocol",
            },
        ),
        **_one(
            "time",
            {0x30: "start of tariff", 0x65: "time point of day change", 0x70: "time of battery change"},
        ),
        0x1C: Meaning("baud rate", "Bd"),
        0x1D: Meaning("response delay", "bit times"),
        **_series(0x24, "storage interval", "s min h d mo a"),
        0x2B: Meaning("second of minute", "s"),
        **_series(0x2C, "duration since last readout", "s min h d"),
        **_series(0x31, "duration of tariff", "min h d"),
        **_series(0x34, "period of tariff", "s min h d mo a"),
        **_series(0x3C, "period of nominal data transmission", "s min h d"),
        **_series(0x68, "duration since last cumulation", "h d mo a"),
        **_series(0x6C, "operating time of battery", "h d mo a"),
        0x71: Meaning("reception level", "dBm"),
        0x74: Meaning("remaining battery life", "d"),
    },
)

FD_2: Final[dict[int, Meaning]] = {
    0x00: Meaning("currently selected application", kind="flags"),
    **_series(0x02, "remaining battery life", "mo a"),
}


class Combinable(NamedTuple):
    """What a combinable VIFE adds: words, and its effect on unit, scale or kind of the value.

    ``effect``: ``note`` (words only), ``unit`` (``argument`` is appended to the unit), ``scale`` and ``offset``
    (``argument`` is the power of ten), ``time`` (the value is a date or time), ``duration`` (in ``argument``),
    ``count`` (a plain number), ``profile`` (a compact profile).
    """

    text: str
    effect: str = "note"
    argument: str = ""


RECORD_ERRORS: Final[dict[int, str]] = {
    0x01: "too many DIFEs",
    0x02: "storage number not implemented",
    0x03: "subunit not implemented",
    0x04: "tariff not implemented",
    0x05: "function not implemented",
    0x06: "data class not implemented",
    0x07: "data size not implemented",
    0x0B: "too many VIFEs",
    0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent",
    0x0E: "VIF and DIF do not match",
    0x0F: "unimplemented action",
    0x15: "no data available",
    0x16: "data overflow",
    0x17: "data underflow",
    0x18: "data error",
    0x1C: "premature end of record",
}

_NOTES: Final[dict[int, str]] = {
    0x00: "no error",
    0x12: "average",
    0x14: "relative deviation",
    0x1D: "standard conform data",
    0x3A: "uncorrected",
    0x3B: "positive contributions only",
    0x3C: "negative contributions only",
    0x3D: "non-metric unit system",
    0x3E: "at base conditions",
    0x3F: "OBIS declaration",
    0x40: "lower limit",
    0x48: "upper limit",
    0x68: "while lower limit is exceeded",
    0x6C: "while upper limit is exceeded",
    0x69: "leakage",
    0x6D: "overflow",
    0x7E: "future",
}

_UNITS: Final[dict[int, tuple[str, str]]] = {
    0x20: ("per second", "/s"),
    0x21: ("per minute", "/min"),
    0x22: ("per hour", "/h"),
    0x23: ("per day", "/d"),
    0x24: ("per week", "/wk"),
    0x25: ("per month", "/mo"),
    0x26: ("per year", "/a"),
    0x27: ("per revolution or measurement", "/rev"),
    0x28: ("per input pulse on channel 0", "/pulse"),
    0x29: ("per input pulse on channel 1", "/pulse"),
    0x2A: ("per output pulse on channel 0", "/pulse"),
    0x2B: ("per output pulse on channel 1", "/pulse"),
    0x2C: ("per litre", "/l"),
    0x2D: ("per cubic metre", "/m³"),
    0x2E: ("per kilogram", "/kg"),
    0x2F: ("per kelvin", "/K"),
    0x30: ("per kilowatt hour", "/kWh"),
    0x31: ("per gigajoule", "/GJ"),
    0x32: ("per kilowatt", "/kW"),
    0x33: ("per kelvin and litre", "/(K l)"),
    0x34: ("per volt", "/V"),
    0x35: ("per ampere", "/A"),
    0x36: ("times second", " s"),
    0x37: ("times second per volt", " s/V"),
    0x38: ("times second per ampere", " s/A"),
}


def _limits() -> dict[int, Combinable]:
    table: dict[int, Combinable] = {}
    for upper in (0, 1):
        side = "upper" if upper else "lower"
        table[0x41 | upper << 3] = Combinable(f"number of exceeds of {side} limit", "count")
        for last in (0, 1):
            which = "last" if last else "first"
            for end in (0, 1):
                edge = "end" if end else "begin"
                code = 0x42 | upper << 3 | last << 2 | end
                table[code] = Combinable(f"time of {edge} of {which} {side} limit exceed", "time")
            for step, unit in enumerate(("s", "min", "h", "d")):
                code = 0x50 | upper << 3 | last << 2 | step
                table[code] = Combinable(f"duration of {which} {side} limit exceed", "duration", unit)
    for last in (0, 1):
        which = "last" if last else "first"
        for step, unit in enumerate(("s", "min", "h", "d")):
            table[0x60 | last << 2 | step] = Combinable(f"duration of {which}", "duration", unit)
        for end in (0, 1):
            edge = "end" if end else "begin"
            table[0x6A | last << 2 | end] = Combinable(f"time of {edge} of {which}", "time")
    return table


COMBINABLE: Final[dict[int, Combinable]] = {
    **{code: Combinable(text) for code, text in _NOTES.items()},
    **{code: Combinable(text, "unit", suffix) for code, (text, suffix) in _UNITS.items()},
    **{code: Combinable(text, "error") for code, text in RECORD_ERRORS.items()},
    0x13: Combinable("inverse compact profile", "profile"),
    0x1E: Combinable("compact profile with register numbers", "profile"),
    0x1F: Combinable("compact profile", "profile"),
    0x39: Combinable("start time of", "time"),
    **_limits(),
    **{0x70 + step: Combinable("multiplicative correction", "scale", str(step - 6)) for step in range(8)},
    **{0x78 + step: Combinable("additive correction", "offset", str(step - 3)) for step in range(4)},
    0x7D: Combinable("multiplicative correction", "scale", "3"),
}

COMBINABLE_2: Final[dict[int, Combinable]] = {
    code: Combinable(text)
    for code, text in {
        0x01: "phase L1",
        0x02: "phase L2",
        0x03: "phase L3",
        0x04: "neutral",
        0x05: "between L1 and L2",
        0x06: "between L2 and L3",
        0x07: "between L3 and L1",
        0x08: "quadrant 1",
        0x09: "quadrant 2",
        0x0A: "quadrant 3",
        0x0B: "quadrant 4",
        0x0C: "import minus export",
        0x0D: "alternative non-metric unit system",
        0x10: "absolute value of both directions",
        0x11: "data of type C",
        0x12: "data of type D",
        0x13: "from communication partner to meter",
        0x14: "from meter to communication partner",
    }.items()
}
