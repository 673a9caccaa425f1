"""The Amber (Würth) AMB8465 in command mode: FF, command, length, payload, and the exclusive or of all before it.

A frame comes and goes without its length octet. Written from descriptions of the interface; not proven on a device.
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.links.radio import Reception
from meterway.links.receivers.codec import bare_body

__all__ = ["AmberCodec", "amber_message"]

_START: Final = 0xFF
_SEND, _HEARD, _SET_MODE = 0x00, 0x03, 0x04
_MODES: Final = {"S1": 0x03, "S2": 0x03, "T1": 0x08, "T2": 0x08, "C1": 0x0E, "C/T": 0x09}


def amber_message(command: int, payload: bytes) -> bytes:
    """One message; LinkError if the payload is too long."""
    if len(payload) > 255:
        raise LinkError(f"the receiver takes at most 255 octets, not {len(payload)}")
    body = bytes((_START, command, len(payload))) + payload
    return body + bytes((reduce(xor, body),))


class AmberCodec:
    """A device set to ``mode`` (S1, S2, T1, T2, C1 or C/T). ``rssi`` says that it was set to append the strength.

    In C/T it does not tell which of the two a frame was: it is given as T1.
    """

    def __init__(self, mode: str = "T1", *, rssi: bool = False) -> None:
        if mode not in _MODES:
            raise ConfigError(f"the AMB8465 knows no mode {mode!r}: {', '.join(_MODES)}")
        self.mode = mode
        self.rejected = 0
        self._rssi = rssi
        self._buffer = bytearray()

    def setup(self) -> bytes:
        """Set the mode until the next reset."""
        return amber_message(_SET_MODE, bytes((_MODES[self.mode],)))

    def receive(self, data: bytes, time_s: float) -> list[Reception]:
        """Take octets; the frames heard. Other messages of the device are passed over."""
        self._buffer += data
        out = []
        while (message := self._message()) is not None:
            if message[1] == _HEARD and message[2] > 1:
                out.append(self._reception(message[3:-1], time_s))
        return out

    def encode(self, octets: bytes, mode: str) -> bytes:
        """Send a frame; LinkError if it has check sums or the device is set to another kind of mode."""
        if mode[:1] not in self.mode:
            raise LinkError(f"the receiver is set to {self.mode}, not {mode}")
        return amber_message(_SEND, bare_body(octets))

    def _message(self) -> bytes | None:
        """The next whole message, from its start to its check."""
        buffer = self._buffer
        while buffer:
            if buffer[0] == _START and len(buffer) < 3:
                return None
            if buffer[0] == _START:
                size = buffer[2] + 4
                if len(buffer) < size:
                    return None
                if reduce(xor, buffer[:size]) == 0:
                    message = bytes(buffer[:size])
                    del buffer[:size]
                    return message
            self.rejected += 1
            place = buffer.find(_START, 1)
            del buffer[: place if place > 0 else len(buffer)]
        return None

    def _reception(self, payload: bytes, time_s: float) -> Reception:
        rssi_dbm = None
        if self._rssi:
            raw = payload[-1]
            rssi_dbm = (raw - 256 if raw > 127 else raw) / 2 - 74
            payload = payload[:-1]
        mode = "T1" if self.mode == "C/T" else self.mode
        return Reception(octets=bytes((len(payload),)) + payload, mode=mode, time_s=time_s, rssi_dbm=rssi_dbm)
