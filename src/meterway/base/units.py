"""Units of measure: the DLMS unit codes (IEC 62056-6-2, enum ``unit``) and their symbols.

The symbol is the one word every floor uses for a unit; stacks with their own codes (DIF/VIF, P1 text)
map onto it.
"""

from __future__ import annotations

from typing import Final

__all__ = ["UNIT_CODES", "UNIT_SYMBOLS", "code_of", "symbol_of"]

UNIT_SYMBOLS: Final[dict[int, str]] = {
    1: "a",
    2: "mo",
    3: "wk",
    4: "d",
    5: "h",
    6: "min",
    7: "s",
    8: "°",
    9: "°C",
    10: "currency",
    11: "m",
    12: "m/s",
    13: "m³",
    14: "m³",  # corrected volume
    15: "m³/h",
    16: "m³/h",  # corrected
    17: "m³/d",
    18: "m³/d",  # corrected
    19: "l",
    20: "kg",
    21: "N",
    22: "Nm",
    23: "Pa",
    24: "bar",
    25: "J",
    26: "J/h",
    27: "W",
    28: "VA",
    29: "var",
    30: "Wh",
    31: "VAh",
    32: "varh",
    33: "A",
    34: "C",
    35: "V",
    36: "V/m",
    37: "F",
    38: "Ω",
    39: "Ωm²/m",
    40: "Wb",
    41: "T",
    42: "A/m",
    43: "H",
    44: "Hz",
    45: "1/Wh",
    46: "1/varh",
    47: "1/VAh",
    48: "V²h",
    49: "A²h",
    50: "kg/s",
    51: "S",
    52: "K",
    53: "1/V²h",
    54: "1/A²h",
    55: "1/m³",
    56: "%",
    57: "Ah",
    60: "Wh/m³",
    61: "J/m³",
    62: "mol%",
    63: "g/m³",
    64: "Pa s",
    65: "J/kg",
    66: "g/cm²",
    67: "atm",
    70: "dBm",
    71: "dBµV",
    72: "dB",
    254: "other",
    255: "",
}

UNIT_CODES: Final[dict[str, int]] = {
    symbol: code for code, symbol in reversed(UNIT_SYMBOLS.items()) if code not in (14, 16, 18)
}


def symbol_of(code: int) -> str:
    """The symbol of a unit code; ``unit <n>`` for a code the table does not have."""
    return UNIT_SYMBOLS.get(code, f"unit {code}")


def code_of(symbol: str) -> int:
    """The unit code of a symbol; 254 (other) if the table does not have it."""
    return UNIT_CODES.get(symbol, 254)
