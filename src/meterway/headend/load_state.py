"""How a load controller in a home stands, as it told when it was last called: relays, why, the last order, consent."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from meterway.base.errors import DecodeError
from meterway.mapping.home import CAUSES, LoadOrder
from meterway.stacks.dlms import axdr
from meterway.store.database import Store

__all__ = ["LoadState", "RelayState", "keep_load", "kept_load", "load_state"]


class RelayState(msgspec.Struct, frozen=True, kw_only=True):
    """One relay as its contact says; ``cause`` is nothing, order, override, limit or emergency."""

    relay: int
    on: bool
    cause: str
    power_w: int


class LoadState(msgspec.Struct, frozen=True, kw_only=True):
    """A load controller at ``time_s`` (Unix seconds); ``order`` is the last order it has taken, in words."""

    time_s: float
    relays: list[RelayState]
    order: str = ""
    programme: str = ""
    consent: bool = False

    @property
    def time(self) -> str:
        """When that was, ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def power_w(self) -> int:
        """What all loads take, W."""
        return sum(one.power_w for one in self.relays)


def load_state(octets: list[bytes], time_s: float) -> LoadState:
    """From the encoded values of relays, order, programme and consent; DecodeError for anything else."""
    match [axdr.native(axdr.decode_all(one)) for one in octets]:
        case [list(relays), order, programme, bool(consent)]:
            return LoadState(
                time_s=time_s,
                relays=[_relay(row) for row in relays],
                order="" if order is None else _in_words(LoadOrder.decode(order)),
                programme=programme.decode("utf-8", "replace") if isinstance(programme, bytes) else str(programme),
                consent=consent,
            )
    raise DecodeError("relays, an order, a programme and a consent are wanted", 0, "home")


def _relay(row: object) -> RelayState:
    match row:
        case [int(relay), bool(on), int(cause), int(power_w)] if 0 <= cause < len(CAUSES):
            return RelayState(relay=relay, on=on, cause=CAUSES[cause], power_w=power_w)
    raise DecodeError("a relay is a structure of four", 0, "home")


def _in_words(order: LoadOrder) -> str:
    places = [str(place + 1) for place in range(8) if order.relays >> place & 1]
    which = f"relay{'s' if len(places) > 1 else ''} {', '.join(places)}" if places else "all relays"
    words = [f"{order.ident}: {which} {'on' if order.on else 'off'}"]
    words += [f"for {order.duration_s} s"] if order.duration_s else []
    words += [f"after up to {order.offset_s} s"] if order.offset_s else []
    words += ["emergency"] if order.emergency else []
    return ", ".join(words)


def keep_load(store: Store, device: int, state: LoadState) -> None:
    """Keep how a device stands."""
    store.settings.put(f"load:{device}", msgspec.json.encode(state).decode())


def kept_load(store: Store, device: int) -> LoadState | None:
    """How a device stood when it was last called; None if it never told."""
    kept = store.settings.get(f"load:{device}")
    return msgspec.json.decode(kept, type=LoadState) if kept else None
