"""What a sleeping meter said last, and the orders that wait for it to wake. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis

__all__ = ["Mailbox", "Mirror", "Mirrored", "Order", "OrderState", "Quality"]

_KEPT: Final = 64
_WAITING: Final = 16
_REPLACED: Final = ("valve", "clock", "read")


class Quality(IntFlag):
    """What to know of a value; the bits of the status octet that profiles show."""

    GOOD = 0
    CLOCK_OFF = 0x02
    """The meter's own time is far off."""
    SUSPECT = 0x04
    """The value is not plausible."""


class Mirrored(NamedTuple):
    """A value as it was last received: ``raw`` times ten to the ``scaler``; times are Unix seconds.

    ``device_s`` is the meter's own time of it, None where the telegram did not say.
    """

    obis: Obis
    raw: int
    scaler: int
    unit: int
    received_s: float
    device_s: float | None = None
    quality: int = 0

    @property
    def measured_s(self) -> float:
        """When it was measured, as far as known: the earlier of the meter's time and reception."""
        return self.received_s if self.device_s is None else min(self.device_s, self.received_s)


class Mirror:
    """The last value of each register of each channel."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[int, dict[Obis, Mirrored]] = {}

    def put(self, channel: int, value: Mirrored) -> None:
        """Take a newer value."""
        self._values.setdefault(channel, {})[value.obis] = value

    def get(self, channel: int, obis: Obis) -> Mirrored | None:
        """The last value of a register, or None."""
        return self._values.get(channel, {}).get(obis)

    def of(self, channel: int) -> tuple[Mirrored, ...]:
        """All values of a channel, in the order they were first heard."""
        return tuple(self._values.get(channel, {}).values())

    def forget(self, channel: int) -> None:
        """The meter left."""
        self._values.pop(channel, None)

    def age_s(self, channel: int, now: float) -> int | None:
        """How long ago the newest value of a channel was received; None without one."""
        newest = max((value.received_s for value in self.of(channel)), default=None)
        return None if newest is None else max(int(now - newest), 0)


class OrderState(IntEnum):
    """How far an order is."""

    WAITING = 0
    SENT = 1
    DONE = 2
    REFUSED = 3
    EXPIRED = 4


@dataclass(slots=True, kw_only=True)
class Order:
    """Something a meter is to do when it next listens. ``payload`` is application data under command CI ``ci``.

    ``kind`` is ``valve``, ``clock``, ``key``, ``data`` or ``read`` (no payload: a question); ``detail`` says in words
    what was asked and what came of it.
    """

    number: int
    channel: int
    kind: str
    payload: bytes
    created_s: float
    expires_s: float
    ci: int = 0x5B
    detail: str = ""
    by: str = ""
    state: OrderState = OrderState.WAITING
    tries: int = 0
    sent_s: float = 0.0
    closed_s: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it still waits for the meter."""
        return self.state in (OrderState.WAITING, OrderState.SENT)


class Mailbox:
    """The orders of all channels, first in first out; what was closed is kept for a while to be asked about."""

    def __init__(self, next_number: int = 1) -> None:
        self._orders: dict[int, Order] = {}
        self.next_number = next_number

    def add(
        self, channel: int, kind: str, payload: bytes, *, now: float, expires_s: float, ci: int = 0x5B, by: str = "",
        detail: str = "",
    ) -> Order:  # fmt: skip
        """Put an order in; a newer one of the same kind takes the place of one that still waits.

        ConfigError if the meter's box is full.
        """
        for other in self.waiting(channel):
            if other.kind == kind and kind in _REPLACED and other.state is OrderState.WAITING:
                self.close(other, OrderState.EXPIRED, now, "superseded")
        if len(self.waiting(channel)) >= _WAITING:
            raise ConfigError(f"channel {channel}: {_WAITING} orders wait already")
        order = Order(
            number=self.next_number, channel=channel, kind=kind, payload=payload, ci=ci, created_s=now,
            expires_s=expires_s, by=by, detail=detail,
        )  # fmt: skip
        self.restore(order)
        return order

    def restore(self, order: Order) -> None:
        """Take back an order that outlived the process."""
        self._orders[order.number] = order
        self.next_number = max(self.next_number, order.number + 1)
        closed = [number for number, other in self._orders.items() if not other.is_open]
        for number in closed[:-_KEPT]:
            del self._orders[number]

    def waiting(self, channel: int) -> list[Order]:
        """The open orders of a channel, the oldest first."""
        return [order for order in self._orders.values() if order.channel == channel and order.is_open]

    def of(self, channel: int) -> list[Order]:
        """All orders of a channel that are remembered."""
        return [order for order in self._orders.values() if order.channel == channel]

    def next(self, channel: int, now: float) -> Order | None:
        """What to send now that the meter listens; None if nothing waits. It counts as sent."""
        self.expire(now)
        order = next(iter(self.waiting(channel)), None)
        if order is not None:
            order.state, order.sent_s = OrderState.SENT, now
            order.tries += 1
        return order

    def in_flight(self, channel: int) -> Order | None:
        """The order that was sent and not yet answered."""
        return next((order for order in self.waiting(channel) if order.state is OrderState.SENT), None)

    def close(self, order: Order, state: OrderState, now: float, why: str = "") -> None:
        """The order came to its end."""
        order.state, order.closed_s = state, now
        order.detail = f"{order.detail}: {why}" if order.detail and why else order.detail or why

    def expire(self, now: float) -> list[Order]:
        """Close what was not delivered in time; those are returned."""
        late = [order for order in self._orders.values() if order.is_open and now >= order.expires_s]
        for order in late:
            self.close(order, OrderState.EXPIRED, now, f"not delivered after {order.tries} tries")
        return late

    def drop(self, channel: int) -> None:
        """The meter left: its orders with it."""
        self._orders = {number: order for number, order in self._orders.items() if order.channel != channel}
