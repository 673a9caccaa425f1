"""Both sides of a data readout as engines: the hand-held that asks, the device that tells.

The device waits for the option of mode C and, if none comes, tells its data at the speed of the sign-on (as far as
known). Programming mode is not there: who asks for it is told nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from meterway.base.engine import QueuingEngine
from meterway.base.errors import DecodeError, MeterwayError, RemoteProtocolError
from meterway.stacks.iec21.messages import ACK, ETX, STX, DataMessage, Identification, OptionSelect, SignOn

__all__ = ["Device", "Event", "LineSpeed", "Reader", "ReadFailed", "ReadOut"]

SIGN_ON_BAUD: Final = 300
_LIMIT: Final = 65536
_LINE_LIMIT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSpeed:
    """From now on the line runs at this speed; who has a serial port sets it, once all was sent."""

    baud: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOut:
    """What the device told; on the device's side, what it has told."""

    identification: Identification
    data: DataMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed:
    """Nothing came of it, and why."""

    error: MeterwayError


Event = LineSpeed | ReadOut | ReadFailed


class Reader(QueuingEngine[Event]):
    """The hand-held's side: ``open`` signs on, then one ``ReadOut`` or ``ReadFailed`` comes.

    ``silence_s`` is how long a device may be silent before and within its answers (1.5 s in the norm, as far as known).
    """

    def __init__(self, *, address: str = "", silence_s: float = 3.0) -> None:
        super().__init__()
        self._address = address
        self._silence_s = silence_s
        self._buffer = bytearray()
        self._identification: Identification | None = None
        self._deadline: float | None = None

    def open(self, now: float) -> None:
        """Sign on."""
        self._out.append(SignOn(address=self._address).encode())
        self._events.append(LineSpeed(baud=SIGN_ON_BAUD))
        self._deadline = now + self._silence_s

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        if self._deadline is None:
            return
        if not data:
            self._fail(RemoteProtocolError("the line was closed within a readout"))
            return
        self._buffer += data
        self._deadline = now + self._silence_s
        try:
            if self._identification is None:
                self._identified()
            if self._identification is not None:
                self._told(self._identification)
        except DecodeError as error:
            self._fail(error)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._deadline

    def handle_timeout(self, now: float) -> None:
        """The device is silent for too long."""
        if self._deadline is not None and now >= self._deadline:
            self._fail(RemoteProtocolError("the device did not go on"))

    def _identified(self) -> None:
        end = self._buffer.find(b"\n") + 1 or self._buffer.find(b"\x8a") + 1
        if not end:
            if len(self._buffer) > _LINE_LIMIT:
                raise DecodeError("no identification", 0, "identification")
            return
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        if _is(line, SignOn):  # a head that hears itself
            self._identified()
            return
        found = self._identification = Identification.decode(line)
        if found.is_mode_c:
            self._out.append(OptionSelect(speed=found.speed).encode())
        self._events.append(LineSpeed(baud=found.baud))

    def _told(self, identification: Identification) -> None:
        start = next((place for place, octet in enumerate(self._buffer) if octet & 0x7F == STX), -1)
        if start < 0:
            if len(self._buffer) > _LINE_LIMIT:
                raise DecodeError("no data message after the identification", 0, "truncated")
            return
        end = next((place for place in range(start, len(self._buffer)) if self._buffer[place] & 0x7F == ETX), -1)
        if end < 0 or end + 1 >= len(self._buffer):
            if len(self._buffer) > _LIMIT:
                raise DecodeError(f"no end within {_LIMIT} octets", len(self._buffer), "truncated")
            return
        data = DataMessage.decode(bytes(self._buffer[start : end + 2]))
        self._deadline = None
        self._events.append(ReadOut(identification=identification, data=data))

    def _fail(self, error: MeterwayError) -> None:
        self._deadline = None
        self._events.append(ReadFailed(error=error))


class Device(QueuingEngine[Event]):
    """The device's side: ``tell`` gives its data when they are asked for. It answers to its address and to none.

    ``wait_s`` is how long it waits for the option before it tells its data at the speed of the sign-on.
    """

    def __init__(
        self,
        identification: Identification,
        tell: Callable[[], DataMessage],
        *,
        address: str = "",
        wait_s: float = 2.2,
    ) -> None:
        super().__init__()
        self._identification = identification
        self._tell = tell
        self._address = address.lstrip("0")
        self._wait_s = wait_s
        self._buffer = bytearray()
        self._deadline: float | None = None

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        self._buffer += bytes(octet & 0x7F for octet in data)
        while (end := self._buffer.find(b"\n") + 1) > 0:
            line = bytes(self._buffer[:end])
            del self._buffer[:end]
            self._line(line[max(line.rfind(b"/"), line.rfind(bytes((ACK,))), 0) :], now)
        del self._buffer[:-_LINE_LIMIT]

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._deadline

    def handle_timeout(self, now: float) -> None:
        """No option came."""
        if self._deadline is not None and now >= self._deadline:
            self._readout(SIGN_ON_BAUD)

    def _line(self, line: bytes, now: float) -> None:
        if self._deadline is not None and _is(line, OptionSelect):
            self._select(OptionSelect.decode(line))
        elif _is(line, SignOn) and SignOn.decode(line).address.lstrip("0") in ("", self._address):
            self._out.append(self._identification.encode())
            if self._identification.is_mode_c:
                self._deadline = now + self._wait_s
            else:
                self._readout(self._identification.baud)

    def _select(self, option: OptionSelect) -> None:
        if option.wanted != "0":
            self._deadline = None
            return
        self._readout(self._identification.baud if option.speed == self._identification.speed else SIGN_ON_BAUD)

    def _readout(self, baud: int) -> None:
        self._deadline = None
        data = self._tell()
        self._out.append(data.encode())
        self._events += (LineSpeed(baud=baud), ReadOut(identification=self._identification, data=data))


def _is(line: bytes, kind: type[SignOn] | type[OptionSelect]) -> bool:
    try:
        kind.decode(line)
    except DecodeError:
        return False
    return True
