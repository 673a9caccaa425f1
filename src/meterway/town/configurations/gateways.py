"""Gateways (LNAP) with the gas, water and heat meters behind them: a simulated air, simulated wires, real telegrams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from meterway.base.errors import ConfigError, LinkError
from meterway.interfaces import Entity
from meterway.lnap.api import (
    BusConfig,
    Lnap,
    LnapConfig,
    MeterConfig,
    PartyConfig,
    PushConfig,
    RadioConfig,
    SideConfig,
    UplinkConfig,
    registry_rows,
)
from meterway.meter.mbus import api as mbus
from meterway.stacks.dlms.server import LogicalDevice
from meterway.stacks.neighbourhood.station import Station as NodeStation
from meterway.town.configurations.messages import Carried, FieldOrder, Port, Way
from meterway.town.configurations.on_air import OnAir, meter_happens, until
from meterway.town.configurations.plan import Layout, Placed, party_secret, secret_of
from meterway.town.configurations.shape import Carrier, Kind, Link

__all__ = ["HOUSED_SAP", "UTILITIES", "Gateways"]

HOUSED_SAP: Final = 17
"""The logical device of a gateway that lives in a meter: 1 to 16 are the meter's own."""

UTILITIES: Final = {
    Kind.GAS: mbus.Utility.GAS,
    Kind.WATER: mbus.Utility.WATER,
    Kind.HEAT: mbus.Utility.HEAT,
    Kind.MODULE: mbus.Utility.ELECTRICITY,
}
_MODES: Final[dict[Kind, str]] = {Kind.GAS: "T1", Kind.WATER: "C1", Kind.HEAT: "T1", Kind.MODULE: "T1"}
_APART_M: Final = 60.0
_POLL_S: Final = 10.0
_HEARD_S: Final = 30.0


UplinkOf = Callable[[Placed], tuple[UplinkConfig, Callable[[bytes], NodeStation]] | None]
"""Gives the place of a gateway behind a concentrator and how its station there is made; None for any other."""


class Gateways:
    """Starts meters and gateways; ``start`` returns when every gateway has heard its meters."""

    def __init__(self, layout: Layout, order: FieldOrder, uplink: UplinkOf = lambda _: None) -> None:
        self._layout = layout
        self._uplink = uplink
        self._order = order
        self._secret = bytes.fromhex(order.secret)
        self._air = OnAir(Entity.LNAP, self._place)
        self._hosts: list[mbus.MbusHost] = []
        self.lnaps: dict[str, Lnap] = {}
        """The gateways by serial."""
        self._legacy = mbus.LegacyHost(
            tuple(mbus.LegacyConfig(serial=thing.serial) for thing in layout.of(Kind.LEGACY))
        )

    async def start(self) -> None:
        """Bring everything up; LinkError if a gateway does not hear its meters in time."""
        if not self._layout.of(Kind.GATEWAY):
            return
        await self._legacy.start()
        if self._layout.links(Carrier.RADIO):
            await self._air.open(self._on_air())
        for gateway in self._layout.of(Kind.GATEWAY):
            await self._gateway(gateway)
        await self._until_heard()

    async def stop(self) -> None:
        """Stop everything."""
        for lnap in self.lnaps.values():
            await lnap.stop()
        for host in self._hosts:
            await host.stop()
        await self._legacy.stop()
        await self._air.stop()

    # -- meters -------------------------------------------------------------------------------------------------------

    def _behind(self, gateway: Placed, *carriers: Carrier) -> list[tuple[Placed, Carrier]]:
        """The meters of a gateway in the order of its channels."""
        return [
            (near, link.carrier)
            for link in self._layout.links(*(carriers or (Carrier.RADIO, Carrier.WIRE)))
            for near, far in self._layout.joined(link)
            if far.serial == gateway.serial
        ]

    def _on_air(self) -> list[mbus.MeterConfig]:
        return [
            self._meter(meter, carrier)
            for gateway in self._layout.of(Kind.GATEWAY)
            for meter, carrier in self._behind(gateway, Carrier.RADIO)
        ]

    def _meter(self, meter: Placed, carrier: Carrier, primary: int = 0) -> mbus.MeterConfig:
        utility = UTILITIES[meter.part.kind]
        if carrier is Carrier.WIRE:
            return mbus.MeterConfig(ident=meter.serial, utility=utility, security=0, primary=primary)
        return mbus.MeterConfig(
            ident=meter.serial,
            utility=utility,
            key=secret_of(self._secret, "meter", meter.serial)[:16].hex(),
            valve=utility is mbus.Utility.GAS,
            radio=_MODES[meter.part.kind],  # type: ignore[arg-type]
            interval_s=self._order.speak_s,
            reads=self._optical_port(meter),
            reads_every_s=max(self._order.speak_s, 1.0),
        )

    def _sits_on(self, module: Placed) -> str:
        """The serial of the meter of old that a module is fitted to; empty if it is no module."""
        for link in self._layout.links(Carrier.OPTICAL):
            for near, far in self._layout.joined(link):
                if far.serial == module.serial:
                    return near.serial
        return ""

    def _optical_port(self, module: Placed) -> str:
        port = self._legacy.ports.get(self._sits_on(module))
        return f"127.0.0.1:{port}" if port else ""

    async def _host(self, config: mbus.HostConfig) -> mbus.MbusHost:
        host = mbus.MbusHost(config)
        await host.start()
        self._hosts.append(host)
        return host

    def _place(self, ident: str) -> tuple[float, float, float]:
        """Some metres from the gateway of the same premises."""
        thing = next(one for one in self._layout.things if one.serial == ident)
        return _middle(thing) * _APART_M + int(ident[0]), 3.0, 0.0

    # -- gateways -----------------------------------------------------------------------------------------------------

    async def _gateway(self, gateway: Placed) -> None:
        wired = [meter for meter, _ in self._behind(gateway, Carrier.WIRE)]
        buses: tuple[BusConfig, ...] = ()
        if wired:
            meters = tuple(self._meter(meter, Carrier.WIRE, place) for place, meter in enumerate(wired, 1))
            host = await self._host(mbus.HostConfig(meters=meters, bus_port=0))
            buses = (BusConfig(port=host.bus_port or 0, poll_s=_POLL_S),)
        uplink = self._uplink(gateway)
        config = self.settings(gateway, buses, None if uplink is None else uplink[0])
        lnap = Lnap(config) if uplink is None else Lnap(config, station=uplink[1])
        await lnap.start()
        self.lnaps[gateway.serial] = lnap

    def housed(self) -> dict[str, Lnap]:
        """The gateways that live in a meter, by the meter's serial."""
        return {
            host.serial: self.lnaps[gateway.serial]
            for gateway in self._layout.of(Kind.GATEWAY)
            for host in self._layout.named(gateway.part.inside)
            if gateway.serves(host.premises) and gateway.serial in self.lnaps
        }

    def device(self, serial: str, sap: int) -> LogicalDevice | None:
        """What a meter's port gives of the gateway that lives in the meter."""
        lnap = self.housed().get(serial)
        return None if lnap is None else lnap.logical("wan", sap)

    def settings(self, gateway: Placed, buses: tuple[BusConfig, ...], uplink: UplinkConfig | None = None) -> LnapConfig:
        """The settings of a gateway: its meters, and a party for each link that gives access to somebody."""
        parties = tuple(self._parties(gateway))
        by_radio = self._behind(gateway, Carrier.RADIO)
        return LnapConfig(
            serial=gateway.serial,
            ident=f"9{int(gateway.serial[-4:]):07d}",
            store=str(Path(self._order.folder) / f"{gateway.serial}.sqlite"),
            master_key=str(Path(self._order.folder) / f"{gateway.serial}.key"),
            first_sap=HOUSED_SAP if gateway.part.inside else 1,
            wan=None if gateway.part.inside or uplink is not None else SideConfig(port=0),
            uplink=uplink,
            home=SideConfig(port=0) if any(party.side == "home" for party in parties) else None,
            parties=parties,
            meters=tuple(
                self._listed(meter, carrier, channel)
                for channel, (meter, carrier) in enumerate(self._behind(gateway), 1)
            ),
            radios=(self._radio(gateway),) if by_radio else (),
            buses=buses,
            push=self._push(gateway, is_behind=uplink is not None),
        )

    def _radio(self, gateway: Placed) -> RadioConfig:
        place = (_middle(gateway) * _APART_M, 0.0, 0.0)
        return RadioConfig(port=self._air.port, station=gateway.serial, place=place)

    def _accesses(self, gateway: Placed) -> list[Link]:
        return [link for link in self._layout.configuration.links if link.near == gateway.part.name and link.access]

    def _parties(self, gateway: Placed) -> list[PartyConfig]:
        found = []
        for client, link in enumerate(self._accesses(gateway), 1):
            if link.access is None:
                continue
            to_home = self._layout.configuration.part(link.far).kind is Kind.MANAGER
            found.append(
                PartyConfig(
                    name=link.access.party,
                    client=client,
                    secret=party_secret(self._secret, gateway.serial, link.access.party).hex(),
                    side="home" if to_home else "wan",
                    channels=self._channels(gateway, link) if link.access.parts else "all",
                    rights=link.access.rights,
                    sees_gateway=link.access.sees_gateway,
                )
            )
        return found

    def _channels(self, gateway: Placed, link: Link) -> tuple[int, ...]:
        wanted = link.access.parts if link.access is not None else ()
        return tuple(
            channel
            for channel, (meter, _) in enumerate(self._behind(gateway), 1)
            if not wanted or meter.part.name in wanted
        )

    def _push(self, gateway: Placed, *, is_behind: bool) -> PushConfig | None:
        """Events go to the first head end that administers the gateway, or to the concentrator it is behind."""
        for link in self._accesses(gateway):
            if link.access is None or not link.access.sees_gateway:
                continue
            if link.far in self._order.push:
                return PushConfig(port=self._order.push[link.far], party=link.access.party, retry_s=1.0)
            if is_behind:
                return PushConfig(over="uplink", party=link.access.party, retry_s=1.0, answer_s=2.0)
        return None

    def _listed(self, meter: Placed, carrier: Carrier, channel: int) -> MeterConfig:
        """The meter in its gateway's white list."""
        config = self._meter(meter, carrier)
        if carrier is Carrier.WIRE:
            return MeterConfig(address=str(config.address), channel=channel, link="wired", security="plain")
        return MeterConfig(address=str(config.address), channel=channel, key=config.key)

    # -- hearing ------------------------------------------------------------------------------------------------------

    async def _until_heard(self) -> None:
        wanted = sum(len(self._behind(gateway)) for gateway in self._layout.of(Kind.GATEWAY))
        try:
            async with asyncio.timeout(_HEARD_S):
                await until(lambda: all(len(one.airings) == len(one.config.radios) for one in self.lnaps.values()))
                await self._air.take_in(self._heard)
                await until(lambda: len(self._heard()) == wanted)
        except TimeoutError:
            raise LinkError(f"a gateway did not hear its meters within {_HEARD_S:g} s") from None

    def _heard(self) -> set[str]:
        """The meters that their gateways have values of."""
        return {
            meter.name
            for lnap in self.lnaps.values()
            for meter in lnap.gateway.channels.values()
            if lnap.gateway.mirror.of(meter.channel)
        }

    # -- how they are reached -----------------------------------------------------------------------------------------

    def ways(self) -> list[Way]:
        """How the head ends reach the gateways, or what is behind those that are not theirs to see."""
        return [
            way
            for gateway in self._layout.of(Kind.GATEWAY)
            for link in self._accesses(gateway)
            for head_end in self._layout.configuration.head_ends(link.far)
            for way in self._ways(gateway, link, head_end)
        ]

    def _ways(self, gateway: Placed, link: Link, head_end: str) -> list[Way]:
        access = link.access
        if access is None:
            return []
        channels = self._channels(gateway, link)
        here = self.lnaps[gateway.serial]
        first = here.config.first_sap
        parts = {number: meter.part.name for number, (meter, _) in enumerate(self._behind(gateway), 1)}
        return [
            Way(
                head_end=head_end,
                part=parts.get(int(row["sap"]) - first, gateway.part.name),
                serial=row["serial"],
                system_title=row["system_title"],
                utility="gateway" if row["sap"] == str(first) else row["profile"].removeprefix("mbus-"),
                profile=row["profile"],
                port=int(row["port"]),
                sap=int(row["sap"]),
                client=int(row["client"]),
                party=access.party,
                gateway=gateway.serial,
                inside=next((serial for serial, lnap in self.housed().items() if lnap is here), ""),
                waits=head_end != link.far,
                finds=len(channels) if access.sees_gateway else 0,
            )
            for row in self._rows(gateway, link)
        ]

    def _rows(self, gateway: Placed, link: Link) -> list[dict[str, str]]:
        """The rows of a registry for what a link gives access to."""
        if link.access is None:
            return []
        channels = (0,) if link.access.sees_gateway else self._channels(gateway, link)
        return registry_rows(self.lnaps[gateway.serial], link.access.party, channels=channels)

    def ports(self) -> list[Port]:
        """Where energy managers find their gateways, and what they may ask for."""
        found = []
        for gateway in self._layout.of(Kind.GATEWAY):
            for link in self._accesses(gateway):
                if link.access is None or self._layout.configuration.part(link.far).kind is not Kind.MANAGER:
                    continue
                meters = {row["serial"]: int(row["sap"]) - 1 for row in self._rows(gateway, link)}
                (first, *_) = self._rows(gateway, link)
                found += [
                    Port(
                        part=far.part.name,
                        serial=far.serial,
                        premises=far.premises,
                        port=int(first["port"]),
                        detail={
                            "gateway": gateway.serial,
                            "party": link.access.party,
                            "client": first["client"],
                            "meters": msgspec.json.encode(meters).decode(),
                        },
                    )
                    for near, far in self._layout.joined(link)
                    if near.serial == gateway.serial
                ]
        return found

    def carried(self) -> list[Carried]:
        """What went over the air between meters and gateways."""
        return self._air.carried()

    # -- what happens to them -----------------------------------------------------------------------------------------

    def happen(self, serial: str, what: str, value: float) -> dict[str, float] | None:
        """Let it happen; how the gateway or meter is then. None if it is not here, ConfigError if it cannot be."""
        if serial in self.lnaps:
            return _gateway_happens(self.lnaps[serial], what, value)
        found = [meter_happens(host, serial, what) for host in self._hosts]
        facts = next((one for one in (*found, self._air.happen(serial, what)) if one is not None), None)
        return None if facts is None else facts | self._truth(serial)

    def _truth(self, ident: str) -> dict[str, float]:
        """Of a module, what the meter that it is fitted to shows: not what the module thinks."""
        for module in self._layout.of(Kind.MODULE):
            if module.serial == ident:
                return {"register": float(self._legacy.meters[self._sits_on(module)].energy(time.time()))}
        return {}


def _middle(thing: Placed) -> float:
    """Of the premises that share it."""
    return thing.premises + (thing.shares - 1) / 2


def _gateway_happens(lnap: Lnap, what: str, value: float) -> dict[str, float]:
    if what == "clock":
        lnap.site.clock_offset_s += value
    elif what != "look":
        raise ConfigError(f"{what!r} does not happen to a gateway")
    return {"clock_error_s": lnap.site.clock_offset_s}
