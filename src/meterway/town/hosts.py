"""The meters of a street: kinds of load, profiles, how each is reached. Pure; the secret is drawn by the caller."""

from __future__ import annotations

from typing import Final

from meterway.meter.api import H1Config, HostConfig, Keys, ListenConfig, LoadKind, MeterConfig, PushConfig
from meterway.town.plan import TownPlan, serial_of

__all__ = ["hosts_of"]

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
