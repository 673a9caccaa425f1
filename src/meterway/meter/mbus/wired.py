"""A meter on the two-wire bus: what it answers to a master, telegram by telegram (EN 13757-2 and -3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from meterway.base.errors import DecodeError, SecurityError
from meterway.meter.mbus import records
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.orders import obey
from meterway.stacks.mbus.application import Alarm, ApplicationError
from meterway.stacks.mbus.build import Wrapping, transport
from meterway.stacks.mbus.image import CI_ANSWER_LONG
from meterway.stacks.mbus.link.frames import SND_UD, LongFrame
from meterway.stacks.mbus.link.slave import Slave
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.telegram import decode

__all__ = ["WiredMeter", "selected"]

_MORE_FOLLOWS: Final = b"\x1f"
_ALARM, _ERROR, _SELECTED = 0x75, 0x6F, 0x68
_WHICH_APPLICATION: Final = (0x54, 0x55)
_ANY_METER: Final = 0xFD

Parts = list[list[Record]]


def selected(meter: MbusMeter, unix_s: float) -> Parts:
    """The records of the application that was selected, each part fit for one telegram."""
    choose = _APPLICATIONS.get(meter.application, records.everything)
    return choose(meter, unix_s)


def _billing(meter: MbusMeter, unix_s: float) -> Parts:
    return [[*records.identity(meter, unix_s), *records.due(meter, unix_s)]]


def _enhanced(meter: MbusMeter, unix_s: float) -> Parts:
    months = records.history(meter, unix_s)
    return [[*records.due(meter, unix_s), *months]]


def _now(meter: MbusMeter, unix_s: float) -> Parts:
    return [records.current(meter, unix_s)]


def _identity(meter: MbusMeter, unix_s: float) -> Parts:
    return [records.identity(meter, unix_s)]


_APPLICATIONS: Final[dict[int, Callable[[MbusMeter, float], Parts]]] = {
    0x1: _now,
    0x2: _billing,
    0x3: _enhanced,
    0x5: _now,
    0x8: _identity,
}


class WiredMeter:
    """The host behind a slave engine; ``unix`` tells the time, ``on_change`` is called when there is more to keep.

    An order that is refused is acknowledged, as the link wants it, and the next read-out gives the error instead.
    What cannot be opened is not acknowledged.
    """

    __slots__ = ("_error", "_on_change", "_tell_selection", "_unix", "meter", "slave")

    def __init__(
        self, meter: MbusMeter, unix: Callable[[], float], *, on_change: Callable[[MbusMeter], None] = lambda _: None
    ) -> None:
        self.meter = meter
        self._unix = unix
        self._on_change = on_change
        self._error: ApplicationError | None = None
        self._tell_selection = False
        self.slave = Slave(self, primary=meter.primary, secondary=meter.address)

    def _sealed(self, payload: bytes, ci: int | None = None) -> tuple[int, bytes]:
        meter = self.meter
        counter = meter.next_counter()
        self._on_change(meter)
        wrapping = Wrapping(
            sender=meter.address,
            mode=meter.config.security,
            key=meter.key,
            counter=counter,
            status=meter.status(self._unix()),
            long=True,
        )
        afl, message = transport(wrapping, payload, access=counter, ci=ci)
        whole = message if afl is None else afl.encode() + message
        return whole[0], whole[1:]

    def user_data(self) -> Sequence[tuple[int, bytes]]:
        """An error or selection to report, else the records of the application selected."""
        unix_s = self._unix()
        self.meter.advance(unix_s)
        if self._error is not None:
            error, self._error = self._error, None
            return [self._sealed(error.encode(), _ERROR)]
        if self.meter.answer:
            answer, self.meter.answer = self.meter.answer, b""
            return [self._sealed(answer, CI_ANSWER_LONG)]
        if self._tell_selection:
            self._tell_selection = False
            return [self._sealed(bytes((self.meter.application << 4,)), _SELECTED)]
        parts = [b"".join(record.encode() for record in part) for part in selected(self.meter, unix_s)]
        return [self._sealed(part + _MORE_FOLLOWS) for part in parts[:-1]] + [self._sealed(parts[-1])]

    def alarm(self) -> tuple[int, bytes] | None:
        """What it complains of, as long as it does."""
        alarms = int(self.meter.alarms)
        return self._sealed(Alarm(flags=alarms).encode(), _ALARM) if alarms else None

    def received(self, ci: int, data: bytes) -> bool:
        """Obey; False if the octets cannot be opened under the meter's key or were played again."""
        meter = self.meter
        meter.answer = b""
        if ci in _WHICH_APPLICATION:
            self._tell_selection = True
            return True
        frame = LongFrame(control=SND_UD, address=_ANY_METER, ci=ci, data=data)
        try:
            telegram = decode(frame.encode(), keys=[meter.key], link="wired", allow_plain=False)
            self._error = obey(meter, telegram, self._unix())
        except DecodeError:
            self._error = ApplicationError(code=0x04)
        except SecurityError:
            return False
        self.slave.primary = meter.primary
        self._on_change(meter)
        return True
