"""SML to readings: every value of a list with its name, unit, scale and time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.mapping.obis import describe
from meterway.model.reading import Reading, Value, iso_utc
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.sml.messages import (
    GET_LIST_RESPONSE,
    SmlEntry,
    SmlList,
    SmlMessage,
    SmlTime,
    decode_file,
    list_of,
)
from meterway.stacks.sml.transport import BEGIN, Transmission, decode_transport
from meterway.stacks.sml.values import SmlValue

__all__ = ["decode_telegram", "device_number", "is_sml"]

_MAKERS: Final = (Obis(129, 129, 199, 130, 3), Obis(1, 0, 96, 50, 1, 1))
_SERVER_SIZE: Final = 10
_NO_UNIT: Final = 255


def is_sml(octets: bytes) -> bool:
    """Whether these octets are SML, in its transport or a file without one."""
    if octets.startswith(BEGIN[:4]):
        return True
    if octets[:1] != b"\x76":
        return False
    try:
        return bool(decode_file(octets, is_whole=False))
    except DecodeError:
        return False


def decode_telegram(octets: bytes) -> DecodedTelegram:
    """All lists of all transmissions; DecodeError as the stack says.

    Quirks beside those of the stack: ``no-transport``, ``noise`` (octets behind a transmission).
    """
    device: dict[str, Json] = {}
    readings: list[Reading] = []
    layers: list[dict[str, Json]] = []
    quirks: list[str] = []
    for transmission, base in _transmissions(octets, layers, quirks):
        is_whole = "no-end" not in transmission.quirks
        for message in decode_file(transmission.file, base=base, is_whole=is_whole):
            layers.append({"layer": "sml", "message": message.name, "transaction": message.transaction.hex()})
            quirks += message.quirks
            if message.tag == GET_LIST_RESPONSE:
                _list(message, device, readings, layers[-1], quirks)
            else:
                layers[-1]["body"] = _json(message.body)
    return DecodedTelegram(
        protocol="sml",
        device=device,
        readings=tuple(readings),
        layers=tuple(layers),
        security={"encrypted": False, "authenticated": False},
        quirks=tuple(dict.fromkeys(quirks)),
    )


def _transmissions(octets: bytes, layers: list[dict[str, Json]], quirks: list[str]) -> list[tuple[Transmission, int]]:
    """Each SML file with where its octets begin (nearly: escapes within it move what follows)."""
    if not octets.startswith(BEGIN[:4]):
        quirks.append("no-transport")
        return [(Transmission(file=octets, end=len(octets)), 0)]
    found: list[tuple[Transmission, int]] = []
    start = 0
    while octets.startswith(BEGIN, start) or not found:
        one = decode_transport(octets, start)
        layers.append({"layer": "sml-transport", "version": 1, "fill": one.fill})
        quirks += one.quirks
        found.append((one, start + len(BEGIN)))
        start = one.end
    if octets[start:].strip(b"\x00"):
        quirks.append("noise")
    return found


def _list(
    message: SmlMessage,
    device: dict[str, Json],
    readings: list[Reading],
    layer: dict[str, Json],
    quirks: list[str],
) -> None:
    told = list_of(message)
    times = [told.sensor_time, told.gateway_time, *(entry.time for entry in told.entries)]
    if any(one is not None and one.is_bare for one in times):
        quirks.append("bare-time")
    time = told.sensor_time.time if told.sensor_time is not None else None
    readings += [_reading(entry, time) for entry in told.entries]
    device |= _device(told)
    layer["list"] = None if told.name is None else told.name.hex()
    layer["sensor_time"] = _time_json(told.sensor_time)
    layer["gateway_time"] = _time_json(told.gateway_time)
    layer["status"] = {entry.name.hex(): entry.status for entry in told.entries if entry.status is not None}


def _device(told: SmlList) -> dict[str, Json]:
    device: dict[str, Json] = {"id": device_number(told.server), "server_id": told.server.hex().upper()}
    if len(told.server) == _SERVER_SIZE and told.server[2:5].isalpha():
        device["manufacturer"] = told.server[2:5].decode("ascii", "replace")
    for entry in told.entries:
        if entry.obis in _MAKERS and isinstance(entry.value, bytes) and entry.value.isalnum():
            device["manufacturer"] = entry.value.decode("ascii", "replace")
    if told.sensor_time is not None:
        device["time"] = iso_utc(told.sensor_time.time)
    return device


def device_number(server: bytes) -> str:
    """A server id as it is printed on the meter (DIN 43863-5), ``1ISK0012345678``; another one as hex."""
    if len(server) == _SERVER_SIZE and server[0] == 0x0A and server[1] < 10 and server[2:5].isalpha():
        number = int.from_bytes(server[6:10], "big")
        if server[2:5].isascii() and number < 10**8:
            return f"{server[1]}{server[2:5].decode('ascii')}{server[5]:02d}{number:08d}"
    return server.hex().upper()


def _time_json(time: SmlTime | None) -> Json:
    if time is None:
        return None
    return iso_utc(time.time) if time.time is not None else {"seconds_index": time.seconds_index}


def _reading(entry: SmlEntry, time: datetime | None) -> Reading:
    obis = entry.obis
    value, quality = _value(entry)
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    name = describe(obis) if obis is not None else None
    return Reading(
        name=name.name if name is not None else f"sml-{entry.name.hex()}",
        obis=obis,
        value=value,
        unit=symbol_of(entry.unit) if entry.unit not in (None, _NO_UNIT) and is_number else "",
        time=entry.time.time if entry.time is not None and entry.time.time is not None else time,
        tariff=name.tariff if name is not None else 0,
        quality=quality,
    )


def _value(entry: SmlEntry) -> tuple[Value, str]:
    value = entry.value
    if isinstance(value, bool):
        return value, ""
    if isinstance(value, int):
        return (Decimal(int(value)).scaleb(entry.scaler) if entry.scaler else int(value)), ""
    if isinstance(value, bytes):
        text = value.decode("ascii") if value.isascii() else ""
        return text if text.isprintable() and text else value.hex(), ""
    return None, "no value" if value is None else "not a single value"


def _json(value: SmlValue) -> Json:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value
