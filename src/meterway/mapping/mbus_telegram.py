"""M-Bus telegrams, wired and radio: found by their first octets, opened, and read with the drivers of their meters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from meterway.base.errors import DecodeError
from meterway.mapping.capture import end_of
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.dlms_framed import NOISE
from meterway.mapping.drivers.registry import Drivers
from meterway.model.telegram import DecodedTelegram
from meterway.stacks.mbus.records.compact import Formats
from meterway.stacks.mbus.telegram import decode as decode_mbus

__all__ = ["APDU_TAGS", "decode_mbus_telegram", "is_mbus"]

_RADIO_C: Final = frozenset((0x00, 0x06, 0x08, 0x40, 0x43, 0x44, 0x46, 0x47, 0x48, 0x53, 0x5A, 0x5B, 0x73, 0x7A, 0x7B))
APDU_TAGS: Final = frozenset((0x01, 0x08, 0x0E, 0x0F, 0x10, 0x21, 0x28, 0x60, 0x61, 0x62, 0x63)) | frozenset(
    range(0xC0, 0xE8)
)
"""First octets of DLMS APDUs, which a radio frame may have as its length."""
_WIRED_ACK: Final = b"\xe5"


def decode_mbus_telegram(octets: bytes, keys: DlmsKeys, formats: Formats | None, drivers: Drivers) -> DecodedTelegram:
    """A telegram; of wired frames one after the other all, as a meter answers whose records do not fit one."""
    whole: DecodedTelegram | None = None
    for place, part in _wired_frames(octets):
        if whole is not None and not is_mbus(part):
            return replace(whole, quirks=(*whole.quirks, NOISE))
        one = _mbus_telegram(part, keys, formats, drivers)
        whole = one if whole is None else _with_next(whole, one, place)
    if whole is None:
        return _mbus_telegram(octets, keys, formats, drivers)
    return whole


def _wired_frames(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Each good frame with its place, then all that is left."""
    start = 0
    while start < len(octets):
        end = end_of(octets, start) if octets[start] == 0x68 else 0
        end = end if end > start else len(octets)
        yield start, octets[start:end]
        start = end


def _with_next(first: DecodedTelegram, following: DecodedTelegram, place: int) -> DecodedTelegram:
    names = ("id", "manufacturer", "version", "type")
    if [first.device.get(name) for name in names] != [following.device.get(name) for name in names]:
        raise DecodeError("frames of several meters stand in one telegram: give each alone", place, "several")
    return replace(
        first,
        readings=first.readings + following.readings,
        layers=first.layers + following.layers,
        quirks=tuple(dict.fromkeys(first.quirks + following.quirks)),
    )


def _mbus_telegram(octets: bytes, keys: DlmsKeys, formats: Formats | None, drivers: Drivers) -> DecodedTelegram:
    try:
        telegram = decode_mbus(octets, keys=keys.keys, formats=formats, dialects=drivers.dialect)
    except DecodeError as error:
        if error.kind != "format" or not drivers.formats:
            raise
        known = drivers.seed(Formats() if formats is None else formats)
        telegram = decode_mbus(octets, keys=keys.keys, formats=known, dialects=drivers.dialect)
    return drivers.decoded(telegram, keys=keys.keys)


def is_mbus(octets: bytes) -> bool:
    """A wired frame, or a radio frame: a length that fits and a C-field that radio meters use."""
    if len(octets) > 5 and octets[0] == 0x68 == octets[3] and octets[1] == octets[2]:
        return True
    if octets == _WIRED_ACK or (len(octets) == 5 and octets[0] == 0x10 and octets[4] == 0x16):
        return True
    if len(octets) < 12 or octets[1] not in _RADIO_C:
        return False
    return octets[0] + 1 == len(octets) or _has_blocks(octets) or octets[0] not in APDU_TAGS


def _has_blocks(octets: bytes) -> bool:
    """Whether the first octet is the length of a radio frame of which the block checks were left in."""
    body = octets[0] - 9
    blocks = (body + 15) // 16 if body > 0 else 0
    return len(octets) == octets[0] + 1 + 2 + 2 * blocks
