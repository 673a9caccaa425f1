"""P14: a meter whose line fails for a while is read at its local port, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from meterway.interfaces import Network
from meterway.town.configurations.shape import Carrier, Configuration, Kind, Link, Part, UseCase

__all__ = ["LOCALLY_READ"]

LOCALLY_READ: Final = Configuration(
    label="P14",
    title="no communication for a while: read at the meter's local port by a hand-held",
    met_as="every network: meters in cellars without coverage, and between fitting and first call",
    parts=(
        Part(name="meter", kind=Kind.ELECTRICITY),
        Part(name="hand-held", kind=Kind.HAND_HELD, every=0),
        Part(name="head end", kind=Kind.HEAD_END, every=0),
    ),
    links=(
        Link(near="meter", far="head end", network=Network.WIDE, carrier=Carrier.TCP),
        Link(near="meter", far="hand-held", network=None, carrier=Carrier.HDLC),
    ),
    cases=MappingProxyType(
        {
            UseCase.SCHEDULED: "meter",
            UseCase.ON_DEMAND: "hand-held",
            UseCase.COMMAND: "meter",
            UseCase.EVENT: "hand-held",
            UseCase.CLOCK: "meter",
        }
    ),
)
