"""The neighbourhood of the demonstration town: P2, P4, P6, P8 and P9 behind one concentrator. Not in the catalogue."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from meterway.interfaces import Network
from meterway.town.configurations.shape import Access, Carrier, Configuration, Kind, Link, Part, UseCase

__all__ = ["FIRST", "NEIGHBOURS"]

FIRST: Final = 10_000
"""Serial numbers of the neighbourhood come after this one, so that none is taken in the town."""
_LOCAL, _NEAR, _WIDE = Network.LOCAL, Network.NEIGHBOURHOOD, Network.WIDE
_OPERATOR: Final = Access(party="operator")

NEIGHBOURS: Final = Configuration(
    label="neighbours",
    title="meters, gateways, load controllers and a further concentrator behind one concentrator",
    met_as="the demonstration town",
    parts=(
        Part(name="meter", kind=Kind.ELECTRICITY),
        Part(name="wide meter", kind=Kind.ELECTRICITY, every=0),
        Part(name="far meter", kind=Kind.ELECTRICITY, every=0),
        Part(name="gateway", kind=Kind.GATEWAY, every=0),
        Part(name="inner gateway", kind=Kind.GATEWAY, every=0, inside="wide meter"),
        Part(name="load", kind=Kind.LOAD, every=2),
        Part(name="gas", kind=Kind.GAS, every=0),
        Part(name="water", kind=Kind.WATER, every=0),
        Part(name="heat", kind=Kind.HEAT, every=0),
        Part(name="lower concentrator", kind=Kind.CONCENTRATOR, every=0),
        Part(name="concentrator", kind=Kind.CONCENTRATOR, every=0),
        Part(name="head end", kind=Kind.HEAD_END, every=0),
    ),
    links=(
        Link(near="meter", far="concentrator", network=_NEAR, carrier=Carrier.PRIME),
        Link(near="wide meter", far="concentrator", network=_NEAR, carrier=Carrier.PRIME),
        Link(near="gateway", far="concentrator", network=_NEAR, carrier=Carrier.PRIME, access=_OPERATOR),
        Link(near="load", far="concentrator", network=_NEAR, carrier=Carrier.PRIME),
        Link(near="inner gateway", far="concentrator", network=None, carrier=Carrier.PRIME, access=_OPERATOR),
        Link(near="far meter", far="lower concentrator", network=_NEAR, carrier=Carrier.PRIME),
        Link(near="lower concentrator", far="concentrator", network=_NEAR, carrier=Carrier.TCP),
        Link(near="gas", far="gateway", network=_LOCAL, carrier=Carrier.RADIO),
        Link(near="water", far="gateway", network=_LOCAL, carrier=Carrier.RADIO),
        Link(near="heat", far="inner gateway", network=_LOCAL, carrier=Carrier.WIRE),
        Link(near="concentrator", far="head end", network=_WIDE, carrier=Carrier.TCP, access=_OPERATOR),
    ),
    cases=MappingProxyType(dict.fromkeys(UseCase, "meter")),
)
