import asyncio
from collections import deque

import pytest
import uvloop

from meterway.links.pump import EngineProtocol
from meterway.links.tcp import connect, listen
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming


class Shouter:
    """An engine that answers every octet string in capitals and notes what happened to it."""

    def __init__(self) -> None:
        self.events: deque[bytes] = deque()
        self.out: list[bytes] = []
        self.due: float | None = None
        self.ends = 0
        self.fired: list[float] = []

    def receive_data(self, data: bytes, now: float) -> None:
        if not data:
            self.ends += 1
            return
        self.events.append(data)
        self.out.append(data.upper())

    def next_event(self) -> bytes | None:
        return self.events.popleft() if self.events else None

    def data_to_send(self) -> bytes:
        octets = b"".join(self.out)
        self.out.clear()
        return octets

    def next_timeout(self) -> float | None:
        return self.due

    def handle_timeout(self, now: float) -> None:
        self.due = None
        self.fired.append(now)
        self.out.append(b"tick")
        self.events.append(b"woken")


class Asker(Shouter):
    def receive_data(self, data: bytes, now: float) -> None:
        if data:
            self.events.append(data)
        else:
            self.ends += 1


class Line(asyncio.Transport):
    """A transport that remembers what was done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[object] = []

    def write(self, data: object) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")


async def echo_over_tcp() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    lost = asyncio.Event()
    engine = Shouter()
    listener = await listen(None, 0, lambda: EngineProtocol(engine, lambda _: None, on_lost=lambda _: lost.set()))
    asker = Asker()
    pump = await connect(None, listener.port, lambda: EngineProtocol(asker, heard.put_nowait))
    assert pump.connected
    assert pump.peer() == f"127.0.0.1:{listener.port}"
    asker.out.append(b"hello")
    pump.flush()
    assert await heard.get() == b"HELLO"
    pump.close()
    await lost.wait()
    assert engine.ends == 1
    listener.close()
    await listener.wait_closed()


def test_two_engines_talk_over_tcp_on_the_plain_loop() -> None:
    asyncio.run(echo_over_tcp())


def test_two_engines_talk_over_tcp_on_uvloop() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(echo_over_tcp())


async def slow_reader() -> None:
    """Sixteen megabytes go out to a peer that starts reading late; all of them arrive."""
    size = 16 << 20
    arrived = asyncio.Event()
    count = 0

    def take(data: bytes) -> None:
        nonlocal count
        count += len(data)
        if count >= size:
            arrived.set()

    engine = Shouter()
    lost = asyncio.Semaphore(0)
    made: asyncio.Queue[EngineProtocol[bytes]] = asyncio.Queue()

    def gone(_: Exception | None) -> None:
        lost.release()

    def serve() -> EngineProtocol[bytes]:
        return EngineProtocol(engine, lambda _: None, on_made=made.put_nowait, on_lost=gone)

    listener = await listen(None, 0, serve)
    pump = await connect(None, listener.port, lambda: EngineProtocol(Asker(), take, on_lost=gone))
    assert pump._transport is not None
    pump._transport.pause_reading()
    server = await made.get()
    for _ in range(16):
        engine.out.append(bytes(1 << 20))
        server.flush()
    assert server._paused
    assert engine.out, "what the peer does not read waits in the engine"
    pump._transport.resume_reading()
    await asyncio.wait_for(arrived.wait(), 10)
    assert count == size
    pump.close()
    server.close()
    await lost.acquire()
    await lost.acquire()
    listener.close()


@pytest.mark.covers("SEC-11")
def test_a_peer_that_does_not_read_is_not_written_to() -> None:
    asyncio.run(slow_reader())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(slow_reader())


def test_a_paused_line_keeps_octets_in_the_engine_and_stops_reading() -> None:
    async def play() -> None:
        line, engine = Line(), Shouter()
        pump = EngineProtocol(engine, lambda _: None)
        pump.connection_made(line)
        pump.pause_writing()
        pump.data_received(b"a")
        assert line.done == ["pause"]
        pump.resume_writing()
        assert line.done == ["pause", "resume", b"A"]
        pump.connection_lost(None)

    asyncio.run(play())


def test_closing_in_an_event_still_sends_the_last_words() -> None:
    async def play() -> None:
        line, engine = Line(), Shouter()
        pump = EngineProtocol(engine, lambda _: pump.close())
        pump.connection_made(line)
        pump.data_received(b"bye")
        assert line.done == [b"BYE", "close"]
        pump.connection_lost(None)

    asyncio.run(play())


def test_the_end_of_the_line_reaches_the_engine_once() -> None:
    async def play() -> None:
        engine = Shouter()
        lost: list[Exception | None] = []
        pump = EngineProtocol(engine, lambda _: None, on_lost=lost.append)
        pump.connection_made(Line())
        assert pump.eof_received() is False
        pump.connection_lost(None)
        assert (engine.ends, lost, pump.connected, pump.peer()) == (1, [None], False, "")
        pump.close()
        pump.abort()

    asyncio.run(play())


def test_the_engine_is_woken_when_it_asked_to_be() -> None:
    async def play() -> None:
        line, engine = Line(), Shouter()
        woken = asyncio.Event()
        pump = EngineProtocol(engine, lambda _: woken.set())
        pump.connection_made(line)
        engine.due = pump.now() + 60
        pump.flush()
        engine.due = pump.now() + 0.001
        pump.flush()
        await asyncio.wait_for(woken.wait(), 10)
        assert line.done == [b"tick"]
        assert pump._timer is None

    asyncio.run(play())


def test_a_timer_that_fires_early_arms_itself_again() -> None:
    async def play() -> None:
        engine = Shouter()
        pump = EngineProtocol(engine, lambda _: None)
        pump.connection_made(Line())
        engine.due = pump.now() + 60
        pump.flush()
        pump._fire()
        assert engine.fired == []
        assert pump._timer is not None
        pump.connection_lost(None)
        assert pump._timer is None

    asyncio.run(play())


def test_an_engine_that_fails_at_its_timeout_loses_its_line() -> None:
    async def play() -> None:
        line, engine = Line(), Shouter()

        def fail(now: float) -> None:
            raise RuntimeError("broken")

        engine.handle_timeout = fail  # type: ignore[method-assign]
        pump = EngineProtocol(engine, lambda _: None)
        pump.connection_made(line)
        engine.due = 0.0
        with pytest.raises(RuntimeError, match="broken"):
            pump._fire()
        assert line.done == ["abort"]

    asyncio.run(play())


async def hdlc_session() -> None:
    """A request in segments and its answer, over a socket."""
    address = HdlcAddress(logical=1, physical=17, size=2)
    listener_engine = HdlcFraming(role=Role.SERVER, server=address)
    caller_engine = HdlcFraming(role=Role.CLIENT, client=16, server=address)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()
    closed, gone = asyncio.Event(), asyncio.Event()

    def at_server(event: FramingEvent) -> None:
        if isinstance(event, ApduReceived):
            listener_engine.send(event.apdu[::-1], loop.time())

    def at_client(event: FramingEvent) -> None:
        if isinstance(event, Connected):
            caller_engine.send(bytes(range(250)), loop.time())
        elif isinstance(event, ApduReceived):
            answer.set_result(event.apdu)
            caller_engine.disconnect(loop.time())
        elif isinstance(event, Disconnected):
            assert event.error is None
            closed.set()

    listener = await listen(None, 0, lambda: EngineProtocol(listener_engine, at_server, on_lost=lambda _: gone.set()))
    pump = await connect(
        None,
        listener.port,
        lambda: EngineProtocol(caller_engine, at_client, on_made=lambda made: caller_engine.connect(made.now())),
    )
    assert await asyncio.wait_for(answer, 10) == bytes(range(250))[::-1]
    await asyncio.wait_for(closed.wait(), 10)
    pump.close()
    await asyncio.wait_for(gone.wait(), 10)
    listener.close()


@pytest.mark.covers("IF-I")
def test_an_hdlc_session_runs_over_tcp() -> None:
    asyncio.run(hdlc_session())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hdlc_session())
