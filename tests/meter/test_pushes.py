"""Pushes."""

import asyncio
from typing import Any

import pytest

from meter.sessions import SECRET, run, settings
from meterway.base.ciphers import Gcm12
from meterway.links import udp
from meterway.meter.api import (
    Keys,
    PushConfig,
    serve_meters,
)
from meterway.stacks.dlms.security.context import open_octets
from meterway.stacks.dlms.wrapper import decode_datagram


@pytest.mark.covers("UC-EV-02", "SEC-04")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_meter_that_loses_its_supply_says_so_and_falls_silent(transport: Any) -> None:
    async def work() -> tuple[bytes, bool]:
        got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if transport == "tcp":

            async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                got.set_result(await reader.read())
                writer.close()

            server = await asyncio.start_server(take, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
        else:
            ear = await udp.listen_udp("127.0.0.1", 0, lambda _, octets, __: got.set_result(octets))
            port = ear.address[1]
        push = PushConfig(address="127.0.0.1", port=port, transport=transport)
        async with serve_meters(settings("M1"), push=push) as host:
            host.cut_supply("M1")
            async with asyncio.timeout(10):
                octets = await got
            reader, writer = await asyncio.open_connection("127.0.0.1", host.endpoints[0].port)
            try:
                dead = not await reader.read()
            except ConnectionError:
                dead = True
            writer.close()
            host.restore_supply("M1")
            assert not host.is_dark("M1")
        if transport == "tcp":
            server.close()
        else:
            ear.close()
        return octets, dead

    octets, dead = run(work())
    assert dead
    frame = decode_datagram(octets)
    assert frame.apdu[0] == 0xDB
    keys = Keys.derive(SECRET, "M1")
    title, protected = frame.apdu[2:10], frame.apdu[11:]
    plain, control, _ = open_octets(Gcm12(keys.guek), keys.gak, title, protected)
    assert (control, plain[0]) == (0x30, 0x0F)


def test_a_push_is_tried_again_and_then_given_up() -> None:
    async def work() -> int:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        push = PushConfig(address="127.0.0.1", port=port, retries=2, retry_delay_s=0.01)
        async with serve_meters(settings("M1"), push=push) as host:
            host.cut_supply("M1")
            assert host.pusher is not None
            async with asyncio.timeout(10):
                await host.pusher.drain(5)
            return host.pusher.failed

    assert run(work()) == 1
