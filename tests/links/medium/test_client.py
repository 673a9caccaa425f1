import asyncio

import pytest

from meterway.base.errors import LinkError
from meterway.links import tcp
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.wire import Join, Message, Refused, Send, Watch, WireEngine
from meterway.links.pump import EngineProtocol

FRAME = bytes([30]) + bytes(30)


def test_without_a_hub_nothing_is_sent() -> None:
    client = RadioClient()
    assert not client.connected
    with pytest.raises(LinkError, match="not there"):
        client.join(Station(name="meter"))
    client.close()


def test_a_hub_that_is_not_there_is_named() -> None:
    async def play() -> None:
        listener = await tcp.listen(None, 0, asyncio.Protocol)
        port = listener.port
        listener.close()
        await listener.wait_closed()
        with pytest.raises(LinkError, match=str(port)):
            await RadioClient().connect(port)

    asyncio.run(play())


def test_a_closed_port_refuses_to_send() -> None:
    async def play() -> None:
        listener = await tcp.listen(None, 0, asyncio.Protocol)
        client = RadioClient()
        await client.connect(listener.port)
        port = client.join(Station(name="meter"))
        port.close()
        port.close()
        with pytest.raises(LinkError, match="off the air"):
            port.send(FRAME, mode="T1")
        client.close()
        listener.close()

    asyncio.run(play())


def test_a_hub_that_speaks_like_a_client_is_left_and_refusals_have_names(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        said: list[Message] = []
        engine = WireEngine()
        made: list[EngineProtocol[Message]] = []
        listener = await tcp.listen(None, 0, lambda: EngineProtocol(engine, said.append, on_made=made.append))
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        client = RadioClient(lost.set_result)
        await client.connect(listener.port)
        port = client.join(Station(name="meter"))
        port.send(FRAME, mode="T1", delay_s=1.5)
        client.watch(None, lambda figures: None)
        while len(said) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert said == [Join(1, "meter", ()), Send(1, "T1", FRAME, 1.5), Watch(frames=False)]
        for message in (Refused(1, "no", True), Refused(1, "no"), Refused(7, "no"), Join(1, "x", ())):
            engine.tell(message)
        listener.close()
        made[0].flush()
        assert "client" in await lost
        assert port.refused == 1
        assert client.problems == ["meter: no", "station 7: no"]
        assert "meter: no" in caplog.text

    asyncio.run(play())
