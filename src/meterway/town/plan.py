"""Who lives in a town: serials, kinds of load, how each meter is reached. Pure; the secret is drawn by the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meterway.base.errors import ConfigError
from meterway.meter.api import H1Config, HostConfig, Keys, ListenConfig, LoadKind, MeterConfig, PushConfig

__all__ = ["MAX_HOMES", "MAX_METERS", "Street", "TownPlan", "hosts_of", "serial_of"]

MAX_METERS: Final = 9000
"""One file descriptor a meter's port: what one process may open on common machines."""
MAX_HOMES: Final = 50
"""Homes that one process and one simulated air hold without their meters drowning each other."""
_KINDS: Final = (
    LoadKind.HOUSEHOLD,
    LoadKind.HOUSEHOLD,
    LoadKind.HEAT_PUMP,
    LoadKind.HOUSEHOLD,
    LoadKind.PV,
    LoadKind.HOUSEHOLD,
    LoadKind.HOUSEHOLD,
    LoadKind.BUSINESS,
    LoadKind.HOUSEHOLD,
    LoadKind.PV,
)
_PROFILES: Final = ("idis", "idis", "smr5")
_HDLC_EVERY: Final = 5
_DRIFTS: Final = (0.0, 4.0, -3.0, 9.0, -12.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TownPlan:
    """How big the town is. ``push_port`` is where its meters send alarms, 0 nowhere.

    ``homes`` have a gateway (LNAP) and gas, water and heat meters behind it.
    """

    meters: int = 200
    displays: int = 10
    homes: int = 0
    push_port: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.meters <= MAX_METERS:
            raise ConfigError(f"a town on one machine has 1 to {MAX_METERS} meters, not {self.meters}")
        if not self.displays >= 0:
            raise ConfigError(f"{self.displays} displays")
        if not 0 <= self.homes <= MAX_HOMES:
            raise ConfigError(f"a town on one machine has 0 to {MAX_HOMES} homes, not {self.homes}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """How one meter of the town is reached, as the street's process reports it."""

    serial: str
    system_title: str
    transport: str
    port: int
    server: int
    profile: str
    h1_port: int = 0


def serial_of(number: int) -> str:
    """The serial of the town's meter ``number`` (1 the first): ``M0007``."""
    return f"M{number:04d}"


def hosts_of(plan: TownPlan, secret: bytes) -> tuple[HostConfig, HostConfig]:
    """The meters that speak the wrapper and those that speak HDLC, every one with keys of its own."""
    meters = [_meter(number, secret) for number in range(1, plan.meters + 1)]
    hdlc = [meter for index, meter in enumerate(meters) if index % _HDLC_EVERY == _HDLC_EVERY - 1]
    tcp = [meter for index, meter in enumerate(meters) if index % _HDLC_EVERY != _HDLC_EVERY - 1]
    push = PushConfig(address="127.0.0.1", port=plan.push_port, randomise_s=2.0) if plan.push_port else None
    h1 = H1Config(port=0, meters=min(plan.displays, len(tcp))) if plan.displays else None
    return (
        HostConfig(meters=tuple(tcp), listen=(ListenConfig(port=0),), h1=h1, push=push),
        HostConfig(meters=tuple(hdlc), listen=(ListenConfig(port=0, transport="hdlc"),), push=push),
    )


def _meter(number: int, secret: bytes) -> MeterConfig:
    serial = serial_of(number)
    return MeterConfig(
        serial=serial,
        keys=Keys.derive(secret, serial),
        kind=_KINDS[number % len(_KINDS)],
        drift_ppm=_DRIFTS[number % len(_DRIFTS)],
        country=_PROFILES[number % len(_PROFILES)],
    )
