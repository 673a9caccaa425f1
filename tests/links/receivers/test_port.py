from __future__ import annotations

import asyncio
import os
import sys

import pytest

from meterway.base.errors import LinkError
from meterway.links.radio import RadioPort, Reception
from meterway.links.receivers.amber import AmberCodec, amber_message
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.port import ReceiverPort, open_serial_receiver, open_tcp_receiver

BODY = bytes.fromhex("442D2C785634120107780C1378563412")
FRAME = bytes((len(BODY),)) + BODY
SETUP = AmberCodec("T2").setup()


@pytest.mark.covers("IF-M")
def test_a_receiver_behind_tcp_is_set_up_heard_and_told_to_send() -> None:
    async def play() -> None:
        said: asyncio.Queue[bytes] = asyncio.Queue()

        async def device(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            said.put_nowait(await reader.readexactly(len(SETUP)))
            writer.write(amber_message(3, BODY))
            for _ in range(2):
                said.put_nowait(await reader.readexactly(len(BODY) + 4))
            writer.close()

        server = await asyncio.start_server(device, "127.0.0.1", 0)
        lost: asyncio.Queue[str] = asyncio.Queue()
        port = await open_tcp_receiver(AmberCodec("T2"), server.sockets[0].getsockname()[1], on_lost=lost.put_nowait)
        radio: RadioPort = port
        heard: asyncio.Queue[Reception] = asyncio.Queue()
        radio.listen(heard.put_nowait)
        assert await said.get() == SETUP
        assert (await heard.get()).octets == FRAME
        radio.send(FRAME, mode="T2 down")
        radio.send(FRAME, mode="T2 down", delay_s=0.001)
        assert await said.get() == amber_message(0, BODY)
        assert await said.get() == amber_message(0, BODY)
        assert await lost.get()
        assert not port.connected
        with pytest.raises(LinkError, match="not there"):
            radio.send(FRAME, mode="T2 down")
        radio.close()
        server.close()

    asyncio.run(play())


def test_a_closed_port_sends_nothing_that_was_waiting() -> None:
    class Line(asyncio.Transport):
        said = b""

        def write(self, data: bytes | bytearray | memoryview) -> None:
            self.said += bytes(data)

        def close(self) -> None:
            port.connection_lost(None)

    async def play() -> None:
        line = Line()
        port.connection_made(line)
        port.send(FRAME, mode="T1", delay_s=0.001)
        port.close()
        await asyncio.sleep(0.005)
        assert line.said == AmberCodec().setup()

    port = ReceiverPort(AmberCodec())
    asyncio.run(play())


def test_a_receiver_that_only_listens_refuses_to_send() -> None:
    port = ReceiverPort(LineCodec())
    port.connection_made(asyncio.Transport())
    with pytest.raises(LinkError, match="cannot send"):
        port.send(FRAME, mode="T1")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no ptys")
def test_a_receiver_on_a_serial_port_is_heard() -> None:
    pytest.importorskip("serial")

    async def play() -> None:
        ours, theirs = os.openpty()
        heard: asyncio.Queue[Reception] = asyncio.Queue()
        port = await open_serial_receiver(AmberCodec("T2"), os.ttyname(theirs))
        port.listen(heard.put_nowait)
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, os.read, ours, 100) == SETUP
        os.write(ours, amber_message(3, BODY))
        assert (await heard.get()).octets == FRAME
        port.close()
        while port.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        os.close(ours)
        os.close(theirs)

    asyncio.run(play())
