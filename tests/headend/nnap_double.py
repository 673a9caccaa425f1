"""A concentrator for tests of the head end: carries at once to real virtual meters, mirrors them, has a node table."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dlms_device import ALL
from dlms_gateway import Gateway, Member
from meterway.base.ciphers import Gcm12
from meterway.base.obis import Obis
from meterway.headend.config import CollectConfig, HeadEndConfig
from meterway.headend.config import PushConfig as HeadEndPush
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.serve import HeadEnd
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.mapping.alarms import ALARMS, Alarm, encode_alarms
from meterway.mapping.neighbourhood import (
    GROUP_ORDERS,
    NODES,
    GroupOrder,
    NodeRow,
    OrderReport,
    OrderState,
    encode_nodes,
    encode_reports,
)
from meterway.mapping.transformer import BALANCES, DayBalance
from meterway.meter.api import Keys, Meter, MeterConfig
from meterway.meter.counters import ClockCounters
from meterway.meter.objects import LogicalMeter
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.stacks.dlms.framing import FramingEvent
from meterway.stacks.dlms.security.context import Keys as ContextKeys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.server import Association, DeviceSecurity
from meterway.stacks.dlms.server.broadcast import BroadcastServer
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult
from meterway.store.devices import GATEWAY, NewDevice

SECRET: Final = bytes(range(32))
_AGE: Final = Obis(0, 0, 128, 0, 0)


class Nnap:
    """Logical device 1 of a concentrator: clock, node table, orders to groups. Its tables are plain lists."""

    system_title = b"MWYNNAP1"

    def __init__(self, serial: str) -> None:
        derived = keys_behind(SECRET, "operator", serial, serial)
        self.serial = serial
        self.nodes: list[NodeRow] = []
        self.orders: dict[bytes, GroupOrder] = {}
        self.send: Callable[[GroupOrder], None] | None = None
        self.reports: list[OrderReport] = []
        self.balances: list[DayBalance] = []
        self.alarms: list[Alarm] = []
        self._security = DeviceSecurity(
            keys=ContextKeys(derived["guek"], derived["gak"]),
            cipher=Gcm12(derived["guek"]),
            send_counter=SendCounter(),
            received=ReceivedCounter(),
        )

    def association(self, client: int) -> Association | None:
        if client != 1:
            return None
        return Association(client=1, mechanism=5, conformance=ALL, context=CONTEXT_LN_CIPHERED, control=0x30)

    def security(self, client: int) -> DeviceSecurity | None:
        return self._security

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        if attribute.obis == NODES:
            return encode_nodes(tuple(self.nodes))
        if attribute.obis == GROUP_ORDERS:
            return encode_reports(tuple(self.reports))
        if attribute.obis == BALANCES:
            return axdr.encode(axdr.array(*(one.encode() for one in self.balances)))
        if attribute.obis == ALARMS:
            return encode_alarms(self.alarms)
        if attribute.class_id == 8:
            from datetime import UTC, datetime

            return axdr.encode(axdr.octets(CosemDateTime.from_utc(datetime.now(UTC)).encode()))
        return DataAccessResult.OBJECT_UNDEFINED

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        if attribute.obis != GROUP_ORDERS:
            return DataAccessResult.READ_WRITE_DENIED
        order = GroupOrder.decode(value)
        if order.id not in self.orders:
            self.orders[order.id] = order
            if self.send is not None:
                self.send(order)
            self.reports.append(OrderReport(id=order.id, state=OrderState.SENT, sent_at=int(time.time()), sends=1))
        return DataAccessResult.SUCCESS

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        return ActionOutcome(ActionResult.OBJECT_UNDEFINED)

    def noticed(self, client: int, kind: str, now: float) -> None:
        return


class Mirror(LogicalMeter):
    """A meter's data under the keys of the concentrator's party, a minute old."""

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        if attribute.obis == _AGE:
            scaler = axdr.structure(axdr.i8(0), axdr.enum(7))
            return axdr.encode(axdr.u32(60) if attribute.attribute == 2 else scaler)
        return super().get(client, attribute, selection, now)


def _now(_: float) -> float:
    return time.time()


GBEK, GBAK = bytes(range(64, 80)), bytes(range(80, 96))


def meter(serial: str, **given: Any) -> Meter:
    keys = replace(Keys.derive(SECRET[:16], serial), gbek=GBEK, gbak=GBAK)
    return Meter(MeterConfig(serial=serial, keys=keys, profile_days=2, **given))


def mirror(of: Meter, nnap: str) -> Mirror:
    """The same meter once more, under the mirror's keys."""
    keys = keys_behind(SECRET, "operator", nnap, of.serial)
    given = Keys.derive(SECRET[:16], of.serial)
    twin = Meter(MeterConfig(serial=of.serial, profile_days=2, keys=replace(given, guek=keys["guek"], gak=keys["gak"])))
    return Mirror(twin, ClockCounters(time.time), _now)


class Double:
    """The concentrator on a TCP port, with its meters."""

    def __init__(self, serial: str, *meters: Meter, mirrored: bool = False) -> None:
        self.nnap = Nnap(serial)
        self.meters = {one.serial: one for one in meters}
        self.members: dict[bytes, Member | Gateway] = {}
        self.devices: dict[int, Any] = {1: self.nnap}
        self.deaf: set[str] = set()
        self.nnap.send = self.broadcast
        self.lines: list[EngineProtocol[FramingEvent]] = []
        now = int(time.time())
        for number, one in enumerate(meters):
            eui = b"MWYEUI%02d" % number
            self.members[eui] = Member({1: LogicalMeter(one, ClockCounters(time.time), _now)})
            sap = 17 + number if mirrored else 0
            if mirrored:
                self.devices[sap] = mirror(one, serial)
            self.nnap.nodes.append(
                NodeRow(
                    serial=one.serial, system_title=one.config.title, eui=eui, state=0, hops=1 + number % 3,  # type: ignore[arg-type]
                    quality=90 - number, heard=now, joined=now - 60, sap=sap,
                )
            )  # fmt: skip

    def broadcast(self, order: GroupOrder) -> None:
        """All meters hear it, but for the deaf ones."""
        for one in self.meters.values():
            if one.serial not in self.deaf:
                logical = LogicalMeter(one, ClockCounters(time.time), _now)
                BroadcastServer({1: logical}.get).take(
                    order.apdu, client=order.client, server=order.server, now=time.time()
                )

    def engine(self) -> Gateway:
        return Gateway(self.devices, self.members)

    def line(self) -> EngineProtocol[FramingEvent]:
        line: EngineProtocol[FramingEvent] = EngineProtocol(self.engine(), lambda _: None)
        self.lines.append(line)
        return line

    @property
    def prefixed(self) -> int:
        """How many APDUs were carried to meters."""
        return sum(len(line.engine.carried) for line in self.lines if isinstance(line.engine, Gateway))


@asynccontextmanager
async def living(tmp_path: Path, *doubles: Double, **config: Any) -> AsyncIterator[HeadEnd]:
    """Concentrators on sockets and a head end that knows them and the meters' own keys."""
    given: dict[str, Any] = {
        "push": HeadEndPush(enabled=False),
        "collect": CollectConfig(enabled=False, history_days=1, response_timeout_s=5.0),
    }
    head = HeadEnd(
        HeadEndConfig(store=str(tmp_path / "store.sqlite"), master_key=str(tmp_path / "master.key"), **(given | config))
    )
    listeners = []
    for double in doubles:
        listener = await tcp.listen(None, 0, double.line)
        listeners.append(listener)
        serial = double.nnap.serial
        keys = keys_behind(SECRET, "operator", serial, serial) | {MASTER: SECRET, "gbek": GBEK, "gbak": GBAK}
        head.store.devices.add(
            NewDevice(
                serial=serial, utility=GATEWAY, profile="nnap", host="127.0.0.1", port=listener.port,
                keys=head.vault.seal_all(serial, keys),
            ),
            now_ms=1,
        )  # fmt: skip
        for one in double.meters.values():
            keys = {"guek": one.config.keys.guek, "gak": one.config.keys.gak}
            head.store.devices.add(
                NewDevice(
                    serial=one.serial, profile="idis", keys=head.vault.seal_all(one.serial, keys),
                    host="127.0.0.1", port=listener.port,
                ),
                now_ms=1,
            )  # fmt: skip
    await head.start()
    try:
        yield head
    finally:
        await head.stop()
        for listener in listeners:
            listener.close()
        for double in doubles:
            for line in double.lines:
                line.close()
