"""What a concentrator is besides its nodes: name, parties, clock, orders, firmware. What its objects show."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from meterway.base.errors import ConfigError
from meterway.mapping.alarms import Alarm
from meterway.mapping.neighbourhood import NodeRole, NodeRow, NodeState
from meterway.mapping.party_keys import device_name, party_keys
from meterway.nnap.collector import Collector
from meterway.nnap.device import Concentrator
from meterway.nnap.events import Code
from meterway.nnap.image import Firmware
from meterway.nnap.ledger import Ledger
from meterway.nnap.node import Node
from meterway.nnap.orders import GroupOrders
from meterway.stacks.dlms.classes.image_transfer import ImageTransfer
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.tabled import Right

__all__ = ["Party", "Site", "title_of"]

_LEAST: Final = 16
_MOST_U32: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody northbound who may ask; the keys for each logical device derive from the secret."""

    name: str
    client: int
    secret: bytes
    rights: Right = Right.READ

    def __post_init__(self) -> None:
        if len(self.secret) < _LEAST:
            raise ConfigError(f"the secret of {self.name} must have at least {_LEAST} octets")

    def __repr__(self) -> str:
        return f"Party({self.name})"

    def may(self, right: Right) -> bool:
        """Whether it has a right."""
        return bool(self.rights & right)


def title_of(flag: str, name: str) -> bytes:
    """A system title: three letters of the maker and five octets that no other name shares in practice."""
    return flag.encode() + hashlib.sha256(name.encode()).digest()[:5]


def _no_firmware(_: Firmware, __: float) -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class Site:
    """One concentrator. ``begin_firmware`` starts to give an image to the meters; False if it cannot."""

    serial: str
    flag: str
    ledger: Ledger
    concentrator: Concentrator
    orders: GroupOrders
    parties: tuple[Party, ...]
    firmware: str
    clock_offset_s: float = 0.0
    image: ImageTransfer = field(default_factory=lambda: ImageTransfer(enabled=True))
    """The image for the meters, as it comes from the head end."""
    begin_firmware: Callable[[Firmware, float], bool] = _no_firmware
    cascades: Callable[[], tuple[NodeRow, ...]] = tuple
    """The concentrators below that are not on this one's network."""
    collector: Collector | None = None
    """What it hears by itself, if it has a receiver."""
    alarms: Callable[[], tuple[Alarm, ...]] = tuple
    """What is wrong in the network, and what was of late."""

    def party(self, client: int) -> Party | None:
        """Who a client address is."""
        return next((one for one in self.parties if one.client == client), None)

    def node(self, channel: int) -> Node:
        """The node whose mirrored data a channel has; ConfigError if there is none."""
        found = self.ledger.roll.channels.get(channel)
        if found is None:
            raise ConfigError(f"channel {channel} is nobody's")
        return found

    def name(self, channel: int) -> str:
        """The serial of the concentrator (0) or of a meter."""
        return self.serial if channel == 0 else self.node(channel).serial

    def title(self, channel: int) -> bytes:
        """The system title of a logical device; that of mirrored data is not the meter's own."""
        name = self.serial if channel == 0 else device_name(self.serial, self.name(channel))
        return title_of(self.flag, name)

    def keys(self, party: Party, channel: int) -> Keys:
        """The keys of a party for a logical device."""
        made = party_keys(party.secret, party.name, device_name(self.serial, self.name(channel)))
        return Keys(made["guek"], made["gak"])

    def encryption_key(self, party: Party, channel: int) -> bytes:
        """The key that a party and a logical device encrypt under."""
        return self.keys(party, channel).encryption

    def log(self, now: float, code: Code, node: Node | None = None, detail: str = "") -> None:
        """Note an event."""
        self.concentrator.log(now, code, node, detail)

    # -- the node table -----------------------------------------------------------------------------------------

    def node_rows(self) -> tuple[NodeRow, ...]:
        """Every listed node, every concentrator below and every proposal, as the head end is told."""
        listed = [self._row(node) for _, node in sorted(self.ledger.roll.channels.items())]
        proposed = [
            NodeRow(serial="", system_title=b"", eui=one.eui, state=NodeState.PROPOSED, heard=_u32(one.last_s))
            for one in self.concentrator.proposals.values()
        ]
        heard = self.collector.rows() if self.collector is not None else ()
        return (*listed, *self.cascades(), *heard, *proposed)

    def _row(self, node: Node) -> NodeRow:
        state = NodeState.CASCADE if node.role == "nnap" else NodeState.MEMBER
        return NodeRow(
            serial=node.serial,
            system_title=node.title,
            eui=node.eui,
            state=state if node.member is not None and not node.silent else NodeState.AWAY,
            address=0 if node.member is None else node.member.address & _MOST_U32,
            parent=node.parent,
            hops=min(node.hops, 255),
            quality=round(node.shown_quality * 100),
            heard=_u32(node.heard_s),
            joined=_u32(node.joined_s),
            sap=node.channel + 1 if node.is_read and self.concentrator.reads else 0,
            role=NodeRole[node.role.upper()],
            name=node.name,
        )


def _u32(unix_s: float) -> int:
    return min(max(int(unix_s), 0), _MOST_U32)
