"""Any telegram of any protocol the system knows, found by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from meterway.base.errors import ConfigError, DecodeError, MeterwayError, SecurityError
from meterway.mapping.capture import checked_frame
from meterway.mapping.dlms import DlmsDecoder, DlmsKeys
from meterway.mapping.dlms_framed import (
    LLC,
    NOISE,
    decode_apdus,
    decode_cosem_data,
    decode_dlms_mbus,
    decode_hdlc,
    decode_llc,
    decode_wrapper,
    is_cosem_data,
    is_frame_without_flag,
)
from meterway.mapping.drivers.registry import Drivers, bundled_drivers
from meterway.mapping.iec21 import decode_telegram as decode_readout
from meterway.mapping.mbus_telegram import decode_mbus_telegram, is_mbus
from meterway.mapping.p1 import decode_telegram as decode_p1
from meterway.mapping.p1 import is_p1
from meterway.mapping.receiver import radio_frame_of
from meterway.mapping.sml import decode_telegram as decode_sml
from meterway.mapping.sml import is_sml
from meterway.mapping.tic import decode_telegram as decode_tic
from meterway.mapping.tic import is_tic
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.dlms import axdr
from meterway.stacks.iec21.readout import looks_like_readout
from meterway.stacks.mbus.records.compact import Formats

__all__ = ["FORMATS", "Decoded", "Refused", "decode_telegram"]

_RADIO_BEGINS: Final = (b"\x44", b"\x46")
"""C-fields that no other format begins with: a receiver may have left the length of the frame out."""
_RADIO_SIZES: Final = range(12, 256)
_TOO_LONG: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A telegram that was not understood: why, and what was seen before that."""

    kind: str
    message: str
    offset: int
    seen: DecodedTelegram | None = None

    def as_json(self) -> dict[str, Json]:
        """The answer of ``meterway decode``; layers and security as far as they were seen."""
        error: dict[str, Json] = {"kind": self.kind, "message": self.message, "offset": self.offset}
        answer: dict[str, Json] = {"ok": False, "error": error}
        if self.seen is not None and self.seen.layers:
            answer |= {"protocol": self.seen.protocol, "device": self.seen.device, "layers": list(self.seen.layers)}
            answer["security"] = self.seen.security
        return answer


Decoded = DecodedTelegram | Refused


def decode_telegram(
    octets: bytes,
    keys: DlmsKeys | None = None,
    *,
    format: str | None = None,  # noqa: A002
    formats: Formats | None = None,
    drivers: Drivers | None = None,
) -> Decoded:
    """Decode one telegram; ``format`` names it where it must not be guessed (see FORMATS). Never raises for octets.

    ``formats`` learns the record formats of M-Bus meters, so that a compact telegram after a full one is understood.
    ``drivers`` know what M-Bus meters send beside the norm; those of the package unless given.
    ConfigError for a format that is not known.
    """
    keys = keys or DlmsKeys()
    if format is not None and format not in FORMATS:
        raise ConfigError(f"format {format!r} is not known; known are {', '.join(FORMATS)}")
    decoder = DlmsDecoder(keys=keys)
    try:
        if not octets:
            raise DecodeError("the telegram is empty", 0, "empty")
        if len(octets) > _TOO_LONG:
            raise DecodeError(f"a telegram of more than {_TOO_LONG} octets is refused", 0, "length")
        inside = radio_frame_of(octets) if format is None else None
        if inside is not None:
            return _received(decode_mbus_telegram(inside, keys, formats, drivers or bundled_drivers()))
        found = format or _found(octets)
        if found == "m-bus":
            return decode_mbus_telegram(octets, keys, formats, drivers or bundled_drivers())
        return FORMATS[found](octets, decoder)
    except DecodeError as error:
        mended = _mended(octets, keys, formats, drivers) if format is None else None
        if mended is not None:
            return mended
        return Refused(kind=error.kind, message=error.message, offset=error.offset, seen=decoder.telegram())
    except SecurityError as error:
        return Refused(kind=error.check, message=error.message, offset=0, seen=decoder.telegram())
    except MeterwayError as error:
        return Refused(kind="protocol", message=str(error), offset=0, seen=decoder.telegram())


def _mended(octets: bytes, keys: DlmsKeys, formats: Formats | None, drivers: Drivers | None) -> Decoded | None:
    """What the octets say if they lack the length of a radio frame, or stand before a frame whose checks hold."""
    if octets[:1] in _RADIO_BEGINS and len(octets) in _RADIO_SIZES:
        whole = decode_telegram(bytes((len(octets),)) + octets, keys, format="m-bus", drivers=drivers)
        if isinstance(whole, DecodedTelegram) and whole.readings and str(whole.device["manufacturer"]).isalpha():
            return replace(whole, quirks=("no-length", *whole.quirks))
    behind = _behind_noise(octets)
    if behind is None:
        return None
    return _with_noise(decode_telegram(octets[behind:], keys, formats=formats, drivers=drivers), behind)


def _received(telegram: DecodedTelegram) -> DecodedTelegram:
    return replace(telegram, layers=({"layer": "receiver", "kind": "iM871A"}, *telegram.layers))


def _behind_noise(octets: bytes) -> int | None:
    """Where a frame begins whose checks hold, if the octets themselves begin like nothing that has checks."""
    if octets[:1] in (b"\x7e", b"\x68", b"\x1b") or is_p1(octets):
        return None
    place = checked_frame(octets, 1)
    return place if place > 0 else None


def _with_noise(answer: Decoded, count: int) -> Decoded:
    if isinstance(answer, Refused):
        return replace(answer, offset=answer.offset + count)
    return replace(answer, quirks=(NOISE, *answer.quirks))


def _found(octets: bytes) -> str:
    """Which format the first octets speak of."""
    first = octets[0]
    if first == 0x7E and not is_mbus(octets):
        return "hdlc"
    if first >> 4 == 0xA and is_frame_without_flag(octets):
        return "hdlc"
    if first == 0x68 and len(octets) > 6 and octets[3:4] == b"\x68" and octets[6] < 0x20:
        return "dlms-mbus"
    if octets[:2] == b"\x00\x01" and len(octets) >= 8:
        return "wrapper"
    if octets[:3] in LLC:
        return "llc"
    if is_sml(octets):
        return "sml"
    if is_tic(octets):
        return "tic"
    if looks_like_readout(octets):
        return "iec62056-21"
    if is_p1(octets):
        return "p1"
    if is_mbus(octets):
        return "m-bus"
    if first in (axdr.Tag.STRUCTURE, axdr.Tag.ARRAY) and is_cosem_data(octets):
        return "cosem-data"
    return "dlms"


# -- others -----------------------------------------------------------------------------------------------------------


def _p1(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_p1(octets, decoder.keys.keys, decoder.keys.auth_key, decoder.keys.system_title)


def _mbus(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_mbus_telegram(octets, decoder.keys, None, bundled_drivers())


def _sml(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_sml(octets)


def _readout(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_readout(octets)


def _tic(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_tic(octets)


FORMATS: Final[dict[str, Callable[[bytes, DlmsDecoder], DecodedTelegram]]] = {
    "p1": _p1,
    "dlms": decode_apdus,
    "hdlc": decode_hdlc,
    "wrapper": decode_wrapper,
    "llc": decode_llc,
    "dlms-mbus": decode_dlms_mbus,
    "cosem-data": decode_cosem_data,
    "m-bus": _mbus,
    "sml": _sml,
    "iec62056-21": _readout,
    "tic": _tic,
}
"""The names of the formats, each with its decoder."""
