"""The IMST iM871A by its host controller interface: A5, flags and endpoint, message, length, payload, and what follows.

Flags say that a time stamp (4 octets), a strength (1) and a check (2, CRC-16/X.25 from the flags on, low octet first)
follow. A frame comes and goes without its length octet, which is that of the message. Written from descriptions of the
interface; not proven on a device. Windows of bidirectional modes are the device's business: set it to T2 or C2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.crc import x25
from meterway.base.errors import ConfigError, LinkError
from meterway.links.radio import Reception
from meterway.links.receivers.codec import bare_body

__all__ = ["HciMessage", "ImstCodec"]

_START: Final = 0xA5
_TIME, _RSSI, _CHECK = 0x20, 0x40, 0x80
_MANAGEMENT, _RADIO = 1, 2
_SET_CONFIG, _SEND, _HEARD = 0x03, 0x01, 0x03
_LINK_MODES: Final = {"S1": 0, "S1m": 1, "S2": 2, "T1": 3, "T2": 4, "R2": 5, "C1": 6, "C1B": 7, "C2": 8, "C2B": 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class HciMessage:
    """One message of the interface; ``rssi`` is the raw octet, ``device_time`` the device's own count."""

    endpoint: int
    number: int
    payload: bytes = b""
    device_time: int | None = None
    rssi: int | None = None
    checked: bool = True

    def encode(self) -> bytes:
        """The octets on the line; LinkError if the payload is too long."""
        if len(self.payload) > 255:
            raise LinkError(f"the receiver takes at most 255 octets, not {len(self.payload)}")
        flags = _TIME * (self.device_time is not None) | _RSSI * (self.rssi is not None) | _CHECK * self.checked
        body = bytes((flags | self.endpoint, self.number, len(self.payload))) + self.payload
        if self.device_time is not None:
            body += self.device_time.to_bytes(4, "little")
        if self.rssi is not None:
            body += bytes((self.rssi,))
        if self.checked:
            body += x25(body).to_bytes(2, "little")
        return bytes((_START,)) + body


def _size(octets: bytearray) -> int:
    """Octets of the message that begins here."""
    flags = octets[1]
    return octets[3] + 4 + 4 * bool(flags & _TIME) + bool(flags & _RSSI) + 2 * bool(flags & _CHECK)


def _parse(octets: bytes) -> HciMessage | None:
    """A whole message; None if its check is wrong."""
    flags, place = octets[1], octets[3] + 4
    if flags & _CHECK and x25(octets[1:-2]) != int.from_bytes(octets[-2:], "little"):
        return None
    device_time = None
    if flags & _TIME:
        device_time = int.from_bytes(octets[place : place + 4], "little")
        place += 4
    return HciMessage(
        endpoint=flags & 0x0F,
        number=octets[2],
        payload=octets[4 : octets[3] + 4],
        device_time=device_time,
        rssi=octets[place] if flags & _RSSI else None,
        checked=bool(flags & _CHECK),
    )


class ImstCodec:
    """A device set to ``mode`` (S1, S1m, S2, T1, T2, R2, C1, C1B, C2, C2B) for as long as it has power."""

    def __init__(self, mode: str = "T1") -> None:
        if mode not in _LINK_MODES:
            raise ConfigError(f"the iM871A knows no mode {mode!r}: {', '.join(_LINK_MODES)}")
        self.mode = mode
        self.rejected = 0
        self._buffer = bytearray()

    def setup(self) -> bytes:
        """Set the mode, and have strength and time stamp appended."""
        payload = bytes((0x00, 0x02, _LINK_MODES[self.mode], 0x30, 0x01, 0x01))
        return HciMessage(endpoint=_MANAGEMENT, number=_SET_CONFIG, payload=payload).encode()

    def receive(self, data: bytes, time_s: float) -> list[Reception]:
        """Take octets; the frames heard. Other messages of the device are passed over."""
        return [
            Reception(
                octets=bytes((len(message.payload),)) + message.payload,
                mode=self.mode.removesuffix("B"),
                time_s=time_s,
                rssi_dbm=None if message.rssi is None else round(message.rssi * 8 / 15 - 380 / 3, 1),
            )
            for message in self.messages(data)
            if (message.endpoint, message.number) == (_RADIO, _HEARD)
        ]

    def messages(self, data: bytes) -> list[HciMessage]:
        """Take octets; all messages they complete."""
        self._buffer += data
        out = []
        while self._buffer:
            if self._buffer[0] != _START:
                self._skip()
                continue
            if len(self._buffer) < 4 or len(self._buffer) < _size(self._buffer):
                break
            size = _size(self._buffer)
            message = _parse(bytes(self._buffer[:size]))
            if message is None:
                self._skip()
                continue
            out.append(message)
            del self._buffer[:size]
        return out

    def encode(self, octets: bytes, mode: str) -> bytes:
        """Send a frame; LinkError if it has check sums or the device is set to another kind of mode."""
        if mode[:1] != self.mode[:1]:
            raise LinkError(f"the receiver is set to {self.mode}, not {mode}")
        return HciMessage(endpoint=_RADIO, number=_SEND, payload=bare_body(octets)).encode()

    def _skip(self) -> None:
        """Look for the next beginning."""
        self.rejected += 1
        place = self._buffer.find(_START, 1)
        del self._buffer[: place if place > 0 else len(self._buffer)]
