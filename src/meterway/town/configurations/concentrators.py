"""Concentrators (NNAP) and the meters on their neighbourhood networks: simulated media, real stations and frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError, LinkError
from meterway.home.api import HomeConfig
from meterway.interfaces import Entity, Network, label_of
from meterway.interfaces.mbus.keys import title_of as gateway_title
from meterway.lnap.api import UplinkConfig
from meterway.meter.api import EventCode, Keys, Log, Meter, MeterConfig
from meterway.meter.nodes import Beyond, MeterNodes
from meterway.nnap.api import ChildConfig, NetworkConfig, Nnap, NnapConfig, NodeConfig, PartyConfig, PlanConfig, nodes
from meterway.nnap.api import SideConfig as NorthConfig
from meterway.nnap.site import title_of
from meterway.stacks.neighbourhood.station import Station
from meterway.town.configurations.cells import NEIGHBOURHOOD, Cell, coordinator_of
from meterway.town.configurations.electricity import facts_of
from meterway.town.configurations.loads import LIVED_S, happen_to_load, listed_load, load_config, load_way
from meterway.town.configurations.masts import Masts
from meterway.town.configurations.messages import Carried, FieldOrder, Way
from meterway.town.configurations.plan import HISTORY_DAYS, Layout, Placed, party_secret
from meterway.town.configurations.shape import Carrier, Kind

__all__ = ["Concentrators"]

_FLAG: Final = "MWY"
_JOINED_S: Final = 90.0
_LOOK_S: Final = 0.05
_READ: Final = ("meter", "supervision")


class Concentrators:
    """Starts networks, meters and concentrators; ``start`` returns when every meter has joined and was read.

    ``beyond`` gives what is housed in a meter, ``made`` a meter that is there already because it has other ports too.
    """

    def __init__(
        self,
        layout: Layout,
        order: FieldOrder,
        beyond: Beyond | None = None,
        made: Callable[[str], Meter | None] = lambda _: None,
    ) -> None:
        self._layout = layout
        self._made = made
        self._beyond = beyond
        self._order = order
        self._secret = bytes.fromhex(order.secret)
        self._cells: dict[str, Cell] = {}
        self._masts = Masts(layout, order)
        self.nnaps: dict[str, Nnap] = {}
        """The concentrators by serial."""

    async def open(self) -> None:
        """Open the networks: what stands on them may come before the concentrators do."""
        await self._masts.open()
        for thing in self._layout.of(Kind.CONCENTRATOR):
            near = self._behind(thing)
            if near:
                cell = self._cells[thing.serial] = Cell(NEIGHBOURHOOD[near[0][1]], self._secret, self._beyond)
                await cell.open()

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
        await self._masts.until_heard(self.nnaps.values())

    async def stop(self) -> None:
        """Stop everything."""
        for nnap in self.nnaps.values():
            await nnap.stop()
        for cell in self._cells.values():
            await cell.close()
        await self._masts.stop()

    def _is_complete(self) -> bool:
        return all(
            one.is_member and (one.read_s or one.role not in _READ)
            for nnap in self.nnaps.values()
            for one in nodes(nnap)
        )

    # -- what there is ------------------------------------------------------------------------------------------------

    def _behind(self, thing: Placed) -> list[tuple[Placed, Carrier]]:
        """What is a node of a concentrator's network; a gateway that lives in a meter is none."""
        return [
            (near, link.carrier)
            for link in self._layout.links(*NEIGHBOURHOOD)
            for near, far in self._layout.joined(link)
            if far.serial == thing.serial and not near.part.inside
        ]

    def _meters(self, thing: Placed) -> list[Placed]:
        return [near for near, _ in self._behind(thing) if near.part.kind is Kind.ELECTRICITY]

    def _loads(self, thing: Placed) -> list[tuple[Placed, HomeConfig]]:
        loads = [near for near, _ in self._behind(thing) if near.part.kind is Kind.LOAD]
        return [(load, load_config(self._secret, load, thing.serial)) for load in loads]

    def _gateways(self, thing: Placed) -> list[Placed]:
        return [near for near, _ in self._behind(thing) if near.part.kind is Kind.GATEWAY]

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
        network, cell = None, self._cells.get(thing.serial)
        meters = [self._meter(meter) for meter in self._meters(thing)]
        listed: list[NodeConfig] = []
        if cell is not None:
            network = NetworkConfig(profile=cell.profile, port=cell.port)
            listed = [self._listed(cell, meter) for meter in meters]
            listed += [self._listed_gateway(cell, gateway) for gateway in self._gateways(thing)]
            listed += [listed_load(cell, load) for _, load in self._loads(thing)]
        station = None if cell is None else coordinator_of(cell.profile)
        nnap = Nnap(self._settings(thing, network, tuple(listed)), station=station)
        self.nnaps[thing.serial] = nnap
        await nnap.start()
        if cell is not None:
            for meter in meters:
                cell.add(self._made(meter.serial) or meter)
            for _, load in self._loads(thing):
                cell.add_home(load, lived_s=LIVED_S)

    def uplink(self, gateway: Placed) -> tuple[UplinkConfig, Callable[[bytes], Station]] | None:
        """The place of a gateway behind a concentrator, and how its station is made; None for any other."""
        for thing in self._layout.of(Kind.CONCENTRATOR):
            if gateway in self._gateways(thing):
                cell = self._cells[thing.serial]
                return (
                    UplinkConfig(profile=cell.profile, port=cell.port, node=cell.place(Entity.LNAP)),
                    cell.station,
                )
        return None

    def port_for(self, serial: str) -> int:
        """Where the head end reaches a gateway behind a concentrator, or a meter that a gateway lives in; 0: not so."""
        for thing in self._layout.of(Kind.CONCENTRATOR):
            if serial in [near.serial for near, _ in self._behind(thing)]:
                return self.nnaps[self._top(thing).serial].port
        return 0

    def meter(self, serial: str) -> Meter | None:
        """A meter on one of the networks."""
        return next((cell.nodes.meters[serial] for cell in self._cells.values() if serial in cell.nodes.meters), None)

    def _top(self, thing: Placed) -> Placed:
        """The concentrator that the head end has a line to."""
        above = next((one for one in self._layout.of(Kind.CONCENTRATOR) if thing in self._below(one)), None)
        return thing if above is None else self._top(above)

    def _meter(self, meter: Placed) -> MeterConfig:
        return MeterConfig(serial=meter.serial, keys=Keys.derive(self._secret, meter.serial), profile_days=HISTORY_DAYS)

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

    @staticmethod
    def _listed_gateway(cell: Cell, gateway: Placed) -> NodeConfig:
        """A gateway in its concentrator's white list: reached end to end, without keys."""
        title = gateway_title(_FLAG, gateway.serial)
        return NodeConfig(
            eui=title.hex(), serial=gateway.serial, title=title.hex(), key=cell.key(title).hex(), role="gateway"
        )

    def _settings(self, thing: Placed, network: NetworkConfig | None, nodes: tuple[NodeConfig, ...]) -> NnapConfig:
        folder = Path(self._order.folder)
        return NnapConfig(
            serial=thing.serial,
            store=str(folder / f"{thing.serial}.sqlite"),
            master_key=str(folder / f"{thing.serial}.key"),
            wan=NorthConfig(port=0),
            network=network,
            plan=PlanConfig(every_s=3600.0, first_days=HISTORY_DAYS, answer_s=20.0, sets_clocks=False),
            parties=(
                PartyConfig(
                    name="operator",
                    client=1,
                    secret=party_secret(self._secret, thing.serial, "operator").hex(),
                    rights=("read", "command", "configure"),
                ),
            ),
            nodes=nodes,
            collector=self._masts.collector(thing),
            radios=self._masts.radios(thing),
            battery_meters=self._masts.listed(thing),
            children=tuple(
                ChildConfig(
                    eui=title_of(_FLAG, below.serial).hex(),
                    serial=below.serial,
                    title=title_of(_FLAG, below.serial).hex(),
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
        meters = [self._meter(meter) for meter in self._meters(thing)]
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
            finds=len(self._masts.around(thing)),
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
            for meter_part, meter in zip((one.part.name for one in self._meters(thing)), meters, strict=True)
        ]
        port = self.nnaps[top.serial].port
        waiting += [load_way(load, head_end, placed.part.name, port) for placed, load in self._loads(thing)]
        return [own, *waiting, *(way for one in below for way in self._ways(one, head_end, top=top))]

    def carried(self) -> list[Carried]:
        """What went over the networks, and between concentrators."""
        lines = [child for nnap in self.nnaps.values() for child in nnap.children.values()]
        between = Carried(
            label_of(Entity.NNAP, Entity.NNAP, Network.NEIGHBOURHOOD),
            "NNAP – NNAP",
            len(lines),
            sum(line.carried for line in lines),
            sum(line.octets for line in lines),
        )
        found: dict[str, Carried] = {}
        for row in (row for cell in self._cells.values() for row in cell.carried()):
            known = found.get(row.label)
            found[row.label] = row if known is None else _added(known, row)
        return [*found.values(), *self._masts.carried(), *([between] if lines else [])]

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
            if serial in cell.homes.devices:
                return happen_to_load(cell.homes, serial, what, value)
        return self._masts.happen(serial, what)


def _added(one: Carried, other: Carried) -> Carried:
    return Carried(
        one.label,
        one.between,
        one.entities + other.entities,
        one.sessions + other.sessions,
        one.octets + other.octets,
    )


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
