"""P13: a module on a meter of old, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from meterway.interfaces import Network
from meterway.town.configurations.shape import (
    Access,
    Carrier,
    Configuration,
    Kind,
    Link,
    NotApplicable,
    Part,
    UseCase,
)

__all__ = ["RETROFITTED"]

RETROFITTED: Final = Configuration(
    label="P13",
    title="a module on a meter of old, which it reads at its optical port",
    met_as="retrofits of electricity, gas and water meters; British multiple boxes",
    parts=(
        Part(name="legacy meter", kind=Kind.LEGACY),
        Part(name="module", kind=Kind.MODULE),
        Part(name="gateway", kind=Kind.GATEWAY),
        Part(name="head end", kind=Kind.HEAD_END, every=0),
    ),
    links=(
        Link(near="legacy meter", far="module", network=None, carrier=Carrier.OPTICAL),
        Link(near="module", far="gateway", network=Network.LOCAL, carrier=Carrier.RADIO),
        Link(
            near="gateway",
            far="head end",
            network=Network.WIDE,
            carrier=Carrier.TCP,
            access=Access(party="operator"),
        ),
    ),
    cases=MappingProxyType(
        {
            UseCase.SCHEDULED: "module",
            UseCase.ON_DEMAND: "module",
            UseCase.COMMAND: NotApplicable("a meter of old has nothing that is switched from afar"),
            UseCase.EVENT: "module",
            UseCase.CLOCK: "gateway",
        }
    ),
)
