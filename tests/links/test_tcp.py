import asyncio

import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.links.tcp import connect, deliver, listen, send_once


def test_a_listener_stays_on_loopback_unless_told_otherwise() -> None:
    async def play() -> None:
        listener = await listen(None, 0, asyncio.Protocol)
        assert listener.host == "127.0.0.1"
        assert listener.port > 0
        listener.close()
        await listener.wait_closed()

    asyncio.run(play())


def test_a_taken_port_is_named() -> None:
    async def play() -> None:
        listener = await listen(None, 0, asyncio.Protocol)
        with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{listener.port}"):
            await listen("127.0.0.1", listener.port, asyncio.Protocol)
        listener.close()

    asyncio.run(play())


def test_a_refused_connection_is_a_link_error_with_the_address() -> None:
    async def play() -> None:
        listener = await listen(None, 0, asyncio.Protocol)
        port = listener.port
        listener.close()
        await listener.wait_closed()
        with pytest.raises(LinkError, match=rf"127\.0\.0\.1:{port}"):
            await connect(None, port, asyncio.Protocol)

    asyncio.run(play())


def test_a_host_that_is_silent_too_long_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        async def silent(*_: object, **__: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", silent)
        with pytest.raises(LinkError, match=r"meter:4059 did not answer within 0\.01 s"):
            await connect("meter", 4059, asyncio.Protocol, timeout_s=0.01)

    asyncio.run(play())


@pytest.mark.parametrize("library", ["asyncio", "uvloop"])
def test_one_message_is_sent_and_the_line_closed(library: str) -> None:
    factory = pytest.importorskip(library).new_event_loop

    async def play() -> None:
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        class Peer(asyncio.Protocol):
            heard = b""

            def data_received(self, data: bytes) -> None:
                self.heard += data

            def connection_lost(self, exc: Exception | None) -> None:
                ended.set_result(self.heard)

        listener = await listen(None, 0, Peer)
        await send_once(None, listener.port, b"x" * 100_000)
        assert await ended == b"x" * 100_000
        listener.close()
        await listener.wait_closed()
        with pytest.raises(LinkError, match=str(listener.port)):
            await send_once(None, listener.port, b"x")

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(play())


@pytest.mark.parametrize("library", ["asyncio", "uvloop"])
def test_what_is_delivered_was_read_to_its_end_and_a_peer_that_does_not_close_is_named(library: str) -> None:
    factory = pytest.importorskip(library).new_event_loop

    async def play() -> list[bytes]:
        came: list[bytes] = []
        held: list[asyncio.StreamWriter] = []

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(await reader.read())
            if came[-1] == b"hold":
                held.append(writer)
            else:
                writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await deliver(None, port, b"x" * 100_000)
        with pytest.raises(LinkError, match="did not close"):
            await deliver(None, port, b"hold", timeout_s=0.1)
        for writer in held:
            writer.close()
        server.close()
        await server.wait_closed()
        return came

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(play()) == [b"x" * 100_000, b"hold"]
