"""The electricity meters of a configuration with ports of their own, and the consumer ports for their displays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.meter.api import (
    HDLC_PHYSICAL,
    Beyond,
    EventCode,
    H1Config,
    HostConfig,
    Keys,
    ListenConfig,
    Log,
    Meter,
    MeterConfig,
    MeterHost,
    PushConfig,
)
from meterway.stacks.dlms import axdr
from meterway.town.configurations.messages import FieldOrder, Port, Way
from meterway.town.configurations.plan import Layout, Placed
from meterway.town.configurations.shape import Carrier, Kind, Link

__all__ = ["Electricity", "facts_of", "list_saps"]

_DIRECT: Final = {Carrier.TCP: "tcp", Carrier.HDLC: "hdlc"}
_PROFILE: Final = "idis"
_SAPS: Final = Obis(0, 0, 41, 0, 0)


class Electricity:
    """Starts the meters, says how they are reached, lets things happen to them."""

    def __init__(self, layout: Layout, order: FieldOrder, beyond: Beyond | None = None) -> None:
        self._layout = layout
        self._beyond = beyond
        self._order = order
        self._secret = bytes.fromhex(order.secret)
        self._hosts: list[MeterHost] = []

    async def start(self) -> None:
        """Open every port."""
        for part in self._layout.configuration.of_kind(Kind.ELECTRICITY):
            if not any(link.near == part.name for link in self._layout.links(*_DIRECT, Carrier.P1)):
                continue
            config = self._host([thing.serial for thing in self._layout.named(part.name)], part.name)
            host = MeterHost(config, beyond=self._beyond)
            await host.start()
            self._hosts.append(host)

    async def stop(self) -> None:
        """Close everything."""
        for host in self._hosts:
            await host.stop()

    def _host(self, serials: list[str], part: str) -> HostConfig:
        links = [link for link in self._layout.configuration.links if link.near == part]
        has_display = any(link.carrier is Carrier.P1 for link in links)
        push = next((self._order.push[link.far] for link in links if link.far in self._order.push), 0)
        return HostConfig(
            meters=tuple(MeterConfig(serial=serial, keys=Keys.derive(self._secret, serial)) for serial in serials),
            listen=tuple(
                ListenConfig(
                    port=0,
                    transport=_DIRECT[link.carrier],  # type: ignore[arg-type]
                    is_local=self._is_local(link),
                )
                for link in links
                if link.carrier in _DIRECT
            ),
            h1=H1Config(port=0, meters=len(serials)) if has_display else None,
            push=PushConfig(address="127.0.0.1", port=push) if push else None,
        )

    def _is_local(self, link: Link) -> bool:
        return self._layout.configuration.part(link.far).kind is Kind.HAND_HELD

    def port_of(self, serial: str) -> int:
        """The wrapper port of a meter; ConfigError if there is none."""
        for host in self._hosts:
            for end in host.endpoints:
                if (end.serial, end.transport) == (serial, "tcp"):
                    return end.port
        raise ConfigError(f"there is no meter {serial} with a wrapper port")

    def meter(self, serial: str) -> Meter | None:
        """A meter with ports of its own."""
        return next((host.meters[serial] for host in self._hosts if serial in host.meters), None)

    # -- how they are reached -----------------------------------------------------------------------------------------

    def ways(self) -> list[Way]:
        """How the head ends reach them."""
        return [
            self._way(link, host, near)
            for link in self._layout.links(*_DIRECT)
            if self._layout.configuration.part(link.far).kind is Kind.HEAD_END
            for near, _ in self._layout.joined(link)
            for host in self._hosts
            if near.serial in host.meters
        ]

    @staticmethod
    def _way(link: Link, host: MeterHost, meter: Placed) -> Way:
        transport = _DIRECT[link.carrier]
        end = next(one for one in host.endpoints if (one.serial, one.transport) == (meter.serial, transport))
        return Way(
            head_end=link.far,
            part=meter.part.name,
            serial=meter.serial,
            system_title=host.meters[meter.serial].title.hex(),
            utility="electricity",
            profile=_PROFILE,
            port=end.port,
            transport=transport,
            sap=end.server,
            physical=HDLC_PHYSICAL if transport == "hdlc" else 0,
        )

    def ports(self) -> list[Port]:
        """Where displays find their meters."""
        found = {serial: port for host in self._hosts for serial, port in host.h1_ports.items()}
        return [
            Port(part=far.part.name, serial=far.serial, premises=far.premises, port=found[near.serial])
            for link in self._layout.links(Carrier.P1)
            for near, far in self._layout.joined(link)
        ] + self._local_ports()

    def _local_ports(self) -> list[Port]:
        """Where a hand-held connects to each meter."""
        ends = {end.serial: end.port for host in self._hosts for end in host.endpoints if end.is_local}
        return [
            Port(
                part=far.part.name,
                serial=far.serial,
                premises=near.premises,
                port=ends[near.serial],
                detail={"meter": near.serial},
            )
            for link in self._layout.links(*_DIRECT)
            if self._is_local(link)
            for near, far in self._layout.joined(link)
        ]

    # -- what happens to them -----------------------------------------------------------------------------------------

    def happen(self, serial: str, what: str, value: float) -> dict[str, float] | None:
        """Let it happen; how the meter is then. None if there is no such meter here, ConfigError if it cannot be."""
        for host in self._hosts:
            if serial in host.meters:
                self._happen(host, serial, what, value)
                return facts_of(host.meters[serial])
        return None

    @staticmethod
    def _happen(host: MeterHost, serial: str, what: str, value: float) -> None:
        meter, now = host.meters[serial], host.now()
        match what:
            case "look":
                pass
            case "tamper":
                meter.log(now, Log.FRAUD, EventCode.METER_COVER_REMOVED)
            case "clock":
                meter.clock_offset_s += value
            case "cut":
                host.cut_supply(serial)
            case "restore":
                host.restore_supply(serial)
            case "line down":
                host.cut_line(serial)
            case "line up":
                host.restore_line(serial)
            case _:
                raise ConfigError(f"{what!r} does not happen to an electricity meter")


def list_saps(meter: Meter, others: Mapping[int, bytes]) -> None:
    """Have a meter's SAP assignment list the other logical devices that are housed in it."""
    rows = {1: meter.logical_device_name} | dict(others)
    listed = axdr.array(*(axdr.structure(axdr.u16(sap), axdr.octets(name)) for sap, name in rows.items()))
    meter.change((17, _SAPS, 2), axdr.encode(listed))


def facts_of(meter: Meter) -> dict[str, float]:
    """How a meter is now."""
    now = time.time()
    return {
        "energy": float(meter.energy_at(now)[0]),
        "connected": float(meter.control_state.value == 1),
        "clock_error_s": meter.clock_error_s(now),
    }
