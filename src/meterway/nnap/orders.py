"""Orders to groups: APDUs that somebody above protected, sent by broadcast at their time, over restarts too.

An order that was accepted is in the file before whoever gave it is told. That it goes out is written before it does,
and that it is done with when enough time has passed for it to have left. What falls between is sent again: it is the
same APDU with the same invocation counter, which no meter takes twice. Where the time is over by then, the order is
told as unsure: it may have gone out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from meterway.base.errors import ConfigError, LocalProtocolError
from meterway.mapping.neighbourhood import GroupOrder, OrderReport, OrderState
from meterway.stacks.dlms import axdr
from meterway.stacks.neighbourhood.station import Coordinator

__all__ = ["GroupOrders", "Kept", "OrderFile"]

_AGAIN_S: Final = 20.0
_MOST_OPEN: Final = 64
_MOST: Final = 1024
_SHOWN: Final = 64
_NEVER: Final = float("inf")


class Kept(msgspec.Struct, kw_only=True):
    """An order as it is kept. ``sends`` counts a sending before it is made; ``left``: one of them is surely out.

    ``more`` sendings are made beyond what the order wants, one for each start that found it open.
    """

    number: int
    order: bytes
    state: int
    due_s: float
    sent_s: int = 0
    sends: int = 0
    left: bool = False
    more: int = 0


class OrderFile(Protocol):
    """Where orders are kept; durable when a call returns."""

    def keep_order(self, order_id: bytes, record: bytes) -> None:
        """Keep an order as it stands."""

    def orders(self) -> list[bytes]:
        """The records of all orders that are kept."""

    def drop_order(self, order_id: bytes) -> None:
        """Forget an order."""


class _Waiting:
    """An order in memory; its time of ``inf`` says that nothing more is to be done."""

    __slots__ = ("kept", "order", "was_sent")

    def __init__(self, order: GroupOrder, kept: Kept) -> None:
        self.order = order
        self.kept = kept
        self.was_sent = False
        """Whether this process has sent it."""

    @property
    def is_open(self) -> bool:
        return self.kept.due_s != _NEVER

    @property
    def state(self) -> OrderState:
        return OrderState(self.kept.state)

    def close(self, unsent: OrderState = OrderState.EXPIRED) -> None:
        """Nothing more is to be done; ``unsent`` is what it is if it was never sent."""
        kept = self.kept
        state = OrderState.SENT if kept.left else OrderState.UNSURE
        kept.state, kept.due_s = int(state if kept.sends else unsent), _NEVER


class GroupOrders:
    """The orders of a concentrator; a worker of the device. Without a file they end with the process.

    An order for some members only goes out by broadcast all the same: who is meant, its protection says.
    """

    def __init__(self, station: Coordinator, file: OrderFile | None = None) -> None:
        self._station = station
        self._file = file
        self._orders: dict[bytes, _Waiting] = {}
        self._last = 0
        self.on_order: Callable[[bytes, float], None] = lambda apdu, now: None
        """Called with each new APDU, and with those of a start: ``next_timeout`` may be earlier now."""

    def restore(self, now: float) -> None:
        """Take up what was open when the process ended; call it once, before time goes on."""
        records = [msgspec.msgpack.decode(one, type=Kept) for one in self._file.orders()] if self._file else []
        for kept in sorted(records, key=lambda one: one.number):
            order = GroupOrder.decode(kept.order)
            one = self._orders[order.id] = _Waiting(order, kept)
            self._last = max(self._last, kept.number)
            if one.is_open:
                self._take_up(one, now)
            self.on_order(order.apdu, now)

    def _take_up(self, one: _Waiting, now: float) -> None:
        """An open order after a start: nobody knows whether its last sending left."""
        kept = one.kept
        if now > one.order.expires:
            one.close()
            self._keep(one)
        elif kept.sends:
            kept.more += 1
            kept.due_s = now

    def take(self, order: GroupOrder, now: float) -> None:
        """Take an order, once, durably; ConfigError for one that cannot be carried at all, or while too many wait."""
        if order.id in self._orders:
            return
        if len(order.apdu) > self._station.max_apdu:
            raise ConfigError(f"an order of {len(order.apdu)} octets is longer than the network takes")
        self._make_room(now)
        self._last += 1
        due_s = max(float(order.not_before), now)
        kept = Kept(number=self._last, order=axdr.encode(order.encode()), state=int(OrderState.WAITING), due_s=due_s)
        one = _Waiting(order, kept)
        self._keep(one)
        self._orders[order.id] = one
        self.on_order(order.apdu, now)

    def _make_room(self, now: float) -> None:
        """An order that waits is not dropped for a new one, nor one that could still be given again."""
        if sum(one.is_open for one in self._orders.values()) >= _MOST_OPEN:
            raise ConfigError(f"{_MOST_OPEN} orders wait already")
        over = [name for name, one in self._orders.items() if not one.is_open and one.order.expires < now]
        for name in over[: max(0, len(self._orders) - _SHOWN + 1)]:
            del self._orders[name]
            if self._file is not None:
                self._file.drop_order(name)
        if len(self._orders) >= _MOST:
            raise ConfigError(f"{_MOST} orders are remembered already")

    def reports(self) -> tuple[OrderReport, ...]:
        """How the last orders stand."""
        return tuple(
            OrderReport(id=one.order.id, state=one.state, sent_at=one.kept.sent_s, sends=min(one.kept.sends, 0xFF))
            for one in list(self._orders.values())[-_SHOWN:]
        )

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return min((one.kept.due_s for one in self._orders.values() if one.is_open), default=None)

    def handle_timeout(self, now: float) -> None:
        """Send what is due, end what is over."""
        for one in list(self._orders.values()):
            if one.is_open and one.kept.due_s <= now:
                self._go_on(one, now)

    def _go_on(self, one: _Waiting, now: float) -> None:
        order, kept = one.order, one.kept
        kept.left = kept.left or one.was_sent
        if now > order.expires or kept.sends > order.repeats + kept.more:
            one.close()
            self._keep(one)
        else:
            self._send(one, now)

    def _send(self, one: _Waiting, now: float) -> None:
        """Write that it goes out, then have it go out."""
        order, kept = one.order, one.kept
        kept.sends += 1
        kept.sent_s = kept.sent_s or int(now)
        kept.state, kept.due_s = int(OrderState.SENT), now + _AGAIN_S
        self._keep(one)
        try:
            self._station.send_apdu(None, order.apdu, client=order.client, server=order.server, now=now, urgent=True)
        except LocalProtocolError:
            kept.sends -= 1
            kept.sent_s = kept.sent_s if kept.sends else 0
            one.close(OrderState.REFUSED)
            self._keep(one)
            return
        one.was_sent = True

    def _keep(self, one: _Waiting) -> None:
        if self._file is not None:
            self._file.keep_order(one.order.id, msgspec.msgpack.encode(one.kept))
