"""DLMS APDUs out of what carries them: HDLC, the wrapper, an LLC header, M-Bus frames, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.mapping.capture import end_of
from meterway.mapping.dlms import DlmsDecoder, cosem_json
from meterway.mapping.dlms_push import readings_of
from meterway.mapping.ordered_lists import is_known_by_form
from meterway.model.telegram import DecodedTelegram, Json
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.hdlc import decode_stream
from meterway.stacks.dlms.hdlc.frame import MAX_FRAME, parse_frame
from meterway.stacks.dlms.hdlc.telegram import PlacedApdu
from meterway.stacks.dlms.wrapper import WrapperFrame
from meterway.stacks.dlms.xdlms.block_transfer import BlockAssembly, GeneralBlockTransfer

__all__ = [
    "LLC",
    "NOISE",
    "decode_apdus",
    "decode_cosem_data",
    "decode_dlms_mbus",
    "decode_hdlc",
    "decode_llc",
    "decode_wrapper",
    "is_cosem_data",
    "is_frame_without_flag",
]

LLC: Final = (b"\xe6\xe6\x00", b"\xe6\xe7\x00")
NOISE: Final = "noise"
"""Octets before, between or after the frames were left out."""
_LONGEST_APDU: Final = 1 << 20


def is_frame_without_flag(octets: bytes) -> bool:
    """Whether a good HDLC frame begins here that lost its opening flag."""
    length = int.from_bytes(octets[:2], "big") & MAX_FRAME
    try:
        parse_frame(octets, 0, length)
    except (DecodeError, IndexError):
        return False
    return octets[length : length + 1] in (b"", b"\x7e")


def is_cosem_data(octets: bytes) -> bool:
    """Whether the octets are one COSEM value to the last."""
    try:
        return axdr.skip(octets, 0) == len(octets)
    except DecodeError:
        return False


def decode_apdus(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    """APDUs without any frame."""
    _take_all([(0, octets)], decoder)
    return decoder.telegram()


def decode_llc(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    """An APDU behind an LLC header."""
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
        assembly = assembly or BlockAssembly(_LONGEST_APDU)
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


def decode_wrapper(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    """Frames of the wrapper, one after the other."""
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


def decode_hdlc(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    """HDLC frames; those that are damaged are told where good ones stand beside them, and refused where not."""
    if octets[:1] != b"\x7e" and is_frame_without_flag(octets):
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
        if end <= 0 or rest[end : end + 3] not in LLC:
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


def decode_dlms_mbus(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
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


def decode_cosem_data(octets: bytes, decoder: DlmsDecoder) -> DecodedTelegram:
    """A COSEM value without any APDU."""
    data = axdr.decode_all(octets)
    decoder.layers.append({"layer": "cosem-data", "body": cosem_json(data)})
    decoder.readings += readings_of(data)
    if isinstance(data.value, tuple) and is_known_by_form(data.value):
        decoder.quirks.append("named-by-form")
    return decoder.telegram()
