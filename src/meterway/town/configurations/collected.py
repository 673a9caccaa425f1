"""P7: battery meters that a concentrator hears by itself, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from meterway.interfaces import Network
from meterway.town.configurations.shape import Access, Carrier, Configuration, Kind, Link, Part, UseCase

__all__ = ["COLLECTED"]

COLLECTED: Final = Configuration(
    label="P7",
    title="battery meters heard by a concentrator's own receiver",
    met_as="French and Italian gas collectors at 169 MHz, water networks, in the place of walking and driving by",
    parts=(
        Part(name="gas", kind=Kind.GAS),
        Part(name="water", kind=Kind.WATER),
        Part(name="concentrator", kind=Kind.CONCENTRATOR, every=0),
        Part(name="head end", kind=Kind.HEAD_END, every=0),
    ),
    links=(
        Link(near="gas", far="concentrator", network=Network.NEIGHBOURHOOD, carrier=Carrier.LONG_RADIO),
        Link(near="water", far="concentrator", network=Network.NEIGHBOURHOOD, carrier=Carrier.RADIO),
        Link(
            near="concentrator",
            far="head end",
            network=Network.WIDE,
            carrier=Carrier.TCP,
            access=Access(party="operator"),
        ),
    ),
    cases=MappingProxyType(
        {
            UseCase.SCHEDULED: "gas",
            UseCase.ON_DEMAND: "water",
            UseCase.COMMAND: "gas",
            UseCase.EVENT: "gas",
            UseCase.CLOCK: "concentrator",
        }
    ),
)
