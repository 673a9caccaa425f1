"""What a radio receiver puts around a frame: the message of an iM871A and its like (IMST host controller interface).

``A5``, flags and endpoint, message, length, the frame from its C-field on, then as the flags say a time of four octets,
the signal strength, and a CRC over all after ``A5``, low octet first. As far as known from public recordings.
"""

from __future__ import annotations

from typing import Final

from meterway.base.crc import x25
from meterway.base.errors import DecodeError

__all__ = ["radio_frame_of"]

_BEGIN: Final = 0xA5
_RADIO_LINK: Final = 2
_FRAME_CAME_IN: Final = 3
_TIME, _STRENGTH, _CRC = 0x20, 0x40, 0x80
_HEAD: Final = 4


def radio_frame_of(octets: bytes) -> bytes | None:
    """The radio frame with its length in front, or None if this is no message of such a receiver.

    DecodeError(crc) if the message has a CRC that does not hold.
    """
    if len(octets) < _HEAD or octets[0] != _BEGIN or octets[1] & 0x0F != _RADIO_LINK or octets[2] != _FRAME_CAME_IN:
        return None
    flags, length = octets[1], octets[3]
    tail = 4 * bool(flags & _TIME) + bool(flags & _STRENGTH) + 2 * bool(flags & _CRC)
    if len(octets) != _HEAD + length + tail:
        return None
    if flags & _CRC and x25(octets[1:-2]) != int.from_bytes(octets[-2:], "little"):
        raise DecodeError("the CRC of the receiver's message does not hold", len(octets) - 2, "crc")
    return bytes((length,)) + octets[_HEAD : _HEAD + length]
