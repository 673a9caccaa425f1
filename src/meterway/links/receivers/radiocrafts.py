"""The Radiocrafts RC1180-MBUS, and others that give frames as they are: length octet, frame, on request the strength.

Such a stream has no beginnings and no checks: a frame counts as one where its control field is known, and what has
begun is dropped when nothing more comes. Written from the data sheet; not proven on a device.
"""

from __future__ import annotations

from typing import Final

from meterway.base.errors import LinkError
from meterway.links.radio import Reception

__all__ = ["RadiocraftsCodec"]

_SHORTEST: Final = 10
_PAUSE_S: Final = 0.5
_CONTROLS: Final = frozenset(
    (0x00, 0x06, 0x08, 0x18, 0x28, 0x38, 0x40, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x53, 0x5A, 0x5B, 0x73, 0x7A, 0x7B)
)


class RadiocraftsCodec:
    """A device set to ``mode``. ``rssi`` says that it appends the strength (steps of half a dB below zero)."""

    def __init__(self, mode: str = "T1", *, rssi: bool = False) -> None:
        self.mode = mode
        self.rejected = 0
        self._rssi = rssi
        self._buffer = bytearray()
        self._last_s = 0.0

    def setup(self) -> bytes:
        """Nothing: the device keeps its settings in its memory."""
        return b""

    def receive(self, data: bytes, time_s: float) -> list[Reception]:
        """Take octets; the frames they complete. Half a frame before a pause of half a second is dropped."""
        if self._buffer and time_s - self._last_s > _PAUSE_S:
            self._buffer.clear()
            self.rejected += 1
        self._last_s = time_s
        self._buffer += data
        out = []
        while (frame := self._frame()) is not None:
            out.append(self._reception(frame, time_s))
        return out

    def encode(self, octets: bytes, mode: str) -> bytes:
        """LinkError: the device sends under the address in its own memory only."""
        raise LinkError("this receiver sends under its own address only")

    def _frame(self) -> bytes | None:
        buffer = self._buffer
        while len(buffer) > 1:
            if buffer[0] < _SHORTEST or buffer[1] & 0x7F not in _CONTROLS:
                del buffer[0]
                self.rejected += 1
                continue
            size = buffer[0] + 1 + self._rssi
            if len(buffer) < size:
                return None
            frame = bytes(buffer[:size])
            del buffer[:size]
            return frame
        return None

    def _reception(self, frame: bytes, time_s: float) -> Reception:
        rssi_dbm = None
        if self._rssi:
            frame, rssi_dbm = frame[:-1], -frame[-1] / 2
        return Reception(octets=frame, mode=self.mode, time_s=time_s, rssi_dbm=rssi_dbm)
