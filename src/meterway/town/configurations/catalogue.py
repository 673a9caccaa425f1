"""The configurations as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from meterway.base.errors import ConfigError
from meterway.interfaces import Network
from meterway.town.configurations.collected import COLLECTED
from meterway.town.configurations.locally_read import LOCALLY_READ
from meterway.town.configurations.neighbours import NEIGHBOURS
from meterway.town.configurations.retrofitted import RETROFITTED
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

__all__ = ["CONFIGURATIONS", "configuration_of"]

_LOCAL, _NEAR, _WIDE = Network.LOCAL, Network.NEIGHBOURHOOD, Network.WIDE
_OPERATOR: Final = Access(party="operator")
_HES: Final = Part(name="head end", kind=Kind.HEAD_END, every=0)


def _cases(part: str | NotApplicable, **others: str | NotApplicable) -> MappingProxyType[UseCase, str | NotApplicable]:
    """Every use case through one part, but for those named otherwise."""
    return MappingProxyType({case: others.get(case.name.lower(), part) for case in UseCase})


_METER: Final = Part(name="meter", kind=Kind.ELECTRICITY)
_GAS: Final = Part(name="gas", kind=Kind.GAS)
_WATER: Final = Part(name="water", kind=Kind.WATER)
_HEAT: Final = Part(name="heat", kind=Kind.HEAT)
_GATEWAY: Final = Part(name="gateway", kind=Kind.GATEWAY)
_DISPLAY: Final = Part(name="display", kind=Kind.DISPLAY)

_TO_DISPLAY: Final = Link(near="meter", far="display", network=_LOCAL, carrier=Carrier.P1)
_GAS_BY_RADIO: Final = Link(near="gas", far="gateway", network=_LOCAL, carrier=Carrier.RADIO)
_WATER_BY_RADIO: Final = Link(near="water", far="gateway", network=_LOCAL, carrier=Carrier.RADIO)
_HEAT_BY_WIRE: Final = Link(near="heat", far="gateway", network=_LOCAL, carrier=Carrier.WIRE)
_GATEWAY_TO_HES: Final = Link(near="gateway", far="head end", network=_WIDE, carrier=Carrier.TCP, access=_OPERATOR)

_P1: Final = Configuration(
    label="P1",
    title="meter with a modem of its own, direct to the head end",
    met_as="electricity meters over GPRS, LTE or NB-IoT; large consumers",
    parts=(_METER, _DISPLAY, _HES),
    links=(Link(near="meter", far="head end", network=_WIDE, carrier=Carrier.TCP), _TO_DISPLAY),
    cases=_cases("meter"),
)
_CONCENTRATOR: Final = Part(name="concentrator", kind=Kind.CONCENTRATOR, every=0)
_ON_PRIME: Final = Link(near="meter", far="concentrator", network=_NEAR, carrier=Carrier.PRIME)
_CONCENTRATOR_TO_HES: Final = Link(
    near="concentrator", far="head end", network=_WIDE, carrier=Carrier.TCP, access=_OPERATOR
)
_TO_MANAGER: Final = Link(
    near="gateway",
    far="manager",
    network=_LOCAL,
    carrier=Carrier.TCP,
    access=Access(party="consumer", rights=("read",), sees_gateway=False),
)

_P2: Final = Configuration(
    label="P2",
    title="meters on a neighbourhood network behind a concentrator",
    met_as="French Linky, Spanish PRIME, Italian first chain, radio meshes",
    parts=(_METER, _CONCENTRATOR, _HES),
    links=(_ON_PRIME, _CONCENTRATOR_TO_HES),
    cases=_cases("meter", clock="concentrator"),
)
_P3: Final = Configuration(
    label="P3",
    title="meters behind a gateway in the home, the gateway direct to the head end",
    met_as="German smart meter gateway, British communications hub",
    parts=(
        _GAS,
        _WATER,
        _HEAT,
        _GATEWAY,
        Part(name="manager", kind=Kind.MANAGER),
        _HES,
    ),
    links=(
        _GAS_BY_RADIO,
        _WATER_BY_RADIO,
        _HEAT_BY_WIRE,
        _GATEWAY_TO_HES,
        _TO_MANAGER,
    ),
    cases=_cases("gas", clock="gateway"),
)
_P4: Final = Configuration(
    label="P4",
    title="meters behind a gateway in the home, the gateway behind a concentrator",
    met_as="a gateway on a power line network whose concentrator passes it on",
    parts=(_GAS, _WATER, _HEAT, _GATEWAY, Part(name="manager", kind=Kind.MANAGER), _CONCENTRATOR, _HES),
    links=(
        _GAS_BY_RADIO,
        _WATER_BY_RADIO,
        _HEAT_BY_WIRE,
        Link(near="gateway", far="concentrator", network=_NEAR, carrier=Carrier.PRIME, access=_OPERATOR),
        _CONCENTRATOR_TO_HES,
        _TO_MANAGER,
    ),
    cases=_cases("gas", clock="gateway"),
)
_P5: Final = Configuration(
    label="P5",
    title="gateway inside the electricity meter, gas, water and heat meters attached to it",
    met_as="Dutch and Austrian meters as M-Bus masters, IDIS multi-utility",
    parts=(
        _METER,
        Part(name="gateway", kind=Kind.GATEWAY, inside="meter"),
        _GAS,
        _WATER,
        _HEAT,
        Part(name="warm water", kind=Kind.WATER),
        _DISPLAY,
        _HES,
    ),
    links=(
        Link(near="meter", far="head end", network=_WIDE, carrier=Carrier.TCP),
        _GATEWAY_TO_HES,
        _GAS_BY_RADIO,
        _WATER_BY_RADIO,
        _HEAT_BY_WIRE,
        Link(near="warm water", far="gateway", network=_LOCAL, carrier=Carrier.WIRE),
        _TO_DISPLAY,
    ),
    cases=_cases("gas", clock="meter"),
)
_P6: Final = Configuration(
    label="P6",
    title="gateway inside an electricity meter that is behind a concentrator",
    met_as="IDIS meters on a power line with gas, water and heat meters attached by M-Bus",
    parts=(
        _METER,
        Part(name="gateway", kind=Kind.GATEWAY, inside="meter"),
        _GAS,
        _WATER,
        _HEAT,
        _DISPLAY,
        _CONCENTRATOR,
        _HES,
    ),
    links=(
        _ON_PRIME,
        Link(near="gateway", far="concentrator", network=None, carrier=Carrier.PRIME, access=_OPERATOR),
        _GAS_BY_RADIO,
        _WATER_BY_RADIO,
        _HEAT_BY_WIRE,
        _TO_DISPLAY,
        _CONCENTRATOR_TO_HES,
    ),
    cases=_cases("gas", clock="concentrator"),
)
_P8: Final = Configuration(
    label="P8",
    title="concentrators behind a concentrator",
    met_as="roots of radio meshes behind a relay, backbones over medium voltage lines",
    parts=(
        _METER,
        Part(name="concentrator", kind=Kind.CONCENTRATOR, every=3),
        Part(name="upper concentrator", kind=Kind.CONCENTRATOR, every=0),
        _HES,
    ),
    links=(
        _ON_PRIME,
        Link(near="concentrator", far="upper concentrator", network=_NEAR, carrier=Carrier.TCP),
        Link(near="upper concentrator", far="head end", network=_WIDE, carrier=Carrier.TCP, access=_OPERATOR),
    ),
    cases=_cases("meter", clock="concentrator"),
)
_P9: Final = Configuration(
    label="P9",
    title="load controllers in homes behind a concentrator, on the network of the meters",
    met_as="load control from the substation in place of ripple control: boilers, heat pumps, charge points",
    parts=(_METER, Part(name="load", kind=Kind.LOAD), _CONCENTRATOR, _HES),
    links=(
        _ON_PRIME,
        Link(near="load", far="concentrator", network=_NEAR, carrier=Carrier.PRIME),
        _CONCENTRATOR_TO_HES,
    ),
    cases=_cases("load"),
)
_P10: Final = Configuration(
    label="P10",
    title="a display at the meter and nothing else",
    met_as="French TIC, Dutch and Belgian P1, Nordic HAN ports before any remote reading",
    parts=(_METER, _DISPLAY),
    links=(_TO_DISPLAY,),
    cases=_cases(
        "display",
        on_demand=NotApplicable("H1 runs one way: a display hears what the meter tells and cannot ask"),
        command=NotApplicable("H1 runs one way: nothing is told to a meter over it"),
    ),
)
_P11: Final = Configuration(
    label="P11",
    title="several premises share one gateway",
    met_as="apartment houses: heat cost and water meters of all flats behind one gateway",
    parts=(_WATER, _HEAT, Part(name="gateway", kind=Kind.GATEWAY, every=3), _HES),
    links=(_WATER_BY_RADIO, _HEAT_BY_WIRE, _GATEWAY_TO_HES),
    cases=_cases(
        "water",
        command=NotApplicable("water and heat meters have nothing that is switched"),
        clock="gateway",
    ),
)
_P12: Final = Configuration(
    label="P12",
    title="operators of several utilities share one gateway, each with a head end of its own",
    met_as="Italian multi-service trials, one British hub for gas and electricity",
    parts=(
        _GAS,
        _WATER,
        _GATEWAY,
        Part(name="gas head end", kind=Kind.HEAD_END, every=0),
        Part(name="water head end", kind=Kind.HEAD_END, every=0),
    ),
    links=(
        _GAS_BY_RADIO,
        _WATER_BY_RADIO,
        Link(
            near="gateway",
            far="gas head end",
            network=_WIDE,
            carrier=Carrier.TCP,
            access=Access(party="gas operator", parts=("gas",)),
        ),
        Link(
            near="gateway",
            far="water head end",
            network=_WIDE,
            carrier=Carrier.TCP,
            access=Access(party="water operator", parts=("water",), rights=("read",), sees_gateway=False),
        ),
    ),
    cases=_cases("gas", clock="gateway"),
)
_P15: Final = Configuration(
    label="P15",
    title="several head ends over one gateway, each a party with keys and rights of its own",
    met_as="external market participants through a gateway's administrator",
    parts=(
        _GAS,
        _WATER,
        _GATEWAY,
        _HES,
        Part(name="supplier", kind=Kind.HEAD_END, every=0),
    ),
    links=(
        _GAS_BY_RADIO,
        _WATER_BY_RADIO,
        _GATEWAY_TO_HES,
        Link(
            near="gateway",
            far="supplier",
            network=_WIDE,
            carrier=Carrier.TCP,
            access=Access(party="supplier", rights=("read",), sees_gateway=False),
        ),
    ),
    cases=_cases("gas", clock="gateway"),
)

_ALL: Final = (_P1, _P2, _P3, _P4, _P5, _P6, COLLECTED, _P8, _P9, _P10, _P11, _P12, RETROFITTED, LOCALLY_READ, _P15)
CONFIGURATIONS: Final = {each.label: each for each in _ALL}
"""By label, in order."""


def configuration_of(label: str) -> Configuration:
    """The configuration of a label, or the demonstration town's neighbourhood; ConfigError if there is none."""
    found = NEIGHBOURS if label == NEIGHBOURS.label else CONFIGURATIONS.get(label.upper())
    if found is None:
        raise ConfigError(f"{label!r} is no configuration; there are {', '.join(CONFIGURATIONS)}")
    return found
