"""The gateway as a process: radios and buses below, one port for each side above, pushes, and a tick a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from meterway.base.errors import ConfigError, LinkError, MeterwayError
from meterway.interfaces.mbus.airing import Airing
from meterway.interfaces.mbus.attaching import stay_attached
from meterway.interfaces.mbus.device import Gateway
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.firmware import is_older
from meterway.interfaces.mbus.ledger import Ledger
from meterway.interfaces.mbus.places import Places
from meterway.interfaces.mbus.rules import Side, Window
from meterway.interfaces.mbus.site import Site
from meterway.interfaces.mbus.store import Spool
from meterway.links import tcp
from meterway.links.limits import Lines
from meterway.links.pump import EngineProtocol
from meterway.links.radio import RadioPort
from meterway.lnap.bus import Bus
from meterway.lnap.config import LnapConfig
from meterway.lnap.home import Home
from meterway.lnap.links_config import SideConfig, UplinkConfig
from meterway.lnap.objects import LogicalSite
from meterway.lnap.pushing import Pusher
from meterway.lnap.slots import Slots
from meterway.lnap.uplink import Uplink, stay_joined
from meterway.stacks.dlms.classes.image_transfer import ImageStatus
from meterway.stacks.dlms.framing import Disconnected, FramingEvent, Role
from meterway.stacks.dlms.server import DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Station
from meterway.store.party_counters import PartyCounters
from meterway.store.vault import Vault

__all__ = ["Lnap"]

_LOG: Final = logging.getLogger(__name__)
_MOST_LINES: Final = 64
_MOST_OF_ONE: Final = 48  # a head end has 32 associations open at a time, and lines that it has just left
_IDLE_S: Final = 600.0
_TICK_S: Final = 1.0
_SIDES: Final[tuple[Side, ...]] = ("wan", "home", "local")


class Lnap:
    """A gateway. ``unix`` gives Unix seconds (default: the time of day); ``ports`` has the bound port of each side.

    ``station`` makes another station for the uplink than the settings' profile has. ``start`` raises ConfigError for
    what the settings have wrong or a port that is taken; ``stop`` writes everything.
    """

    def __init__(
        self,
        config: LnapConfig,
        *,
        unix: Callable[[], float] = time.time,
        station: Callable[[bytes], Station] | None = None,
    ) -> None:
        self.config = config
        self._station = station
        self.unix = unix
        self.ports: dict[Side, int] = {}
        self.buses: list[Bus] = []
        self.pusher: Pusher | None = None
        self._uplink: Uplink | None = None
        self.home: Home | None = None
        drivers = config.meter_drivers()
        self._vault = Vault.from_file(Path(config.master_key))
        self.spool = Spool(config.store, limit_octets=config.limit_mib << 20)
        self.gateway = Gateway(zone=config.zone_info, limits=config.limits, drivers=drivers)
        tariffs = tuple(tariff.tariff() for tariff in config.tariffs)
        self.ledger = Ledger(
            self.gateway,
            self.spool,
            self._vault,
            period_s=config.period_s,
            keep_days=config.keep_days,
            tariffs=tariffs,
        )
        self.site = Site(
            serial=config.serial,
            flag=config.flag,
            ledger=self.ledger,
            first_sap=config.first_sap,
            firmware=config.firmware,
            secrets={party.name: party.octets for party in config.parties},
            parties=tuple(party.party(config.cases_of(party.name)) for party in config.parties),
            tariffs=tariffs,
            zone=config.zone_info,
            order_valid_s=config.order_valid_s,
            keep_pushes=config.push.keep if config.push is not None else 0,
            clock_offset_s=self.ledger.clock_offset_s,
            poll=self._poll,
        )
        self._places = Places(self.ledger, config.address, lambda: self.site.clock_offset_s)
        self.slots = Slots(Path(config.update.folder)) if config.update is not None else None
        self.ended = asyncio.Event()
        """Set when the process is to be started anew: firmware waits."""
        self._begun_s = 0.0
        if config.update is not None:
            self.site.maker, self.site.stage = config.update.key(), self._stage
        self.counters = PartyCounters(self.spool, self.site, self.unix)
        self._listeners: list[tcp.Listener] = []
        self._lines = Lines(most=_MOST_LINES, of_one=_MOST_OF_ONE, idle_s=_IDLE_S)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def airings(self) -> list[Airing]:
        """The places on the air it has now."""
        return self._places.airings

    def now(self) -> float:
        """Unix seconds as the gateway's clock has them."""
        return self.unix() + self.site.clock_offset_s

    # -- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Restore the state, open every port, begin to listen and to poll."""
        self.restore()
        try:
            for side in _SIDES:
                settings: SideConfig | None = getattr(self.config, side)
                if settings is not None:
                    await self._listen(side, settings)
        except MeterwayError:
            await self.stop()
            raise
        if self.config.push is not None:
            carry = self._carry_up if self.config.push.over == "uplink" else None
            self.pusher = Pusher(self.config.push, self.site, self.counters, carry)
        self.buses = [Bus(bus, self.ledger, self.now, place=place) for place, bus in enumerate(self.config.buses)]
        self._tasks = [asyncio.create_task(bus.run()) for bus in self.buses]
        self._tasks += [
            asyncio.create_task(
                stay_attached(one, self._places.taking(one), place=number, serial=self.config.serial, clock=self.unix)
            )
            for number, one in enumerate(self.config.radios)
        ]
        if self.config.mqtt is not None:
            self.home = Home(self.config.mqtt, self.site, self.now)
            self._tasks.append(asyncio.create_task(self.home.run()))
        if self.pusher is not None:
            self._tasks.append(asyncio.create_task(self.pusher.run()))
        if self.config.uplink is not None:
            self._tasks.append(asyncio.create_task(self._stay_behind(self.config.uplink)))
        self._begun_s = asyncio.get_running_loop().time()
        self._tasks.append(asyncio.create_task(self._tick()))

    def restore(self) -> None:
        """Take the state from the file and bind what the settings list; ``start`` does so."""
        self.ledger.on_events = self.site.note
        self.site.restore()
        self.ledger.restore(self.now())
        self._come_up()
        self.ledger.bind_all((meter.bound() for meter in self.config.meters), self.now())

    async def stop(self) -> None:
        """Close everything; what is in memory is written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._places.close()
        for listener in self._listeners:
            listener.close()
        for line in self._lines:
            line.abort()
        self.gateway.log(self.now(), Code.STOPPED)
        self.counters.save()
        self.ledger.save()
        self.spool.close()
        await asyncio.sleep(0)

    async def _tick(self) -> None:
        while True:
            try:
                self.tick()
            except Exception:  # one turn is lost, not all that follow: nothing would be captured or kept any more
                _LOG.exception("a turn of the clock failed")
            self._lines.cut_idle(asyncio.get_running_loop().time())
            await asyncio.sleep(_TICK_S)

    def tick(self) -> None:
        """What is due now: capture, orders that expire, silence, what changed to the disk, alarms upward."""
        now = self.now()
        try:
            self.ledger.capture(now)
            self.ledger.watch(now, silent_after_s=self.config.silent_after_s)
            self.counters.save()
            self._prove()
            self.ledger.flush()
        except MeterwayError as error:
            _LOG.error("%s", error)
        if self.pusher is not None:
            self.pusher.wake()

    # -- firmware ---------------------------------------------------------------------------------------------

    def _stage(self, identification: str, content: bytes) -> None:
        """Put firmware into its place; the process ends when the answer to who asked is on its way."""
        if self.slots is None:
            raise ConfigError("the settings have no place for firmware")
        self.slots.stage(identification, content)
        asyncio.get_running_loop().call_later(_TICK_S, self.ended.set)

    def _come_up(self) -> None:
        """Who this is, and whether it had to take the place of firmware that did not come up."""
        if self.slots is None:
            return
        state = self.slots.state
        installed = self.config.firmware
        self.site.proven = state.proven if is_older(installed, state.proven) else installed
        if state.present is not None:
            self.site.firmware = state.present.identification
        if state.trial:
            self.site.image.status = ImageStatus.ACTIVATION_INITIATED
        if state.failed:
            self.site.image.status = ImageStatus.ACTIVATION_FAILED
            self.gateway.log(self.now(), Code.FIRMWARE_ROLLED_BACK, 0, f"{state.failed}: {state.why}")
            self.ledger.flush()
            self.slots.told()

    def _prove(self) -> None:
        """Firmware on trial that has run long enough stays."""
        update = self.config.update
        if self.slots is None or update is None or self.site.image.status is not ImageStatus.ACTIVATION_INITIATED:
            return
        state = self.slots.state
        ran_s = asyncio.get_running_loop().time() - self._begun_s
        if state.trial and not self.ended.is_set() and state.starts and ran_s >= update.trial_s:
            self.slots.confirm()
            if is_older(self.site.proven, self.site.firmware):
                self.site.proven = self.site.firmware
            self.site.image.status = ImageStatus.ACTIVATION_SUCCESSFUL
            self.gateway.log(self.now(), Code.FIRMWARE_ACTIVATED, 0, self.site.firmware)

    # -- southbound -------------------------------------------------------------------------------------------

    def attach(self, port: RadioPort, windows: tuple[Window, ...] = (), *, adds_checks: bool = False) -> Airing:
        """Listen on a radio port; see ``Airing`` for ``adds_checks``."""
        return self._places.attach(port, windows, adds_checks=adds_checks)

    def _poll(self, channel: int) -> bool:
        asked = [bus.poll(channel) for bus in self.buses]
        return any(asked)

    # -- northbound -------------------------------------------------------------------------------------------

    async def _listen(self, side: Side, settings: SideConfig) -> None:
        listener = await tcp.listen(settings.host, settings.port, lambda: self._line(side))
        self._listeners.append(listener)
        self.ports[side] = listener.port

    def _line(self, side: Side) -> asyncio.BaseProtocol:
        server = DlmsServer(WrapperFraming(0, 0, role=Role.SERVER), lambda sap: self.logical(side, sap))
        protocol: EngineProtocol[FramingEvent] = EngineProtocol(
            server,
            lambda event: self._on_line(event, protocol),
            on_made=self._lines.take,
            on_lost=lambda _: self._lines.drop(protocol),
        )
        return protocol

    @staticmethod
    def _on_line(event: FramingEvent, protocol: EngineProtocol[FramingEvent]) -> None:
        if isinstance(event, Disconnected) and event.error is not None:
            protocol.close()

    async def _stay_behind(self, settings: UplinkConfig) -> None:
        """Be served through a concentrator."""

        def station() -> Station:
            if self._station is not None:
                return self._station(self.config.title)
            return PROFILES[settings.profile].node(self.config.title, settings.octets)

        def noted(uplink: Uplink | None) -> None:
            self._uplink = uplink

        await stay_joined(settings, station, lambda sap: self.logical("wan", sap), unix=self.unix, on_uplink=noted)

    async def _carry_up(self, apdu: bytes, client: int, server: int) -> None:
        """A push through the concentrator; LinkError while there is none."""
        if self._uplink is None or self.config.push is None:
            raise LinkError("the gateway is on no network")
        await self._uplink.carry(apdu, client, server, wait_s=self.config.push.answer_s)

    def logical(self, side: Side, sap: int) -> LogicalSite | None:
        """The logical device of an address: ``first_sap`` the gateway, from the next on its channels; None for others.

        Whoever holds a port for the gateway (a meter it lives in) asks here.
        """
        channel = sap - self.config.first_sap
        if channel and channel not in self.gateway.channels:
            return None
        return LogicalSite(self.site, channel, side=side, counters=self.counters, unix=self.unix)

    @property
    def saps(self) -> dict[int, bytes]:
        """The logical devices there are, by address, with their names (system title)."""
        first = self.config.first_sap
        return {first + channel: self.site.title(channel) for channel in (0, *sorted(self.gateway.channels))}
