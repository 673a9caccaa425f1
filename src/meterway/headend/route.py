"""How a device is reached: directly, at its gateway, or through concentrators and gateways one behind another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from meterway.base.errors import ConfigError, StoreError
from meterway.base.obis import Obis
from meterway.mapping.neighbourhood import NODES
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms.gateway import GatewayAddress
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, HOME, Device
from meterway.store.nodes import Node

__all__ = [
    "Link", "Route", "Way", "claimed_route", "is_concentrator", "is_gateway", "lists_channels", "route_of",
    "utility_of",
]  # fmt: skip

_PROPOSALS: Final = Obis(0, 0, 128, 4, 0)
_DEEPEST: Final = 8


class Way(Enum):
    """Whom an association is with: the device itself, or its mirrored data at the concentrator."""

    DIRECT = "direct"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a route, from the head end's side: the device there, and the node it is on a neighbourhood."""

    device: Device
    node: Node | None


@dataclass(frozen=True, slots=True)
class Route:
    """Where to connect, the prefixes to put before each APDU (the nearest concentrator's first), the logical device.

    ``links`` are the steps from the outermost gateway to the device itself.
    """

    transport: str
    host: str
    port: int
    sap: int
    links: tuple[Link, ...]
    prefixes: tuple[GatewayAddress, ...] = ()

    @property
    def interface(self) -> str:
        """The interface of the reference figure that the head end is an end of here."""
        top = self.links[0].device
        if is_concentrator(top.profile):
            return "G2"
        return "G1" if len(self.links) > 1 or top.utility == GATEWAY else "I"


@lru_cache(maxsize=64)
def _has(profile: str, obis: Obis) -> bool:
    try:
        return obis in load_profile(profile or "idis").objects
    except ConfigError:
        return False


def lists_channels(profile: str) -> bool:
    """Whether devices of a companion profile have meters as channels (an LNAP): they list proposals."""
    return _has(profile, _PROPOSALS)


def is_concentrator(profile: str) -> bool:
    """Whether devices of a companion profile have a neighbourhood behind them (an NNAP): they have a node table."""
    return _has(profile, NODES)


def is_gateway(profile: str) -> bool:
    """Whether devices of a companion profile have meters behind them."""
    return lists_channels(profile) or is_concentrator(profile)


def utility_of(profile: str) -> str:
    """What devices of a companion profile are in the registry: of electricity, of the home, or on the way to others."""
    try:
        is_home = load_profile(profile or "idis").role == "home"
    except ConfigError:
        is_home = False
    return HOME if is_home else GATEWAY if is_gateway(profile) else "electricity"


def route_of(store: Store, device: Device, way: Way = Way.DIRECT) -> Route:
    """The route to a device as the registry has it now.

    ConfigError for a mirror that there is none of, and for gateways behind one another in a circle.
    """
    links = _chain(store, device)
    if way is Way.MIRROR:
        node = links[-1].node
        if node is None or not node.sap:
            raise ConfigError(f"{device.serial} has no mirrored data at a concentrator")
        return _route(links, node.sap, links[:-1])
    return _route(links, device.sap, links)


def claimed_route(store: Store, device: Device, node: Node) -> Route:
    """The route to a device as it would be through the concentrator that lists it as this node."""
    links = (*_chain(store, store.devices.get(node.nnap)), Link(device, node))
    return _route(links, device.sap, links)


def _chain(store: Store, device: Device) -> tuple[Link, ...]:
    links = [Link(device, store.nodes.find(device.id))]
    while (parent := links[0].device.parent) is not None:
        if len(links) >= _DEEPEST or any(link.device.id == parent for link in links):
            raise ConfigError(f"{device.serial}: gateways stand behind one another in a circle")
        try:
            links.insert(0, Link(store.devices.get(parent), store.nodes.find(parent)))
        except StoreError as error:
            if error.__cause__ is not None:
                raise
            raise ConfigError(f"{device.serial}: its gateway is not in the registry") from None
    return tuple(links)


def _route(links: tuple[Link, ...], sap: int, to: tuple[Link, ...]) -> Route:
    """Every node on the way is a prefix; without any, the device's own address stands (its gateway's, kept with it)."""
    prefixes = tuple(GatewayAddress(link.node.eui) for link in to if link.node is not None)
    is_routed = any(link.node is not None for link in links)
    place = links[0].device if is_routed else links[-1].device
    return Route(place.transport, place.host, place.port, sap, links, prefixes)
