"""Any telegram of any protocol the system knows, found by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from meterway.base.errors import ConfigError, DecodeError, MeterwayError, SecurityError
from meterway.base.octets import Reader
from meterway.mapping.capture import checked_frame, end_of
from meterway.mapping.dlms import DlmsDecoder, DlmsKeys, cosem_json
from meterway.mapping.dlms_push import readings_of
from meterway.mapping.drivers.registry import Drivers, bundled_drivers
from meterway.mapping.iec21 import decode_telegram as decode_readout
from meterway.mapping.ordered_lists import is_known_by_form
from meterway.mapping.p1 import decode_telegram as decode_p1
from meterway.mapping.p1 import is_p1
from meterway.mapping.receiver import radio_frame_of
from meterway.mapping.sml import decode_telegram as decode_sml
from meterway.mapping.sml import is_sml
from meterway.mapping.tic import decode_telegram as decode_tic
from meterway.mapping.tic import is_tic
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.hdlc import decode_stream
from meterway.stacks.dlms.hdlc.frame import MAX_FRAME, parse_frame
from meterway.stacks.dlms.hdlc.telegram import PlacedApdu
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.dlms.xdlms.block_transfer import BlockAssembly, GeneralBlockTransfer
from meterway.stacks.iec21.readout import looks_like_readout
from meterway.stacks.mbus.records.compact import Formats
from meterway.stacks.mbus.telegram import decode as decode_mbus

__all__ = ["FORMATS", "NOISE", "Decoded", "Refused", "decode_telegram"]

_LLC: Final = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")
_RADIO_C: Final = frozenset((0x00, 0x06, 0x08, 0x40, 0x43, 0x44, 0x46, 0x47, 0x48, 0x53, 0x5A, 0x5B, 0x73, 0x7A, 0x7B))
_APDU_TAGS: Final = frozenset((0x01, 0x08, 0x0E, 0x0F, 0x10, 0x21, 0x28, 0x60, 0x61, 0x62, 0x63)) | frozenset(
    range(0xC0, 0xE8)
)
_RADIO_BEGINS: Final = (b"\x44", b"\x46")
"""C-fields that no other format begins with: a receiver may have left the length of the frame out."""
_WIRED_ACK: Final = b"\xe5"
_TOO_LONG: Final = 1 << 20
NOISE: Final = "noise"
"""Octets before, between or after the frames were left out."""


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
            return _received(_decoded_mbus(inside, keys, formats, drivers or bundled_drivers()))
        found = format or _found(octets)
        if found == "m-bus":
            return _decoded_mbus(octets, keys, formats, drivers or bundled_drivers())
        return FORMATS[found](octets, decoder)
    except DecodeError as error:
        if format is None and octets[:1] in _RADIO_BEGINS and len(octets) in range(12, 256):
            whole = decode_telegram(bytes((len(octets),)) + octets, keys, format="m-bus", drivers=drivers)
            if isinstance(whole, DecodedTelegram) and whole.readings and str(whole.device["manufacturer"]).isalpha():
                return replace(whole, quirks=("no-length", *whole.quirks))
        behind = _behind_noise(octets) if format is None else None
        if behind is not None:
            return _with_noise(decode_telegram(octets[behind:], keys, formats=formats, drivers=drivers), behind)
        return Refused(kind=error.kind, message=error.message, offset=error.offset, seen=decoder.telegram())
    except SecurityError as error:
        return Refused(kind=error.check, message=error.message, offset=0, seen=decoder.telegram())
    except MeterwayError as error:
        return Refused(kind="protocol", message=str(error), offset=0, seen=decoder.telegram())


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


def _decoded_mbus(octets: bytes, keys: DlmsKeys, formats: Formats | None, drivers: Drivers) -> DecodedTelegram:
    """A telegram; of wired frames one after the other all, as a meter answers whose records do not fit one."""
    whole: DecodedTelegram | None = None
    for place, part in _wired_frames(octets):
        if whole is not None and not _is_mbus(part):
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


def _found(octets: bytes) -> str:
    """Which format the first octets speak of."""
    first = octets[0]
    if first == 0x7E and not _is_mbus(octets):
        return "hdlc"
    if first >> 4 == 0xA and _is_frame_without_flag(octets):
        return "hdlc"
    if first == 0x68 and len(octets) > 6 and octets[3:4] == b"\x68" and octets[6] < 0x20:
        return "dlms-mbus"
    if octets[:2] == b"\x00\x01" and len(octets) >= 8:
        return "wrapper"
    if octets[:3] in _LLC:
        return "llc"
    if is_sml(octets):
        return "sml"
    if is_tic(octets):
        return "tic"
    if looks_like_readout(octets):
        return "iec62056-21"
    if is_p1(octets):
        return "p1"
    if _is_mbus(octets):
        return "m-bus"
    if first in (axdr.Tag.STRUCTURE, axdr.Tag.ARRAY) and _is_data(octets):
        return "cosem-data"
    return "dlms"


def _is_frame_without_flag(octets: bytes) -> bool:
    length = int.from_bytes(octets[:2], "big") & MAX_FRAME
    try:
        parse_frame(octets, 0, length)
    except (DecodeError, IndexError):
        return False
    return octets[length : length + 1] in (b"", b"\x7e")


def _is_mbus(octets: bytes) -> bool:
    """A wired frame, or a radio frame: a length that fits and a C-field that radio meters use."""
    if len(octets) > 5 and octets[0] == 0x68 == octets[3] and octets[1] == octets[2]:
        return True
    if octets == _WIRED_ACK or (len(octets) == 5 and octets[0] == 0x10 and octets[4] == 0x16):
        return True
    if len(octets) < 12 or octets[1] not in _RADIO_C:
        return False
    return octets[0] + 1 == len(octets) or _has_blocks(octets) or octets[0] not in _APDU_TAGS


def _has_blocks(octets: bytes) -> bool:
    """Whether the first octet is the length of a radio frame of which the block checks were left in."""
    body = octets[0] - 9
    blocks = (body + 15) // 16 if body > 0 else 0
    return len(octets) == octets[0] + 1 + 2 + 2 * blocks


def _is_data(octets: bytes) -> bool:
    try:
        return axdr.skip(octets, 0) == len(octets)
    except DecodeError:
        return False


# -- DLMS -------------------------------------------------------------------------------------------------------------


def _apdu(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    _take_all([(0, octets)], decoder)
    return decoder.telegram()


def _llc(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    decoder.layers.append({"layer": "llc", "header": octets[:3].hex()})
    _take_all([(3, octets[3:])], decoder)
    return decoder.telegram()


def _take_all(apdus: list[tuple[int, bytes]], decoder: DlmsDecoder) -> None:
    """APDUs one after the other; those that are general blocks are joined first."""
    assembly: BlockAssembly | None = None
    for place, apdu in apdus:
        if apdu[:1] != b"\xe0":
            decoder.take(apdu, base=place)
            continue
        reader = Reader(apdu, 1, base=place)
        block = GeneralBlockTransfer.decode(reader)
        reader.finish("general block")
        assembly = assembly or BlockAssembly(_TOO_LONG)
        decoder.layers.append(
            {
                "layer": "general-block-transfer",
                "block": block.block_number,
                "last": block.last,
                "streaming": block.streaming,
                "window": block.window,
                "octets": len(block.octets),
            }
        )
        if assembly.number == 0 and block.block_number != 1:
            decoder.quirks.append("incomplete-apdu")
            assembly = None
            continue
        whole = assembly.add(block)
        if whole is not None:
            assembly = None
            decoder.quirks.append("blocks-without-association")
            decoder.take(whole)
    if assembly is not None:
        decoder.quirks.append("incomplete-apdu")


def _wrapper(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    reader = Reader(octets)
    apdus: list[tuple[int, bytes]] = []
    while reader.remaining:
        frame = WrapperFrame.decode(reader)
        decoder.layers.append(
            {
                "layer": "wrapper",
                "source": frame.source,
                "destination": frame.destination,
                "length": len(frame.apdu),
            }
        )
        apdus.append((reader.place - len(frame.apdu), frame.apdu))
    _take_all(apdus, decoder)
    return decoder.telegram()


def _hdlc(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    if octets[:1] != b"\x7e" and _is_frame_without_flag(octets):
        decoder.quirks.append("no-opening-flag")
        octets = b"\x7e" + octets
    recording = decode_stream(octets)
    for placed in recording.frames:
        decoder.layers.append(_hdlc_layer(placed.frame))
    whole = [part for placed in recording.apdus if placed.apdu and _is_apdu(placed) for part in _apdus_of(placed)]
    for fault in recording.faults:
        if fault.error.kind in ("retransmission", "segments"):
            continue
        if not whole:
            raise fault.error
        decoder.quirks.append(NOISE if fault.error.kind in ("noise", "format", "flag") else "damaged-frame")
    if not recording.frames:
        raise DecodeError("no HDLC frame in it", 0, "hdlc")
    _take_all(whole, decoder)
    if any(placed.apdu and not _is_apdu(placed) for placed in recording.apdus):
        decoder.quirks.append("incomplete-apdu")
    if any(fault.error.kind == "segments" for fault in recording.faults):
        decoder.quirks.append("incomplete-apdu")
    return decoder.telegram()


def _apdus_of(placed: PlacedApdu) -> Iterator[tuple[int, bytes]]:
    """The APDU; some meters send several notifications in one frame, each behind an LLC header of its own."""
    place, rest = placed.offset, placed.apdu
    while placed.llc and rest[:1] == b"\x0f":
        end = end_of(rest)
        if end <= 0 or rest[end : end + 3] not in _LLC:
            break
        yield place, rest[:end]
        place, rest = place + end + 3, rest[end + 3 :]
    yield place, rest


def _is_apdu(placed: PlacedApdu) -> bool:
    """Information without an LLC header is a later segment of something, unless it is a general block."""
    return placed.llc or placed.apdu[:1] == b"\xe0"


def _hdlc_layer(frame: object) -> dict[str, Json]:
    layer: dict[str, Json] = {"layer": "hdlc"}
    for name in ("kind", "segmented", "final", "send", "receive"):
        value = getattr(frame, name, None)
        if value is not None:
            layer[name] = value if isinstance(value, bool | int) else str(getattr(value, "name", value)).lower()
    for name in ("destination", "source"):
        address = getattr(frame, name, None)
        if address is not None:
            layer[name] = {"logical": address.logical, "physical": address.physical, "size": address.size}
    return layer


def _dlms_mbus(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    """DLMS in M-Bus long frames: CI is the segment number with bit 4 set on the last; then source and destination."""
    position, joined, number = 0, b"", 0
    while position < len(octets):
        end, ci, body = _mbus_frame(octets, position, decoder)
        if not joined and ci & 0x0F:
            decoder.quirks.append("incomplete-apdu")
            position = end
            continue
        if ci & 0x0F != number & 0x0F:
            raise DecodeError(
                f"segment {number & 0x0F} was expected, segment {ci & 0x0F} came", position + 6, "segment"
            )
        joined += body
        number += 1
        position = end
        if ci & 0x10:
            decoder.take(joined)
            joined, number = b"", 0
    if joined:
        decoder.quirks.append("incomplete-apdu")
    return decoder.telegram()


def _mbus_frame(octets: bytes, start: int, decoder: DlmsDecoder) -> tuple[int, int, bytes]:
    head = octets[start : start + 4]
    if len(head) < 4 or head[0] != 0x68 or head[3] != 0x68 or head[1] != head[2]:
        raise DecodeError("an M-Bus long frame begins with 68 L L 68", start, "frame")
    length = head[1]
    end = start + 4 + length + 2
    if not _closes(octets, start, end) and _closes(octets, start, end + 256):
        end += 256
        decoder.quirks.append("length-modulo-256")
    if end > len(octets):
        raise DecodeError(
            f"the M-Bus frame has {length} octets, {len(octets) - start - 6} are there", start, "truncated"
        )
    if octets[end - 1] != 0x16:
        raise DecodeError("an M-Bus frame ends in 16", end - 1, "frame")
    if not _closes(octets, start, end):
        raise DecodeError("the checksum of the M-Bus frame is wrong", end - 2, "checksum")
    body = octets[start + 4 : end - 2]
    if len(body) < 5:
        raise DecodeError("an M-Bus frame with DLMS has at least 5 octets inside", start + 4, "truncated")
    decoder.layers.append(
        {
            "layer": "m-bus",
            "control": body[0],
            "address": body[1],
            "ci": body[2],
            "source": body[3],
            "destination": body[4],
        }
    )
    return end, body[2], body[5:]


def _closes(octets: bytes, start: int, end: int) -> bool:
    return end <= len(octets) and octets[end - 1] == 0x16 and sum(octets[start + 4 : end - 2]) & 0xFF == octets[end - 2]


def _cosem_data(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    data = axdr.decode_all(octets)
    decoder.layers.append({"layer": "cosem-data", "body": cosem_json(data)})
    decoder.readings += readings_of(data)
    if isinstance(data.value, tuple) and is_known_by_form(data.value):
        decoder.quirks.append("named-by-form")
    return decoder.telegram()


# -- others -----------------------------------------------------------------------------------------------------------


def _p1(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_p1(octets, decoder.keys.keys, decoder.keys.auth_key, decoder.keys.system_title)


def _mbus(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return _decoded_mbus(octets, decoder.keys, None, bundled_drivers())


def _sml(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_sml(octets)


def _readout(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_readout(octets)


def _tic(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    return decode_tic(octets)


FORMATS: Final[dict[str, Callable[[bytes, DlmsDecoder], DecodedTelegram]]] = {
    "p1": _p1,
    "dlms": _apdu,
    "hdlc": _hdlc,
    "wrapper": _wrapper,
    "llc": _llc,
    "dlms-mbus": _dlms_mbus,
    "cosem-data": _cosem_data,
    "m-bus": _mbus,
    "sml": _sml,
    "iec62056-21": _readout,
    "tic": _tic,
}
"""The names of the formats, each with its decoder."""
