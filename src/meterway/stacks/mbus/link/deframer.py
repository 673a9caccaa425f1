"""Cutting a stream of octets from the two-wire bus into frames and what is none."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.base.errors import DecodeError
from meterway.stacks.mbus.link.frames import Frame, decode_frame

__all__ = ["Deframer", "Noise"]

_ACK, _SHORT, _LONG = 0xE5, 0x10, 0x68


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Octets that form no frame: a collision, a disturbance, the middle of something."""

    octets: bytes


class Deframer:
    """Collects octets; ``receive`` gives what is complete, ``flush`` what is left when the line went quiet."""

    __slots__ = ("_buffer", "_noise")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._noise = bytearray()

    def receive(self, data: bytes) -> list[Frame | Noise]:
        """Take octets; frames and noise in the order of the line."""
        self._buffer += data
        out: list[Frame | Noise] = []
        while self._buffer:
            size = self._size()
            if size is None:
                self._noise.append(self._buffer.pop(0))
                continue
            if size == 0 or len(self._buffer) < size:
                break
            try:
                frame = decode_frame(bytes(self._buffer[:size]))
            except DecodeError:
                self._noise.append(self._buffer.pop(0))
                continue
            self._settle(out)
            out.append(frame)
            del self._buffer[:size]
        if self._noise and not self._buffer:
            self._settle(out)
        return out

    def flush(self) -> list[Frame | Noise]:
        """The line is quiet: a frame that has begun will not end. Frames behind a false beginning still come out."""
        out: list[Frame | Noise] = []
        while self._buffer:
            self._noise.append(self._buffer.pop(0))
            out += self.receive(b"")
        self._settle(out)
        return out

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def _settle(self, out: list[Frame | Noise]) -> None:
        if self._noise:
            out.append(Noise(octets=bytes(self._noise)))
            self._noise.clear()

    def _size(self) -> int | None:
        """Octets of the frame that begins here; 0 if that cannot be told yet, None if none begins here."""
        buffer = self._buffer
        if buffer[0] == _ACK:
            return 1
        if buffer[0] == _SHORT:
            return 5
        if buffer[0] != _LONG:
            return None
        if len(buffer) < 4:
            return 0 if len(buffer) < 3 or buffer[1] == buffer[2] else None
        return buffer[1] + 6 if buffer[1] == buffer[2] and buffer[3] == _LONG and buffer[1] >= 3 else None
