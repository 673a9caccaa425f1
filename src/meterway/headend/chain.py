"""The chain of gateways that a device is behind, for people: from the outermost to the device, with how it is heard."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.base.errors import ConfigError
from meterway.headend.hearers import Hearer, Hearers, is_heard
from meterway.headend.route import is_concentrator, route_of
from meterway.headend.rows import time_text
from meterway.store.database import Store
from meterway.store.devices import Device

__all__ = ["Step", "chain_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One device of the chain; the numbers are those of its own place on a neighbourhood, None where it has none."""

    serial: str
    is_concentrator: bool
    hops: int | None = None
    quality: int | None = None
    heard: str = ""
    through: str = ""
    """The serial of the node it is reached through, if that is another one of its concentrator."""
    is_mirrored: bool = False
    hearers: tuple[Hearer, ...] = ()
    """Of a battery meter, the concentrators that hear it, the best first."""


def chain_of(store: Store, device: Device) -> list[Step]:
    """The steps, the last is the device itself; empty for one that is behind nothing, or where the registry errs."""
    if device.parent is None:
        return []
    try:
        links = route_of(store, device).links
    except ConfigError:
        return []
    steps, hearers = [], Hearers(store)
    for link in links:
        node, is_nnap = link.node, is_concentrator(link.device.profile)
        if node is None:
            steps.append(Step(serial=link.device.serial, is_concentrator=is_nnap))
            continue
        steps.append(
            Step(
                serial=link.device.serial,
                is_concentrator=is_nnap,
                hops=node.hops,
                quality=node.quality,
                heard=time_text(node.heard_ms or None),
                through=_through(store, node.nnap, node.parent),
                is_mirrored=bool(node.sap),
                hearers=hearers.of(link.device.id) if is_heard(node) else (),
            )
        )
    return steps


def _through(store: Store, nnap: int, eui: bytes) -> str:
    if not eui:
        return ""
    found = next((node.device for node in store.nodes.of_nnap(nnap) if node.eui == eui), None)
    return store.devices.get(found).serial if found is not None else ""
