"""Concentrators (NNAP) and the meters on their neighbourhood networks: simulated media, real stations and frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.interfaces import Entity, Network, label_of
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood import preset
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.links.medium.neighbourhood.records import Carried as Transmission
from meterway.links.medium.neighbourhood.records import Route
from meterway.links.medium.neighbourhood.wire import Figures
from meterway.meter.api import EventCode, Keys, Log, MeterConfig
from meterway.meter.nodes import MeterNodes
from meterway.nnap.api import ChildConfig, NetworkConfig, Nnap, NnapConfig, NodeConfig, PartyConfig, PlanConfig, nodes
from meterway.nnap.api import SideConfig as NorthConfig
from meterway.nnap.site import title_of
from meterway.stacks.neighbourhood import prime
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Admit, Coordinator, Station
from meterway.town.configurations.electricity import facts_of
from meterway.town.configurations.messages import Carried, FieldOrder, Way
from meterway.town.configurations.plan import Layout, Placed, party_secret, secret_of
from meterway.town.configurations.shape import Carrier, Kind

__all__ = ["NEIGHBOURHOOD", "Concentrators"]

NEIGHBOURHOOD: Final = {
    Carrier.PRIME: "prime",
    Carrier.G3: "g3",
    Carrier.SFSK: "s-fsk",
    Carrier.MESH: "rf-mesh",
}
"""The profile of each carrier of a neighbourhood network."""
_QUICK: Final = prime.PrimeSettings(
    acknowledge_within_s=1.0,
    frame_lifetime_s=0.5,
    answer_within_s=1.0,
    join_spread_s=0.5,
    beacon_interval_s=2.0,
    beacon_guard_s=0.2,
    broadcast_gap_s=1.0,
)
"""PRIME's waiting times, shortened as the medium is hastened."""
_FLAG: Final = "MWY"
_JOINED_S: Final = 90.0
_LOOK_S: Final = 0.05
_HASTE: Final = 20.0
"""Simulated seconds on the medium for each real one, so that a demonstration need not wait for it."""


class Cell:
    """One neighbourhood network: its medium, the meters on it, and who counts the frames."""

    def __init__(self, profile: str, secret: bytes) -> None:
        self.profile = profile
        self.hub = NeighbourhoodHub(preset(profile, hops=2), time_factor=_HASTE)
        self.frames = self.octets = 0
        self._secret = secret
        self._client = NeighbourhoodClient()
        self._watch = NeighbourhoodClient()
        self.nodes = MeterNodes(LoopClock(time.time), self._station)

    def _station(self, eui: bytes) -> Station:
        if self.profile == "prime":
            return prime.node(eui, _QUICK)
        return PROFILES[self.profile].node(eui, self.key(eui))

    def key(self, eui: bytes) -> bytes:
        """With which a device joins, where the profile has a key."""
        return secret_of(self._secret, "joining", eui.hex())[:16]

    async def open(self) -> int:
        """Open the medium; its port."""
        port = await self.hub.open()
        await self._client.connect(port)
        await self._watch.connect(port)
        return port

    async def count(self) -> None:
        """Begin to count frames: once somebody is on the network."""
        while not self.hub.medium.nodes:  # noqa: ASYNC110  the medium tells nobody
            await asyncio.sleep(_LOOK_S)
        self._watch.watch(self._carried, self._state)

    def add(self, meter: MeterConfig) -> None:
        """Put a meter on the network; node 0 is the concentrator's."""
        number = len(self.nodes.nodes) + 1
        self.nodes.add(meter, lambda: self._client.join(number))

    async def close(self) -> None:
        """Take everything down."""
        self.nodes.close()
        self._client.close()
        self._watch.close()
        await self.hub.close()

    def _carried(self, one: Transmission) -> None:
        if one.hop == 0 or one.result in ("arrived", "heard"):
            self.frames += 1
            self.octets += len(one.octets)

    def _state(self, figures: Figures, routes: list[Route]) -> None:
        """How the network stands: not of interest here."""


class Concentrators:
    """Starts networks, meters and concentrators; ``start`` returns when every meter has joined and was read."""

    def __init__(self, layout: Layout, order: FieldOrder) -> None:
        self._layout = layout
        self._order = order
        self._secret = bytes.fromhex(order.secret)
        self._cells: dict[str, Cell] = {}
        self.nnaps: dict[str, Nnap] = {}
        """The concentrators by serial."""

    async def start(self) -> None:
        """Bring everything up, those below first; LinkError if meters do not join and are not read in time."""
        for thing in sorted(self._layout.of(Kind.CONCENTRATOR), key=lambda one: len(self._below(one))):
            await self._concentrator(thing)
        try:
            async with asyncio.timeout(_JOINED_S):
                while not self._is_complete():  # noqa: ASYNC110  several networks, one look at all of them
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise LinkError(f"not every meter joined its network and was read within {_JOINED_S:g} s") from None

    async def stop(self) -> None:
        """Stop everything."""
        for nnap in self.nnaps.values():
            await nnap.stop()
        for cell in self._cells.values():
            await cell.close()

    def _is_complete(self) -> bool:
        return all(one.is_member and one.read_s for nnap in self.nnaps.values() for one in nodes(nnap))

    # -- what there is ------------------------------------------------------------------------------------------------

    def _meters(self, thing: Placed) -> list[tuple[Placed, str]]:
        """The meters of a concentrator, with the profile they are reached by."""
        return [
            (near, NEIGHBOURHOOD[link.carrier])
            for link in self._layout.links(*NEIGHBOURHOOD)
            for near, far in self._layout.joined(link)
            if far.serial == thing.serial and near.part.kind is Kind.ELECTRICITY
        ]

    def _below(self, thing: Placed) -> list[Placed]:
        """The concentrators behind a concentrator."""
        return [
            near
            for link in self._layout.configuration.links
            if link.far == thing.part.name and self._layout.configuration.part(link.near).kind is Kind.CONCENTRATOR
            for near, far in self._layout.joined(link)
            if far.serial == thing.serial
        ]

    async def _concentrator(self, thing: Placed) -> None:
        network = None
        meters = self._meters(thing)
        listed: list[NodeConfig] = []
        if meters:
            profile = meters[0][1]
            cell = self._cells[thing.serial] = Cell(profile, self._secret)
            network = NetworkConfig(profile=profile, port=await cell.open())
            listed = [self._listed(cell, self._meter(meter)) for meter, _ in meters]
        nnap = Nnap(self._settings(thing, network, tuple(listed)), station=_station_of(network))
        self.nnaps[thing.serial] = nnap
        await nnap.start()
        if meters:
            await self._cells[thing.serial].count()
        for meter, _ in meters:
            self._cells[thing.serial].add(self._meter(meter))

    def _meter(self, meter: Placed) -> MeterConfig:
        return MeterConfig(serial=meter.serial, keys=Keys.derive(self._secret, meter.serial), profile_days=3)

    @staticmethod
    def _listed(cell: Cell, meter: MeterConfig) -> NodeConfig:
        """The meter in its concentrator's white list."""
        return NodeConfig(
            eui=meter.title.hex(),
            serial=meter.serial,
            title=meter.title.hex(),
            key=cell.key(meter.title).hex(),
            guek=meter.keys.guek.hex(),
            gak=meter.keys.gak.hex(),
        )

    def _settings(self, thing: Placed, network: NetworkConfig | None, nodes: tuple[NodeConfig, ...]) -> NnapConfig:
        folder = Path(self._order.folder)
        return NnapConfig(
            serial=thing.serial,
            store=str(folder / f"{thing.serial}.sqlite"),
            master_key=str(folder / f"{thing.serial}.key"),
            wan=NorthConfig(port=0),
            network=network,
            plan=PlanConfig(every_s=3600.0, first_days=1.0, answer_s=20.0, sets_clocks=False),
            parties=(
                PartyConfig(
                    name="operator",
                    client=1,
                    secret=party_secret(self._secret, thing.serial, "operator").hex(),
                    rights=("read", "command", "configure"),
                ),
            ),
            nodes=nodes,
            children=tuple(
                ChildConfig(
                    eui=title_of(_FLAG, below.serial).hex(),
                    serial=below.serial,
                    host="127.0.0.1",
                    port=self.nnaps[below.serial].port,
                )
                for below in self._below(thing)
            ),
        )

    # -- how they are reached -----------------------------------------------------------------------------------------

    def ways(self) -> list[Way]:
        """How head ends reach the concentrators, and the keys of the meters that they find behind them."""
        found = []
        for link in self._layout.configuration.links:
            if link.far not in self._order.push or link.near not in {
                one.part.name for one in self._layout.of(Kind.CONCENTRATOR)
            }:
                continue
            for near, _ in self._layout.joined(link):
                found += self._ways(near, link.far, top=near)
        return found

    def _ways(self, thing: Placed, head_end: str, *, top: Placed) -> list[Way]:
        meters = [self._meter(meter) for meter, _ in self._meters(thing)]
        below = self._below(thing)
        own = Way(
            head_end=head_end,
            part=thing.part.name,
            serial=thing.serial,
            system_title=title_of(_FLAG, thing.serial).hex(),
            utility="gateway",
            profile="nnap",
            port=self.nnaps[top.serial].port,
            party="operator",
            gateway=thing.serial,
            waits=thing is not top,
        )
        waiting = [
            Way(
                head_end=head_end,
                part=meter_part,
                serial=meter.serial,
                system_title=meter.title.hex(),
                utility="electricity",
                profile="idis",
                port=self.nnaps[top.serial].port,
                waits=True,
            )
            for meter_part, meter in zip((one.part.name for one, _ in self._meters(thing)), meters, strict=True)
        ]
        return [own, *waiting, *(way for one in below for way in self._ways(one, head_end, top=top))]

    def carried(self) -> list[Carried]:
        """What went over the networks between meters and concentrators."""
        if not self._cells:
            return []
        label = label_of(Entity.METER, Entity.NNAP, Network.NEIGHBOURHOOD)
        cells = self._cells.values()
        return [
            Carried(
                label,
                "meter – NNAP, simulated medium",
                sum(len(cell.nodes.nodes) for cell in cells),
                sum(cell.frames for cell in cells),
                sum(cell.octets for cell in cells),
            )
        ]

    # -- what happens to them -----------------------------------------------------------------------------------------

    def happen(self, serial: str, what: str, value: float) -> dict[str, float] | None:
        """Let it happen; how the meter or concentrator is then. None if it is not here, ConfigError if it cannot be."""
        if serial in self.nnaps:
            if what == "clock":
                self.nnaps[serial].site.clock_offset_s += value
            elif what != "look":
                raise ConfigError(f"{what!r} does not happen to a concentrator")
            return {"clock_error_s": self.nnaps[serial].site.clock_offset_s}
        for cell in self._cells.values():
            if serial in cell.nodes.meters:
                _happen(cell.nodes, serial, what, value)
                return facts_of(cell.nodes.meters[serial])
        return None


def _station_of(network: NetworkConfig | None) -> Callable[[bytes, Admit], Coordinator] | None:
    """The concentrator's station where it is not the profile's usual one."""
    if network is None or network.profile != "prime":
        return None
    return lambda eui, admit: prime.coordinator(eui, admit, _QUICK)


def _happen(nodes: MeterNodes, serial: str, what: str, value: float) -> None:
    meter = nodes.meters[serial]
    match what:
        case "look":
            pass
        case "tamper":
            meter.log(nodes.clock.now(), Log.FRAUD, EventCode.METER_COVER_REMOVED)
        case "clock":
            meter.clock_offset_s += value
        case "cut":
            nodes.cut_supply(serial)
        case "restore":
            nodes.restore_supply(serial)
        case _:
            raise ConfigError(f"{what!r} does not happen to an electricity meter")
