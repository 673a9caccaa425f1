"""What a partner may order of a meter, on either link, and when the meter refuses.

Orders that move the valve, change the key, set the clock, reset alarms or transfer an image are taken only as protected
as the meter's own messages are, and with a message counter above the last one taken. Profile A (mode 5) has no message
counter: there a recorded order that is played again is obeyed again, which is why valves belong into profiles B and D.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from meterway.base.ciphers import aes_cbc_decrypt
from meterway.base.errors import DecodeError, SecurityError
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.valve import Input
from meterway.stacks.mbus.application import APPLICATIONS, ApplicationError, ApplicationSelect, ClockAction, ClockOrder
from meterway.stacks.mbus.records.record import Record
from meterway.stacks.mbus.telegram import Telegram

__all__ = ["obey", "taken"]

UNSPECIFIED: Final = ApplicationError(code=0x00)
UNKNOWN_CI: Final = ApplicationError(code=0x01)
CUT_OFF: Final = ApplicationError(code=0x04)

_SWITCH: Final = {0: Input.CLOSE, 1: Input.SUPPLY, 2: Input.RELEASE}
_COUNTED: Final = (7, 8, 9, 10)
_FREE: Final = frozenset(("7A",))
"""Orders that need no protection: where a meter stands on its bus."""

Deed = Callable[[], None]


def taken(meter: MbusMeter, telegram: Telegram) -> bool:
    """Whether a message was as protected as the meter wants its orders, and is new; its counter is remembered.

    SecurityError(counter) for a message that was seen or passed before.
    """
    wanted = meter.config.security
    if not wanted:
        return True
    protection = telegram.protection
    if protection.mode != wanted or protection.state != ("decrypted" if wanted == 5 else "verified"):
        return False
    if wanted in _COUNTED:
        counter = _counter(telegram)
        if counter <= meter.received:
            raise SecurityError(f"message counter {counter} is not above {meter.received}: a replay", "counter")
        meter.received = counter
        meter.changed = True
    return True


def _counter(telegram: Telegram) -> int:
    if telegram.tpl is not None and telegram.tpl.counter is not None:
        return telegram.tpl.counter
    return telegram.afl.counter if telegram.afl is not None and telegram.afl.counter is not None else -1


def obey(meter: MbusMeter, telegram: Telegram, unix_s: float) -> ApplicationError | None:
    """Do what an opened message orders: all of it, or nothing and the error to report.

    SecurityError for a replay.
    """
    kind = telegram.kind
    if kind == "application reset":
        return _select(meter, ApplicationSelect.decode(telegram.payload))
    if kind in ("clock", "clock adjustment"):
        try:
            order = ClockOrder.decode(telegram.payload)
        except DecodeError:
            return CUT_OFF
        if not taken(meter, telegram):
            return UNSPECIFIED
        _move_clock(meter, order, unix_s)
        return None
    if kind == "image transfer":
        if not taken(meter, telegram):
            return UNSPECIFIED
        meter.take_image(telegram.payload)
        return None
    if kind != "command":
        return UNKNOWN_CI
    deeds = [_deed(meter, record, unix_s) for record in telegram.records]
    wished = [deed for deed in deeds if deed is not None]
    if len(wished) < len(deeds):
        return UNSPECIFIED
    if any(record.head.vif not in _FREE for record in telegram.records) and not taken(meter, telegram):
        return UNSPECIFIED
    for deed in wished:
        deed()
    return None


def _select(meter: MbusMeter, order: ApplicationSelect) -> ApplicationError | None:
    application = order.application or 0
    if application not in APPLICATIONS:
        return UNSPECIFIED
    meter.application = application
    return None


def _move_clock(meter: MbusMeter, order: ClockOrder, unix_s: float) -> None:
    if order.moment is not None:
        meter.set_clock(order.moment, unix_s)
    elif order.shift is not None:
        shift = timedelta(hours=order.shift.hour, minutes=order.shift.minute, seconds=order.shift.second)
        sign = 1 if order.action is ClockAction.ADD else -1
        meter.set_clock(meter.clock(unix_s) + sign * shift, unix_s)


def _deed(meter: MbusMeter, record: Record, unix_s: float) -> Deed | None:
    """What a record orders; None if this meter does not do it."""
    vif, value = record.head.vif, record.value
    if vif in ("FD1F", "FD1A") and meter.config.valve and isinstance(value, int) and value in _SWITCH:
        happening = _SWITCH[value]
        return lambda: _moved(meter, happening, unix_s)
    if vif == "6D" and isinstance(value, datetime):
        return lambda: meter.set_clock(value, unix_s)
    if vif == "7A" and isinstance(value, int) and 0 <= value <= 250:
        return lambda: _readdressed(meter, value)
    if vif == "FD19" and isinstance(value, bytes) and len(value) == 16 and meter.config.security:
        return lambda: _rekeyed(meter, value)
    if vif == "FD17" and value == 0:
        return meter.reset_alarms
    return None


def _moved(meter: MbusMeter, happening: Input, unix_s: float) -> None:
    meter.advance(unix_s)
    meter.move_valve(happening, unix_s)


def _readdressed(meter: MbusMeter, primary: int) -> None:
    meter.primary = primary
    meter.changed = True


def _rekeyed(meter: MbusMeter, wrapped: bytes) -> None:
    """Take a new key; the counters of the partner may begin anew under it."""
    meter.key = aes_cbc_decrypt(meter.key, bytes(16), wrapped)
    meter.received = -1
    meter.changed = True
