"""Télé-information client to readings: the labels of historical and standard mode with code, unit and time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from meterway.base.obis import Obis
from meterway.mapping.obis import describe
from meterway.model.reading import Reading, Value, iso_utc
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.tic.frame import TicGroup, decode_frame, group_of

__all__ = ["decode_telegram", "is_tic", "moment"]

_VA, _A, _V, _WH, _VARH, _KVA, _W = "VA", "A", "V", "Wh", "varh", "kVA", "W"
_NUMBERED: Final[dict[str, tuple[str, str]]] = {
    "ADCO": ("0-0:96.1.0", ""),
    "ADSC": ("0-0:96.1.0", ""),
    "PRM": ("0-0:96.1.10", ""),
    "BASE": ("1-0:1.8.0", _WH),
    "EAST": ("1-0:1.8.0", _WH),
    "EAIT": ("1-0:2.8.0", _WH),
    **{f"EASF{number:02d}": (f"1-0:1.8.{number}", _WH) for number in range(1, 11)},
    **{f"ERQ{number}": (f"1-0:{number + 4}.8.0", _VARH) for number in range(1, 5)},
    "PAPP": ("1-0:9.7.0", _VA),
    "SINSTS": ("1-0:9.7.0", _VA),
    "SINSTI": ("1-0:10.7.0", _VA),
    "SMAXSN": ("1-0:9.6.0", _VA),
    "SMAXIN": ("1-0:10.6.0", _VA),
    "IINST": ("1-0:31.7.0", _A),
    "IMAX": ("1-0:31.6.0", _A),
    "NTARF": ("0-0:96.14.0", ""),
    **{f"IRMS{phase}": (f"1-0:{11 + 20 * phase}.7.0", _A) for phase in (1, 2, 3)},
    **{f"IINST{phase}": (f"1-0:{11 + 20 * phase}.7.0", _A) for phase in (1, 2, 3)},
    **{f"IMAX{phase}": (f"1-0:{11 + 20 * phase}.6.0", _A) for phase in (1, 2, 3)},
    **{f"URMS{phase}": (f"1-0:{12 + 20 * phase}.7.0", _V) for phase in (1, 2, 3)},
    **{f"SINSTS{phase}": (f"1-0:{9 + 20 * phase}.7.0", _VA) for phase in (1, 2, 3)},
    **{f"SMAXSN{phase}": (f"1-0:{9 + 20 * phase}.6.0", _VA) for phase in (1, 2, 3)},
}
"""Labels that say the same as a code."""
_UNITS: Final[dict[str, str]] = {
    **dict.fromkeys(("ISOUSC", "ADPS", "ADIR1", "ADIR2", "ADIR3"), _A),
    **dict.fromkeys(("HCHC", "HCHP", "EJPHN", "EJPHPM", "GAZ"), _WH),
    **dict.fromkeys(("BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR"), _WH),
    **{f"EASD{number:02d}": _WH for number in range(1, 5)},
    **dict.fromkeys(("PREF", "PCOUP"), _KVA),
    **dict.fromkeys(("PMAX", "CCASN", "CCASN-1", "CCAIN", "CCAIN-1"), _W),
    **dict.fromkeys(("SMAXSN-1", "SMAXSN1-1", "SMAXSN2-1", "SMAXSN3-1", "SMAXIN-1"), _VA),
    **dict.fromkeys(("UMOY1", "UMOY2", "UMOY3"), _V),
}
"""Labels of numbers that no code is known for."""
_TEXTS: Final = frozenset(
    (
        "OPTARIF", "PTEC", "DEMAIN", "HHPHC", "MOTDETAT", "PPOT", "PEJP", "VTIC", "DATE", "NGTF", "LTARF", "STGE",
        "MSG1", "MSG2", "RELAIS", "NJOURF", "NJOURF+1", "PJOURF+1", "PPOINTE", "DPM1", "FPM1", "DPM2", "FPM2", "DPM3",
        "FPM3",
    )
)  # fmt: skip
_KNOWN: Final = frozenset(_NUMBERED) | frozenset(_UNITS) | _TEXTS
_BEGIN: Final = re.compile(rb"[\x02\r\n ]*[A-Z][A-Z0-9]{1,8}(?:[+-][0-9]?)?[ \t]")
_IDS: Final = ("ADSC", "ADCO")
_LOOKED_AT: Final = 4096


def is_tic(octets: bytes) -> bool:
    """Whether a line of the octets is a group of a known label whose check sum holds."""
    if not _BEGIN.match(octets):
        return False
    text = octets[:_LOOKED_AT].decode("latin-1")
    groups = (group_of(line) for line in re.split(r"[\r\n\x02\x03\x04]+", text) if line.strip())
    return any(group is not None and group.label in _KNOWN for group in groups)


def decode_telegram(octets: bytes) -> DecodedTelegram:
    """Decode one frame; DecodeError as ``decode_frame`` says. A group whose check sum does not hold is left out."""
    frame = decode_frame(octets)
    clock = next((moment(group.horodate) for group in frame.groups if group.label == "DATE"), None)
    by_label = {group.label: group.data for group in frame.groups}
    groups: list[Json] = [
        {"label": group.label, "horodate": group.horodate, "data": group.data} for group in frame.groups
    ]
    unread: list[Json] = [*frame.unread]
    return DecodedTelegram(
        protocol="tic",
        device={
            "id": next((by_label[label] for label in _IDS if label in by_label), None),
            "mode": "standard" if any(group.is_standard for group in frame.groups) else "historical",
            "time": iso_utc(clock),
        },
        readings=tuple(_reading(group, clock) for group in frame.groups),
        layers=({"layer": "tic", "groups": groups, "unread": unread},),
        security={"encrypted": False, "authenticated": False},
        quirks=frame.quirks,
    )


def moment(horodate: str) -> datetime | None:
    """``E230712084949`` to UTC: E is summer time, H winter time, in small letters where the clock is in doubt."""
    season, digits = horodate[:1].upper(), horodate[1:]
    if season not in ("E", "H") or len(digits) != 12 or not digits.isdigit():
        return None
    year, month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(0, 12, 2))
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return local - timedelta(hours=2 if season == "E" else 1)


def _reading(group: TicGroup, clock: datetime | None) -> Reading:
    code, unit = _NUMBERED.get(group.label, ("", _UNITS.get(group.label, "")))
    obis = Obis.parse(code) if code else (Obis(0, 0, 1, 0, 0) if group.label == "DATE" else None)
    name = describe(obis) if obis is not None else None
    value, quality = _value(group, unit)
    if group.horodate[:1] in ("e", "h"):
        quality = quality or "the meter's clock is in doubt"
    return Reading(
        name=name.name if name is not None else f"tic-{group.label.lower()}",
        obis=obis,
        value=value,
        unit=unit if isinstance(value, int) else "",
        time=moment(group.horodate) if group.horodate else clock,
        tariff=name.tariff if name is not None else 0,
        function="maximum" if "MAX" in group.label else "instantaneous",
        quality=quality,
    )


def _value(group: TicGroup, unit: str) -> tuple[Value, str]:
    text = group.data.strip()
    if group.label == "DATE":
        time = moment(group.horodate)
        return iso_utc(time), "" if time is not None else f"{group.horodate!r} is no time"
    if unit or group.label == "NTARF":
        return (int(text), "") if text.isdigit() else (None, f"{text[:40]!r} is not a number" if text else "empty")
    return text, "" if text else "empty"
