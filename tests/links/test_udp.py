import asyncio

import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.links.udp import Address, UdpEndpoint, connect_udp, listen_udp


@pytest.mark.covers("IF-I")
def test_a_datagram_is_answered() -> None:
    async def play() -> None:
        answers: asyncio.Queue[bytes] = asyncio.Queue()

        def shout(endpoint: UdpEndpoint, octets: bytes, sender: Address) -> None:
            endpoint.send(octets.upper(), sender)

        server = await listen_udp(None, 0, shout)
        host, port = server.address
        client = await connect_udp(host, port, lambda _, octets, __: answers.put_nowait(octets))
        client.send(b"hello")
        assert await asyncio.wait_for(answers.get(), 10) == b"HELLO"
        client.close()
        with pytest.raises(LinkError, match="closed"):
            client.send(b"late")
        server.close()

    asyncio.run(play())


def test_a_taken_udp_port_is_named() -> None:
    async def play() -> None:
        server = await listen_udp(None, 0, lambda *_: None)
        port = server.address[1]
        with pytest.raises(ConfigError, match=rf"udp 127\.0\.0\.1:{port}"):
            await listen_udp(None, port, lambda *_: None)
        server.close()

    asyncio.run(play())


def test_a_datagram_to_a_closed_port_is_reported() -> None:
    async def play() -> None:
        server = await listen_udp(None, 0, lambda *_: None)
        port = server.address[1]
        server.close()
        await asyncio.sleep(0)
        errors: asyncio.Queue[LinkError] = asyncio.Queue()
        client = await connect_udp(None, port, lambda *_: None, on_error=errors.put_nowait)
        client.send(b"anyone?")
        assert isinstance(await asyncio.wait_for(errors.get(), 10), LinkError)
        client.close()

    asyncio.run(play())
