"""One HDLC frame, frame format type 3 (IEC 62056-46).

Flag, format (type, segmentation bit, length), destination, source, control, header check, information,
frame check, flag. There is no bit or octet stuffing: the length field says where the frame ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from struct import Struct
from typing import Final

from meterway.base.crc import x25
from meterway.base.errors import DecodeError, LocalProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.hdlc.address import HdlcAddress, address_end, read_address

__all__ = [
    "FLAG",
    "MAX_FRAME",
    "MAX_INFORMATION",
    "MIN_FRAME",
    "POLL_FINAL",
    "FrameKind",
    "HdlcFrame",
    "encode_frame",
    "header_end",
    "kind_of",
    "parse_frame",
]

FLAG: Final = 0x7E
MIN_FRAME: Final = 7
"""Format, two short addresses, control, frame check."""
MAX_FRAME: Final = 0x7FF
MAX_INFORMATION: Final = MAX_FRAME - 15
"""What fits beside two four-octet addresses and both checks."""
POLL_FINAL: Final = 0x10
SEGMENTED: Final = 0x0800

_FORMAT: Final = Struct(">H")
_CHECK: Final = Struct("<H")
_FLAG_OCTET: Final = b"\x7e"


class FrameKind(Enum):
    """What the control field says; the value is the control octet with N(S), N(R) and the poll bit at zero."""

    I = 0x00  # noqa: E741  the norm's name
    RR = 0x01
    RNR = 0x05
    SNRM = 0x83
    DISC = 0x43
    UA = 0x63
    DM = 0x0F
    FRMR = 0x87
    UI = 0x03
    UNKNOWN = -1


def _kind(control: int) -> FrameKind:
    if control & 1 == 0:
        return FrameKind.I
    mask = 0x0F if control & 3 == 1 else 0xEF
    try:
        return FrameKind(control & mask)
    except ValueError:
        return FrameKind.UNKNOWN


_KINDS: Final = tuple(_kind(control) for control in range(256))


def kind_of(control: int) -> FrameKind:
    """The kind of a control octet; UNKNOWN for what the norm does not use."""
    return _KINDS[control]


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcFrame:
    """A frame without its checks and flags; ``control`` is the octet as sent, ``segmented`` says that more follows."""

    destination: HdlcAddress
    source: HdlcAddress
    control: int
    information: bytes = b""
    segmented: bool = False

    @property
    def kind(self) -> FrameKind:
        """What the control field says."""
        return _KINDS[self.control]

    @property
    def poll_final(self) -> bool:
        """Whether the right to send goes to the other side (poll from the primary, final from the secondary)."""
        return self.control & POLL_FINAL != 0

    @property
    def send_sequence(self) -> int:
        """N(S) of an I frame."""
        return self.control >> 1 & 7

    @property
    def receive_sequence(self) -> int:
        """N(R) of an I, RR or RNR frame: the number expected next."""
        return self.control >> 5

    @staticmethod
    def decode(reader: Reader) -> HdlcFrame:
        """Read one frame from its opening to its closing flag.

        DecodeError kinds: ``flag``, ``format``, ``length``, ``address``, ``hcs``, ``fcs``, ``truncated``.
        """
        if reader.u8("opening flag") != FLAG:
            raise reader.fail("an HDLC frame begins with 7E", "flag", back=1)
        start, place = reader.offset, reader.place
        format_field = reader.u16("frame format")
        if format_field >> 12 != 0xA:
            raise reader.fail(f"frame format {format_field:04X} is not type 3", "format", back=2)
        reader.offset = start
        body = reader.take(format_field & MAX_FRAME, "HDLC frame")
        try:
            frame = parse_frame(body, 0, len(body))
        except DecodeError as error:
            raise DecodeError(error.message, place + error.offset, error.kind) from None
        if reader.u8("closing flag") != FLAG:
            raise reader.fail("an HDLC frame ends with 7E where its length says", "flag", back=1)
        return frame

    def encode(self) -> bytes:
        """The octets with both flags; LocalProtocolError if the frame is longer than its length field can say."""
        addresses = self.destination.encode() + self.source.encode()
        return encode_frame(addresses, self.control, self.information, segmented=self.segmented)


def encode_frame(addresses: bytes, control: int, information: bytes = b"", *, segmented: bool = False) -> bytes:
    """The octets of a frame with both flags; ``addresses`` is destination and source, encoded."""
    length = len(addresses) + len(information) + (7 if information else 5)
    if length > MAX_FRAME:
        raise LocalProtocolError(f"an HDLC frame of {length} octets is longer than {MAX_FRAME}")
    head = _FORMAT.pack(0xA000 | (SEGMENTED if segmented else 0) | length) + addresses + bytes((control,))
    if information:
        head += _CHECK.pack(x25(head)) + information
    return _FLAG_OCTET + head + _CHECK.pack(x25(head)) + _FLAG_OCTET


def header_end(data: bytes, start: int, end: int) -> int:
    """Where the header that begins at ``start`` ends (the octet after control), or 0 if it is not all there."""
    middle = address_end(data, start + 2, end)
    stop = address_end(data, middle, end) if middle else 0
    return stop + 1 if stop and stop < end else 0


def parse_frame(data: bytes, start: int, end: int) -> HdlcFrame:
    """The frame in ``data[start:end]``, from its format field to its frame check, both flags left out.

    DecodeError kinds: ``format``, ``length``, ``address``, ``hcs``, ``fcs``; offsets count from ``data[0]``.
    """
    if end - start < MIN_FRAME:
        raise DecodeError(f"an HDLC frame has at least {MIN_FRAME} octets, not {end - start}", start, "length")
    format_field = data[start] << 8 | data[start + 1]
    if format_field >> 12 != 0xA:
        raise DecodeError(f"frame format {format_field:04X} is not type 3", start, "format")
    if format_field & MAX_FRAME != end - start:
        said = format_field & MAX_FRAME
        raise DecodeError(f"the length field says {said} octets, there are {end - start}", start, "length")
    middle = address_end(data, start + 2, end)
    stop = address_end(data, middle, end) if middle else 0
    check = end - 2
    if not stop or stop >= check:
        raise DecodeError("the HDLC frame ends inside its header", end, "length")
    information = _information(data, start, stop + 1, check)
    if x25(data[start:check]) != data[check] | data[check + 1] << 8:
        raise DecodeError("the frame check sequence is wrong", check, "fcs")
    try:
        destination, source = read_address(data[start + 2 : middle]), read_address(data[middle:stop])
    except DecodeError as error:
        raise DecodeError(error.message, start + 2, error.kind) from None
    return HdlcFrame(
        destination=destination,
        source=source,
        control=data[stop],
        information=information,
        segmented=format_field & SEGMENTED != 0,
    )


def _information(data: bytes, start: int, header: int, check: int) -> bytes:
    """What stands between the header check and the frame check; without information there is no header check."""
    if header == check:
        return b""
    if check - header < 2:
        raise DecodeError("the HDLC frame has no room for its header check", header, "length")
    if x25(data[start:header]) != data[header] | data[header + 1] << 8:
        raise DecodeError("the header check sequence is wrong", header, "hcs")
    return data[header + 2 : check]
