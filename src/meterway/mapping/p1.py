"""P1 telegrams to readings: every object of a telegram with its name, unit, time, tariff and channel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from meterway.base.errors import DecodeError, SecurityError
from meterway.base.obis import Obis
from meterway.mapping.obis import describe
from meterway.model.reading import Reading, Value, iso_utc
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.p1.encrypted import PUBLIC_AUTH_KEY, TAG, Decrypted, decrypt, decrypt_unverified
from meterway.stacks.p1.telegram import P1Object, Telegram, decode
from meterway.stacks.p1.values import DEVICE_TYPES, Entry, P1Value, Scalar, number, text, value_of

__all__ = ["decode_telegram", "device_of", "is_p1", "readings_of"]

_LOOKS: Final = re.compile(rb"\s*(?:[/\xaf][^\n(]{0,80}\n|\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}(?:[.*]\d{1,3})?\()")
_HEADED: Final = re.compile(rb"/[!-~]{4,40}\r\n\r\n(?=\x00[\x20-\x7f\x81-\x84]|\x08[A-Z]{3})")
_NO_TITLE: Final = bytes(8)
_CLOCK: Final = "0-0:1.0.0"
_IDENTIFIERS: Final = ("0-0:96.1.1", "0-0:42.0.0", "0-0:96.1.0", "1-0:0.0.0", "0-0:96.1.255")
_VERSIONS: Final = ("1-3:0.2.8", "0-0:96.1.4")


def is_p1(octets: bytes) -> bool:
    """Whether the octets look like a P1 telegram in the clear, so that it is worth decoding them as one."""
    return _LOOKS.match(octets) is not None


def decode_telegram(
    octets: bytes,
    keys: Sequence[bytes] = (),
    auth_key: bytes | None = None,
    system_title: bytes = b"",
    *,
    offset_h: int = 1,
    crc: bool = True,
) -> DecodedTelegram:
    """Decode one telegram, plain or encrypted; the first of ``keys`` that opens it is taken.

    ``auth_key`` is Luxembourg's public one unless given; without one that fits, a telegram is believed whose own CRC
    holds. DecodeError and SecurityError as ``decode`` and
    ``decrypt`` say; SecurityError ``key`` when the telegram is encrypted and no key is given.
    """
    head, frame = _frame(octets)
    opened = _open(head, frame, keys, auth_key, system_title) if frame else None
    plain = octets if opened is None else opened.telegram
    proven = opened is not None and opened.verified
    telegram = decode(plain, crc=crc and not proven)
    return DecodedTelegram(
        protocol="p1",
        device=device_of(telegram, offset_h=offset_h),
        readings=tuple(readings_of(telegram, offset_h=offset_h)),
        layers=(*_cipher_layer(opened), _layer(telegram)),
        security=_security(opened),
        quirks=tuple(dict.fromkeys((*(opened.quirks if opened else ()), *telegram.quirks))),
    )


def _frame(octets: bytes) -> tuple[bytes, bytes]:
    """What stands in the clear before the encrypted frame, and the frame; nothing if the telegram is not encrypted.

    Polish meters send the identification in the clear, then the frame without its first octet and without a title.
    """
    if octets[:1] == bytes((TAG,)):
        return b"", octets
    match = _HEADED.match(octets)
    return (match[0], bytes((TAG,)) + octets[match.end() :]) if match else (b"", b"")


def _open(head: bytes, frame: bytes, keys: Sequence[bytes], auth_key: bytes | None, system_title: bytes) -> Decrypted:
    refused = SecurityError("the telegram is encrypted and no key was given", "key")
    title = system_title or (_NO_TITLE if head else b"")
    for key in keys:
        try:
            opened = decrypt(frame, key, auth_key or PUBLIC_AUTH_KEY, system_title=title)
        except SecurityError as error:
            refused = error
            if auth_key is None and (found := _proven_by_crc(head, frame, key, title)) is not None:
                return found
        else:
            return replace(opened, telegram=_whole(head, opened.telegram))
    raise refused


def _proven_by_crc(head: bytes, frame: bytes, key: bytes, title: bytes) -> Decrypted | None:
    try:
        opened = decrypt_unverified(frame, key, system_title=title)
        plain = _whole(head, opened.telegram)
        if decode(plain).crc is None:
            return None
    except (DecodeError, SecurityError):
        return None
    return replace(opened, telegram=plain)


def _whole(head: bytes, plain: bytes) -> bytes:
    return head + plain.rstrip(b"\0") if head else plain


def _cipher_layer(opened: Decrypted | None) -> tuple[dict[str, Json], ...]:
    if opened is None:
        return ()
    return (
        {
            "layer": "general-glo-ciphering",
            "system_title": opened.system_title.hex().upper(),
            "security_control": opened.security_control,
            "invocation_counter": opened.counter,
        },
    )


def _layer(telegram: Telegram) -> dict[str, Json]:
    objects: list[Json] = [{"code": entry.code, "parts": list(entry.parts)} for entry in telegram.objects]
    unread: list[Json] = [other.text for other in telegram.others if other.text.strip()]
    return {
        "layer": "p1",
        "identification": telegram.identification,
        "crc": None if telegram.crc is None else f"{telegram.crc:04X}",
        "objects": objects,
        "unread": unread,
    }


def _security(opened: Decrypted | None) -> dict[str, Json]:
    if opened is None:
        return {"encrypted": False, "authenticated": False}
    return {
        "encrypted": True,
        "authenticated": opened.verified and not opened.quirks,
        "tag": next(iter(opened.quirks), "verified"),
        "suite": opened.security_control & 0x0F,
        "system_title": opened.system_title.hex().upper(),
        "invocation_counter": opened.counter,
    }


def device_of(telegram: Telegram, *, offset_h: int = 1) -> dict[str, Json]:
    """What a telegram says of its sender: identification, manufacturer, id, version, time, M-Bus channels."""
    clock = telegram.find(_CLOCK)
    device: dict[str, Json] = {
        "identification": telegram.identification,
        "manufacturer": telegram.identification[:3].upper(),
        "id": next((text(entry.parts[0]) for code in _IDENTIFIERS if (entry := telegram.find(code))), None),
        "version": next((_version(entry) for code in _VERSIONS if (entry := telegram.find(code))), None),
        "time": iso_utc(value_of(clock, offset_h=offset_h).time) if clock else None,
    }
    channels = _channels(telegram)
    if channels:
        device["channels"] = channels
    return device


def _version(entry: P1Object) -> str:
    """Digits as they stand, or hex-coded as some meters send them."""
    plain = text(entry.parts[0])
    return plain if len(plain) > 3 and plain.isdigit() else entry.parts[0]


def _channels(telegram: Telegram) -> list[Json]:
    """The meters behind M-Bus channels 1 to 4, with their type in plain words."""
    found: dict[int, dict[str, Json]] = {}
    for entry in telegram.objects:
        obis = entry.obis
        if obis.a != 0 or obis.b == 0:
            continue
        row = found.setdefault(obis.b, {"channel": obis.b, "type": None, "id": None})
        if obis[2:5] == (24, 1, 0):
            kind = number(entry.parts[0])
            row["type"] = DEVICE_TYPES.get(int(kind[0]), "unknown") if kind else None
        elif obis[2:4] == (96, 1) and row["id"] is None:
            row["id"] = text(entry.parts[0]) or None
    return [found[channel] for channel in sorted(found)]


def readings_of(telegram: Telegram, *, offset_h: int = 1) -> list[Reading]:
    """Every object as a reading, in order; the rows of logs and histories follow theirs with storage 1, 2, ...

    A value without a time of its own has the telegram's. ``quality`` says why a value is missing.
    """
    clock = telegram.find(_CLOCK)
    now = value_of(clock, offset_h=offset_h).time if clock else None
    readings: list[Reading] = []
    for entry in telegram.objects:
        value = value_of(entry, offset_h=offset_h)
        readings.append(_reading(entry, value, now))
        readings += [_row(entry, row, index) for index, row in enumerate(value.entries, 1)]
    return readings


def _reading(entry: P1Object, value: P1Value, now: datetime | None) -> Reading:
    obis = entry.obis
    return Reading(
        name=describe(obis).name,
        obis=obis,
        value=_plain(value.value),
        unit=value.unit,
        time=value.time or now,
        storage=0 if obis.f == 255 else obis.f,
        tariff=obis.e if _has_tariff(obis) else 0,
        subunit=obis.b,
        function=_function(obis),
        quality=value.reason,
    )


def _row(entry: P1Object, row: Entry, index: int) -> Reading:
    return Reading(
        name=describe(entry.obis).name,
        obis=entry.obis,
        value=row.value,
        unit=row.unit,
        time=row.time or row.period,
        storage=index,
        subunit=entry.obis.b,
        function=_function(entry.obis),
        quality=row.reason,
    )


def _plain(value: Scalar) -> Value:
    return iso_utc(value) if isinstance(value, datetime) else value


def _has_tariff(obis: Obis) -> bool:
    return obis.a == 1 and obis.d in (6, 8) and obis.e != 255


def _function(obis: Obis) -> str:
    return "maximum" if (obis.a == 1 and obis.d == 6) or obis[:4] == (0, 0, 98, 1) else "instantaneous"
