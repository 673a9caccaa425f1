"""What upper floors may ask of a gateway: run it, see it, bind meters, give orders; plain values."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.base.units import symbol_of
from meterway.interfaces.mbus.device import Fate
from meterway.interfaces.mbus.keys import derive, title_of
from meterway.interfaces.mbus.meters import Bound, Link, Profile
from meterway.interfaces.mbus.mirror import Order, OrderState
from meterway.interfaces.mbus.settings import MeterConfig, RadioConfig, address_of
from meterway.lnap.config import FirmwareConfig, LnapConfig, PartyConfig, TariffConfig, load_config
from meterway.lnap.links_config import BusConfig, MqttConfig, PushConfig, SideConfig, UplinkConfig
from meterway.lnap.sample import SAMPLE, sample
from meterway.lnap.serve import Lnap
from meterway.lnap.slots import Slots
from meterway.mapping.mbus_cosem import companion_of
from meterway.mapping.party_keys import device_name
from meterway.stacks.mbus.application import Switch, change_key, switch

__all__ = [
    "SAMPLE",
    "Bound",
    "BusConfig",
    "Fate",
    "FirmwareConfig",
    "Lnap",
    "LnapConfig",
    "MeterConfig",
    "MeterView",
    "MqttConfig",
    "Order",
    "OrderState",
    "PartyConfig",
    "Profile",
    "PushConfig",
    "RadioConfig",
    "SideConfig",
    "TariffConfig",
    "UplinkConfig",
    "ValueView",
    "accept",
    "address_of",
    "load_config",
    "meters",
    "order_valve",
    "profile_of",
    "registry_rows",
    "registry_rows_of",
    "replay",
    "rotate_key",
    "sample",
    "serve_lnap",
    "slots_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueView:
    """One mirrored value: scaled number, unit, age in seconds, quality bits (0 good)."""

    obis: Obis
    value: float
    unit: str
    age_s: int
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterView:
    """One meter of the white list."""

    channel: int
    address: str
    medium: str
    link: str
    telegrams: int
    refused: int
    silent: bool
    rssi_dbm: float | None
    values: tuple[ValueView, ...]
    orders: int
    """How many orders wait for it."""


@asynccontextmanager
async def serve_lnap(config: LnapConfig, *, unix: Callable[[], float] = time.time) -> AsyncIterator[Lnap]:
    """Run a gateway while the block lasts; ``lnap.ports`` says where each side is served."""
    lnap = Lnap(config, unix=unix)
    await lnap.start()
    try:
        yield lnap
    finally:
        await lnap.stop()


def replay(config: LnapConfig, telegrams: Iterable[tuple[float, Link, bytes, str]], *, until_s: float) -> int:
    """Let a gateway that is not running live through telegrams of the past; how many it took values from.

    Each is (Unix seconds, link, octets, radio mode), in order of time. Readings are captured at every period up to
    ``until_s`` as if it had been running; what it knows then is in its file for the next start.
    """
    clock = [0.0]
    lnap: Lnap | None = None
    taken = 0
    for clock[0], link, octets, mode in telegrams:
        if lnap is None:
            lnap = Lnap(config, unix=lambda: clock[0])
            lnap.restore()
        lnap.ledger.capture(clock[0])
        heard = lnap.gateway.receive(octets, link=link, now=clock[0], mode=mode)
        lnap.ledger.heard(heard)
        taken += heard.fate is Fate.STORED
    if lnap is not None:
        clock[0] = until_s
        lnap.ledger.capture(until_s)
        lnap.ledger.save()
        lnap.spool.close()
    return taken


def slots_of(config: LnapConfig) -> Slots:
    """Where a gateway keeps its firmware; ConfigError if its settings have no place for it, or no maker's key."""
    if config.update is None:
        raise ConfigError("update: the settings have no place for firmware")
    config.update.key()
    return Slots(Path(config.update.folder))


def meters(lnap: Lnap) -> list[MeterView]:
    """The white list as it stands."""
    return [_view(lnap, lnap.gateway.channels[channel]) for channel in sorted(lnap.gateway.channels)]


def _view(lnap: Lnap, meter: Bound) -> MeterView:
    now = lnap.now()
    values = tuple(
        ValueView(
            obis=one.obis,
            value=one.raw * 10.0**one.scaler,
            unit=symbol_of(one.unit),
            age_s=max(int(now - one.received_s), 0),
            quality=one.quality,
        )
        for one in lnap.gateway.mirror.of(meter.channel)
    )
    return MeterView(
        channel=meter.channel,
        address=meter.name,
        medium=meter.address.medium,
        link=meter.link,
        telegrams=meter.telegrams,
        refused=meter.refused,
        silent=meter.silent,
        rssi_dbm=meter.rssi_dbm,
        values=values,
        orders=len(lnap.gateway.mailbox.waiting(meter.channel)),
    )


def accept(
    lnap: Lnap, address: str, *, key: bytes = b"", channel: int | None = None, security: Profile = Profile.B
) -> int:
    """Bind a proposed meter; its channel. ConfigError if nobody proposed it."""
    keys = (key,) if key else ()
    meter = lnap.gateway.accept(address_of(address), keys=keys, channel=channel, security=security, now=lnap.now())
    lnap.ledger.keep_meter(meter)
    return meter.channel


def order_valve(lnap: Lnap, channel: int, *, connect: bool, by: str = "") -> Order:
    """Order a valve to close or to be released when the meter listens next."""
    payload = switch(Switch.CLOSED if connect else Switch.OPEN).encode()
    return _order(lnap, channel, "valve", payload, "connect" if connect else "disconnect", by)


def rotate_key(lnap: Lnap, channel: int, key: bytes, *, by: str = "") -> Order:
    """Give a meter a new key, wrapped under the one it has; it is in use here as soon as the meter uses it."""
    meter = lnap.gateway.channel(channel)
    if not meter.keys:
        raise ConfigError(f"channel {channel} has no key to wrap a new one under")
    payload = change_key(key, meter.keys[0]).encode()
    lnap.gateway.set_key(channel, key, lnap.now())
    lnap.ledger.keep_meter(meter)
    return _order(lnap, channel, "key", payload, "rotation", by)


def _order(lnap: Lnap, channel: int, kind: str, payload: bytes, detail: str, by: str) -> Order:
    order = lnap.gateway.order(
        channel, kind, payload, now=lnap.now(), valid_s=lnap.config.order_valid_s, detail=detail, by=by
    )
    lnap.ledger.keep_orders(channel)
    if lnap.gateway.channel(channel).link == "wired":
        lnap.site.poll(channel)
    return order


def profile_of(meter: Bound) -> str:
    """The companion profile a head end reads a meter by."""
    return companion_of(meter.device_type).profile


def registry_rows(
    lnap: Lnap, party: str, *, host: str = "127.0.0.1", channels: Sequence[int] = ()
) -> list[dict[str, str]]:
    """The rows of a head end's device registry for the gateway and its meters, as a party reaches them.

    They hold that party's keys. ConfigError if it is no party.
    """
    found = _party(lnap.config, party)
    if found.side not in lnap.ports:
        raise ConfigError(f"{party}: the {found.side} side has no port")
    chosen = channels or (0, *sorted(lnap.gateway.channels))
    known = {channel: lnap.gateway.channel(channel) for channel in chosen if channel}
    return [_row(lnap.config, found, known.get(channel), host, lnap.ports[found.side]) for channel in chosen]


def registry_rows_of(config: LnapConfig, party: str) -> list[dict[str, str]]:
    """The same for a gateway that need not run: itself and the meters its settings list."""
    found = _party(config, party)
    side: SideConfig | None = getattr(config, found.side)
    if side is None:
        raise ConfigError(f"{party}: the {found.side} side has no port")
    bound = sorted((meter.bound() for meter in config.meters), key=lambda meter: meter.channel)
    return [_row(config, found, meter, side.host, side.port) for meter in (None, *bound)]


def _party(config: LnapConfig, name: str) -> PartyConfig:
    found = next((one for one in config.parties if one.name == name), None)
    if found is None:
        raise ConfigError(f"{name} is no party")
    return found


def _row(config: LnapConfig, party: PartyConfig, meter: Bound | None, host: str, port: int) -> dict[str, str]:
    name = meter.name if meter else config.serial
    keys = derive(party.octets, party.name, device_name(config.serial, name))
    title = title_of(config.flag, device_name(config.serial, name) if meter else name)
    return {
        "serial": name,
        "system_title": title.hex(),
        "profile": profile_of(meter) if meter else "lnap",
        "transport": "tcp",
        "host": host,
        "port": str(port),
        "sap": str(config.first_sap + (meter.channel if meter else 0)),
        "client": str(party.client),
        "guek": keys.guek.hex(),
        "gak": keys.gak.hex(),
    }
