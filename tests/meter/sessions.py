"""A management client that reads a meter over a real socket."""

import asyncio
from typing import Any

from meterway.base.obis import Obis
from meterway.links import tcp
from meterway.links.pump import EngineProtocol
from meterway.meter.api import (
    Endpoint,
    Keys,
    MeterConfig,
)
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import Associated, ClientSettings, DlmsClient, Failed, GetDone, Released
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.security.context import Keys as AssociationKeys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

SECRET = bytes(range(16))
NAME = AttributeDescriptor(1, Obis(0, 0, 42, 0, 0), 2)
LOAD = AttributeDescriptor(7, Obis(1, 0, 99, 1, 0), 2)


def settings(*serials: str) -> list[MeterConfig]:
    return [MeterConfig(serial=serial, keys=Keys.derive(SECRET, serial), profile_days=3) for serial in serials]


async def session(
    endpoint: Endpoint, meter: MeterConfig, *asked: AttributeDescriptor, counter: int = 0, timeout_s: float = 5.0
) -> list[Any]:
    """Associate as management client, read, release; all events."""
    events: list[Any] = []
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if endpoint.transport == "hdlc":
        framing: Any = HdlcFraming(
            role=Role.CLIENT, server=HdlcAddress(logical=endpoint.server, physical=17, size=2), client=1
        )
    else:
        framing = WrapperFraming(1, endpoint.server, role=Role.CLIENT)
    engine = DlmsClient(
        framing,
        ClientSettings(
            mechanism=5,
            control=0x30,
            keys=AssociationKeys(meter.keys.guek, meter.keys.gak),
            system_title=b"MWYHEAD1",
            send_counter=SendCounter(counter),
            received=ReceivedCounter(),
            response_timeout_s=timeout_s,
            max_response=50_000,
        ),
    )

    def on_event(event: Any) -> None:
        events.append(event)
        if isinstance(event, Associated):
            for attribute in asked:
                engine.get(attribute, now=protocol.now())
            engine.release(protocol.now())
        elif isinstance(event, Released | Failed) and not over.done():
            over.set_result(None)

    protocol: EngineProtocol[Any] = EngineProtocol(engine, on_event)
    await tcp.connect(endpoint.address, endpoint.port, lambda: protocol)
    engine.open(protocol.now())
    protocol.flush()
    async with asyncio.timeout(20):
        await over
    protocol.abort()
    return events


def values(events: list[Any]) -> list[Any]:
    return [axdr.to_native(event.result)[0] for event in events if isinstance(event, GetDone)]


def run(work: Any) -> Any:
    return asyncio.run(work)
