"""What pages and API may ask about concentrators (NNAPs): how they stand, their trees, their balances."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Final

from meterway.base.errors import ConfigError
from meterway.headend.api import UnknownMeterError, Views
from meterway.headend.balance import balance_of
from meterway.headend.curve import Curve
from meterway.headend.losses import Loss
from meterway.headend.nnap_watch import AlarmView, WatchViews
from meterway.headend.route import is_concentrator
from meterway.headend.rows import time_text
from meterway.headend.serve import HeadEnd
from meterway.headend.tree import Leaf
from meterway.mapping.neighbourhood import NodeState
from meterway.store.blocks import DayCount
from meterway.store.devices import GATEWAY, HOME, Device
from meterway.store.nodes import Node

__all__ = ["NnapPage", "NnapRow", "NnapViews"]

_DAY_S: Final = 86400
_PERIOD_S: Final = 900
_ELECTRICITY: Final = "electricity"
_SUPERVISION: Final = "supervision"


@dataclass(frozen=True, slots=True, kw_only=True)
class NnapRow:
    """One line of the list of concentrators. Shares are 0 to 1, None without a value to speak of."""

    serial: str
    state: str
    address: str
    seen: str
    nodes: int
    away: int
    quality: int | None
    """The mean of its links, 0 to 100."""
    today: float | None
    """Completeness of today so far, against what should be there by now."""
    yesterday: float | None
    last_report: str
    parent: str
    alarms: int
    """How many stand that nobody has acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NnapPage:
    """One concentrator with its nodes."""

    row: NnapRow
    leaves: list[Leaf]
    supervision: str
    """The serial of the meter at the transformer; empty if none is named."""
    losses: list[Loss]
    """The last days of the transformer, as the concentrator judged them."""
    alarms: list[AlarmView]


class NnapViews:
    """Questions about concentrators; they block on the store, so a server calls them in a thread."""

    def __init__(self, head_end: HeadEnd, views: Views) -> None:
        self._hes = head_end
        self._store = head_end.store
        self._views = views

    def all(self) -> list[NnapRow]:
        """Every concentrator, by serial."""
        today = int(time.time() // _DAY_S)
        shares = [self._store.blocks.completeness_by_nnap(day) for day in (today, today - 1)]
        alarms = WatchViews(self._hes).standing()
        return [
            self._row(device, [found.get(device.id) for found in shares], alarms.get(device.id, 0))
            for device in self._store.devices.gateways()
            if is_concentrator(device.profile)
        ]

    def one(self, serial: str) -> NnapPage:
        """One concentrator; UnknownMeterError if there is none of that serial."""
        device = self.device(serial)
        row = next(each for each in self.all() if each.serial == serial)
        leaves = []
        for node in self._store.nodes.of_nnap(device.id):
            child = self._store.devices.get(node.device)
            leaves.append(
                Leaf(
                    serial=child.serial,
                    eui=node.eui,
                    parent=node.parent,
                    hops=node.hops,
                    quality=node.quality,
                    is_away=_is_away(node),
                    is_gateway=child.utility == GATEWAY,
                    heard=time_text(node.heard_ms or None),
                )
            )
        watch = WatchViews(self._hes)
        return NnapPage(
            row=row, leaves=leaves, supervision=_supervision(device), losses=watch.losses(device.id),
            alarms=watch.alarms(device.id),
        )  # fmt: skip

    def balance(self, serial: str, from_day: date, to_day: date) -> Curve:
        """The balance of its transformer between two days; ConfigError if no supervision meter is named."""
        device = self.device(serial)
        supervision = _supervision(device)
        if not supervision:
            raise ConfigError(f"{serial}: no supervision meter is named")
        meters = [child for child in self._store.devices.children(device.id) if child.utility == _ELECTRICITY]
        others = [child.serial for child in meters if child.serial != supervision]
        return balance_of(
            self._views.curve(supervision, from_day, to_day),
            [self._views.curve(other, from_day, to_day) for other in others],
        )

    def supervise(self, serial: str, meter: str) -> None:
        """Name the meter at the transformer of a concentrator, or none."""
        device = self.device(serial)
        if meter:
            self._views.device(meter)
        flags = {name: value for name, value in device.flags.items() if name != _SUPERVISION}
        changes = {"flags": flags | ({_SUPERVISION: meter} if meter else {})}
        self._store.devices.update(device.id, changes, now_ms=int(time.time() * 1000))
        self._hes.fleet.reload(device.id)

    def device(self, serial: str) -> Device:
        """The registry's row of a concentrator; UnknownMeterError if there is none of that serial."""
        device = self._views.device(serial)
        if not is_concentrator(device.profile):
            raise UnknownMeterError(f"{serial!r} is no concentrator")
        return device

    def _row(self, device: Device, days: list[DayCount | None], alarms: int) -> NnapRow:
        nodes = self._store.nodes.of_nnap(device.id)
        heard = [node.quality for node in nodes if node.state in (NodeState.MEMBER, NodeState.HEARD)]
        meters = sum(1 for child in self._store.devices.children(device.id) if child.utility not in (GATEWAY, HOME))
        counts = [_share(day, meters) if meters else None for day in days]
        parent = self._store.devices.get(device.parent).serial if device.parent is not None else ""
        return NnapRow(
            serial=device.serial,
            state=device.state,
            address=f"{device.host}:{device.port}",
            seen=time_text(device.seen_ms or None),
            nodes=len(nodes),
            away=sum(1 for node in nodes if _is_away(node)),
            quality=round(sum(heard) / len(heard)) if heard else None,
            today=_by_now(counts[0], self._hes.config.collect.every_s),
            yesterday=counts[1],
            last_report=time_text(self._store.reports.last_ms(device.id) or None),
            parent=parent,
            alarms=alarms,
        )


def _share(day: DayCount | None, meters: int) -> float:
    """How full a day is over all meters, those without any value too."""
    expected = day.expected / day.devices * meters if day is not None and day.devices else 0
    return min(1.0, day.present / expected) if day is not None and expected else 0.0


def _by_now(share: float | None, every_s: float) -> float | None:
    """A share of the whole day as one of what is due: intervals that ended a collection period ago."""
    ended = int((time.time() % _DAY_S - every_s) // _PERIOD_S) + 1
    if share is None or ended <= 0:
        return None
    return min(1.0, share * _DAY_S / (ended * _PERIOD_S))


def _is_away(node: Node) -> bool:
    """Whether it is not there, or a battery meter that is not heard."""
    return node.state == NodeState.AWAY or (node.state == NodeState.HEARD and not node.quality)


def _supervision(device: Device) -> str:
    return str(device.flags.get(_SUPERVISION) or "")
