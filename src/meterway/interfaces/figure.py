"""The interfaces as a table; a label is derived from the pair of entities it joins and the network between them.

The endpoints of H1 stand in public sources; those of H2, H3, M, C, L and G2 are standard knowledge; that N, G1 and I
are what they are here is our own reading. Should one be wrong, a row changes here and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from meterway.base.errors import ConfigError

__all__ = ["INTERFACES", "Entity", "Interface", "Network", "Status", "interface_of", "label_of"]


class Entity(Enum):
    """A functional entity of the figure; several may live in one device."""

    METER = "metering end device"
    DISPLAY = "simple external consumer display"
    HOME = "home automation end device"
    LNAP = "local network access point"
    NNAP = "neighbourhood network access point"
    HEAD_END = "central communication system"


class Network(Enum):
    """Where a link runs: in the premises, among premises, over a wide area."""

    LOCAL = "local network"
    NEIGHBOURHOOD = "neighbourhood network"
    WIDE = "wide area network"


class Status(Enum):
    """How sure the endpoints of a label are."""

    PUBLIC = "endpoints from public sources"
    STANDARD = "standard knowledge"
    OURS = "our own reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One interface: ``one_way`` runs from ``near`` to ``far`` only. ``lives`` says whether this release speaks it."""

    label: str
    near: Entity
    far: Entity
    network: Network
    status: Status
    stacks: tuple[str, ...]
    links: tuple[str, ...]
    security: str
    one_way: bool = False

    @property
    def lives(self) -> bool:
        """Whether a stack of this release speaks it."""
        return bool(self.stacks)

    @property
    def between(self) -> str:
        """Both ends in words."""
        return f"{self.near.value} – {self.far.value}"


def _row(
    label: str,
    near: Entity,
    far: Entity,
    network: Network,
    status: Status,
    *,
    stacks: tuple[str, ...] = (),
    links: tuple[str, ...] = (),
    security: str = "",
    one_way: bool = False,
) -> Interface:
    return Interface(
        label=label,
        near=near,
        far=far,
        network=network,
        status=status,
        stacks=stacks,
        links=links,
        security=security,
        one_way=one_way,
    )


_METER, _DISPLAY, _HOME = Entity.METER, Entity.DISPLAY, Entity.HOME
_LNAP, _NNAP, _HES = Entity.LNAP, Entity.NNAP, Entity.HEAD_END

INTERFACES: Final[tuple[Interface, ...]] = (
    _row(
        "H1",
        _METER,
        _DISPLAY,
        Network.LOCAL,
        Status.PUBLIC,
        stacks=("p1",),
        links=("tcp",),
        security="one way by construction; AES-GCM with the customer's key where the country has it",
        one_way=True,
    ),
    _row(
        "H2",
        _LNAP,
        _HOME,
        Network.LOCAL,
        Status.STANDARD,
        stacks=("mqtt", "dlms"),
        links=("tcp", "tls"),
        security="TLS and credentials of each home; DLMS: keys of the consumer's party; values out, nothing in",
    ),
    _row(
        "H3",
        _NNAP,
        _HOME,
        Network.NEIGHBOURHOOD,
        Status.STANDARD,
        stacks=("neighbourhood", "dlms"),
        links=("simulated neighbourhood network",),
        security="DLMS security suite 0, HLS 5 GMAC, end to end; broadcasts under the group's key; joining as on C",
    ),
    _row(
        "M",
        _METER,
        _LNAP,
        Network.LOCAL,
        Status.STANDARD,
        stacks=("mbus", "dlms"),
        links=("radio", "two-wire bus", "serial"),
        security="OMS profiles A, B and D: AES-CBC, AES-CBC with CMAC, AES-CCM; a key for each meter",
    ),
    _row(
        "C",
        _METER,
        _NNAP,
        Network.NEIGHBOURHOOD,
        Status.STANDARD,
        stacks=("neighbourhood", "dlms"),
        links=("simulated neighbourhood network",),
        security="DLMS security suite 0, end to end or to the concentrator; joining as the profile has it",
    ),
    _row(
        "L",
        _LNAP,
        _NNAP,
        Network.NEIGHBOURHOOD,
        Status.STANDARD,
        stacks=("neighbourhood", "dlms"),
        links=("simulated neighbourhood network",),
        security="DLMS security suite 0, HLS 5 GMAC, end to end to the gateway; joining as the profile has it",
    ),
    _row(
        "N",
        _NNAP,
        _NNAP,
        Network.NEIGHBOURHOOD,
        Status.OURS,
        stacks=("dlms",),
        links=("tcp", "simulated neighbourhood network"),
        security="what is carried is protected end to end; the line itself has no protection of its own",
    ),
    _row(
        "G1",
        _LNAP,
        _HES,
        Network.WIDE,
        Status.OURS,
        stacks=("dlms",),
        links=("tcp",),
        security="DLMS security suite 0, HLS 5 GMAC, authenticated encryption",
    ),
    _row(
        "G2",
        _NNAP,
        _HES,
        Network.WIDE,
        Status.STANDARD,
        stacks=("dlms",),
        links=("tcp",),
        security="DLMS security suite 0, HLS 5 GMAC, authenticated encryption; what is for a meter passes unopened",
    ),
    _row(
        "I",
        _METER,
        _HES,
        Network.WIDE,
        Status.OURS,
        stacks=("dlms",),
        links=("tcp", "udp"),
        security="DLMS security suite 0, HLS 5 GMAC, authenticated encryption, end to end",
    ),
)
"""Every interface of the figure, once."""

_BY_PAIR: Final = {(row.near, row.far, row.network): row for row in INTERFACES}
_BY_LABEL: Final = {row.label: row for row in INTERFACES}


def label_of(one: Entity, other: Entity, network: Network) -> str:
    """The label of the link between two entities over a network, in either order; ConfigError if there is none."""
    found = _BY_PAIR.get((one, other, network)) or _BY_PAIR.get((other, one, network))
    if found is None:
        raise ConfigError(f"no interface joins {one.value} and {other.value} over the {network.value}")
    return found.label


def interface_of(label: str) -> Interface:
    """The interface of a label; ConfigError if there is none."""
    found = _BY_LABEL.get(label)
    if found is None:
        raise ConfigError(f"{label!r} is no interface; there are {', '.join(_BY_LABEL)}")
    return found
