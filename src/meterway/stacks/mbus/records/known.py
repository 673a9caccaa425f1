"""Formats of compact frames that meters in the field send without ever sending the full frame first.

Each was found by search: of all plausible headers it is the one whose signature and whose CRC over the rebuilt frame
both fit captured telegrams.
"""

from __future__ import annotations

from typing import Final

from meterway.base.crc import en13757

__all__ = ["KNOWN_FORMATS"]

_HEADS: Final = (
    # electricity: energy and power, import and export
    "0404 04843C 042B 04AB3C",
    # water: information, volume, volume at target date, lowest flow and ambient temperature
    "02FF20 0413 4413 615B 6167",
    # water: information, volume; of the last month the highest flow, the lowest water and ambient temperature
    "02FF20 0413 92013B A1015B 8101E7FF0F",
    # heat: energy, energy of forward and return, volume, flow, temperatures, information, date; energy, volume, date
    "0406 04FF07 04FF08 0414 043B 0259 025D 04FF22 026C 4406 4414 426C",
    # heat and cooling with two pulse inputs
    "040F 04FF07 04FF08 0414 844014 84804014 043B 0259 025D 142D 84100F 84200F 04FF22 026C 440F 4414 C44014 C4804014"
    " 426C",
)

KNOWN_FORMATS: Final[dict[int, bytes]] = {en13757(heads): heads for heads in map(bytes.fromhex, _HEADS)}
"""Headers by format signature."""
