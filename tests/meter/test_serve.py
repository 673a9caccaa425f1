"""Meters on real sockets."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.links import tcp, udp
from meterway.links.pump import EngineProtocol
from meterway.meter.api import (
    Endpoint,
    Fault,
    H1Config,
    HostConfig,
    Keys,
    ListenConfig,
    MeterConfig,
    MeterHost,
    PushConfig,
    inject,
    serve_meters,
)
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client import Associated, ClientSettings, DlmsClient, Failed, GetDone, Released
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.hdlc import HdlcAddress, HdlcFraming
from meterway.stacks.dlms.security.context import Keys as AssociationKeys
from meterway.stacks.dlms.security.context import open_octets
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming, decode_datagram
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.p1 import telegram as p1

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
        framing: Any = HdlcFraming(role=Role.CLIENT, server=HdlcAddress(logical=1, physical=16, size=2), client=1)
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


@pytest.mark.covers("IF-I", "F1a", "UC-BI-02")
@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
def test_a_meter_is_read_over_a_socket(transport: Any) -> None:
    async def work() -> None:
        meters = settings("M1", "M2")
        async with serve_meters(meters, listen=[ListenConfig(port=0, transport=transport)]) as host:
            for endpoint, meter in zip(host.endpoints, meters, strict=True):
                events = await session(endpoint, meter, NAME, LOAD)
                assert isinstance(events[-1], Released)
                name, rows = values(events)
                assert name == b"MWY" + meter.serial.encode()
                assert len(rows) == 3 * 96

    run(work())


def test_many_meters_share_one_port_behind_wrapper_ports() -> None:
    async def work() -> None:
        meters = settings("M1", "M2", "M3")
        async with serve_meters(meters, listen=[ListenConfig(port=0, sharing="wrapper-ports")]) as host:
            assert [endpoint.server for endpoint in host.endpoints] == [1, 2, 3]
            assert len({endpoint.port for endpoint in host.endpoints}) == 1
            events = await session(host.endpoints[2], meters[2], NAME)
            assert values(events) == [b"MWYM3"]

    run(work())


def test_a_meter_answers_on_udp() -> None:
    async def work() -> bytes:
        async with serve_meters(settings("M1"), listen=[ListenConfig(port=0, transport="udp")]) as host:
            got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            endpoint = await udp.connect_udp(
                "127.0.0.1", host.endpoints[0].port, lambda _, octets, __: got.set_result(octets)
            )
            aarq = bytes.fromhex("601DA109060760857405080101BE10040E01000000065F1F040000101DFFFF")
            endpoint.send(b"not a wrapper frame")
            endpoint.send(bytes.fromhex("000100100001") + len(aarq).to_bytes(2, "big") + aarq)
            async with asyncio.timeout(10):
                octets = await got
            endpoint.close()
            return octets

    answer = decode_datagram(run(work()))
    assert (answer.source, answer.destination, answer.apdu[0]) == (1, 16, 0x61)


def test_a_port_that_is_taken_is_named() -> None:
    async def work() -> None:
        async with serve_meters(settings("M1")) as host:
            taken = host.endpoints[0].port
            second = MeterHost(HostConfig(meters=tuple(settings("M2")), listen=(ListenConfig(port=taken),)))
            with pytest.raises(ConfigError, match=str(taken)):
                await second.start()

    run(work())


@pytest.mark.covers("IF-H1", "F6a")
def test_displays_get_telegrams_again_and_again_and_are_not_heard() -> None:
    async def work() -> list[bytes]:
        async with serve_meters(settings("M1"), h1=H1Config(port=0, period_s=0.1)) as host:
            reader, writer = await asyncio.open_connection("127.0.0.1", host.h1_ports["M1"])
            writer.write(b"anything")
            found = []
            async with asyncio.timeout(10):
                for _ in range(2):
                    body = await reader.readuntil(b"\r\n!")
                    found.append(body + await reader.readuntil(b"\r\n"))
            writer.close()
            return found

    for octets in run(work()):
        telegram = p1.decode(octets)
        assert telegram.find("1-0:1.8.1") is not None
        assert telegram.find("0-0:96.1.1") is not None


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


@pytest.mark.covers("SEC-05")
def test_counters_only_rise_over_a_restart_on_both_sides(tmp_path: Path) -> None:
    meters = settings("M1")
    config = HostConfig(meters=tuple(meters), listen=(ListenConfig(port=0),), counters=tmp_path / "counters.json")

    async def once(counter: int) -> tuple[list[Any], int]:
        host = MeterHost(config)
        await host.start()
        events = await session(host.endpoints[0], meters[0], NAME, counter=counter)
        used = host.meters["M1"].send_counter
        await host.stop()
        return events, 0 if used is None else used.next

    first, used = run(once(100))
    replayed, _ = run(once(50))
    again, later = run(once(200))
    assert isinstance(first[-1], Released)
    assert isinstance(replayed[-1], Failed)
    assert isinstance(again[-1], Released)
    assert later > used > 0


@pytest.mark.covers("SEC-07")
def test_transferred_keys_outlive_a_restart_and_are_not_readable_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    meters = settings("M1")
    config = HostConfig(meters=tuple(meters), listen=(ListenConfig(port=0),), counters=path)
    fresh = bytes(range(50, 66))

    async def work() -> None:
        host = MeterHost(config)
        await host.start()
        host.meters["M1"].change_keys({"guek": fresh}, host.now())
        await host.stop()
        second = MeterHost(config)
        await second.start()
        assert second.meters["M1"].keys.guek == fresh
        changed = replace(meters[0], keys=second.meters["M1"].keys)
        assert isinstance((await session(second.endpoints[0], changed, NAME))[-1], Released)
        await second.stop()

    run(work())
    assert fresh.hex() not in path.read_text()


def test_a_counter_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    path.write_text("hello\nworld\n")
    config = HostConfig(meters=tuple(settings("M1")), listen=(ListenConfig(port=0),), counters=path)
    with pytest.raises(ConfigError, match=r"counters\.json, line 1"):
        run(MeterHost(config).start())


@pytest.mark.covers("SEC-11", "SEC-12")
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Fault.HANG, "timeout"),
        (Fault.CLOSE_MID_FRAME, "link"),
        (Fault.WRONG_INVOKE_ID, "protocol"),
        (Fault.WRONG_KEY, "authentication"),
        (Fault.ENDLESS_BLOCKS, "protocol"),
    ],
)
def test_a_faulty_meter_fails_in_its_own_way_and_the_next_one_does_not(fault: Fault, cause: str) -> None:
    async def work() -> None:
        meters = settings("M1", "M2")
        async with serve_meters(meters) as host:
            inject(host, "M1", fault)
            bad = await session(host.endpoints[0], meters[0], NAME, timeout_s=0.3)
            good = await session(host.endpoints[1], meters[1], NAME)
            assert isinstance(bad[-1], Failed)
            assert bad[-1].cause == cause
            assert isinstance(good[-1], Released)
            inject(host, "M1", None)
            healed = await session(host.endpoints[0], meters[0], NAME, counter=1000)
            assert isinstance(healed[-1], Released)

    run(work())
