"""Meters on real sockets."""

import asyncio
from typing import Any

import pytest

from meter.sessions import LOAD, NAME, run, session, settings, values
from meterway.base.errors import ConfigError
from meterway.links import udp
from meterway.meter.api import (
    EventCode,
    H1Config,
    HostConfig,
    ListenConfig,
    Log,
    MeterHost,
    serve_meters,
)
from meterway.stacks.dlms.client import Released
from meterway.stacks.dlms.wrapper import decode_datagram
from meterway.stacks.p1 import telegram as p1


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


@pytest.mark.parametrize("transport", ["tcp", "hdlc"])
def test_many_meters_share_one_port_behind_wrapper_ports_or_hdlc_addresses(transport: Any) -> None:
    async def work() -> None:
        meters = settings("M1", "M2", "M3")
        listen = ListenConfig(port=0, transport=transport, sharing="wrapper-ports")
        async with serve_meters(meters, listen=[listen]) as host:
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


@pytest.mark.covers("IF-H1", "F6a", "X-28")
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


@pytest.mark.covers("P14", "E-LOCAL")
def test_a_meter_without_a_line_answers_at_its_local_port_only_and_notes_who_was_there() -> None:
    async def work() -> None:
        meters = settings("M1")
        listen = [ListenConfig(port=0), ListenConfig(port=0, transport="hdlc", is_local=True)]
        async with serve_meters(meters, listen=listen) as host:
            wide, local = host.endpoints
            assert (wide.is_local, local.is_local) == (False, True)
            host.cut_line("M1")
            assert not isinstance((await session(wide, meters[0], NAME, timeout_s=1.0))[-1], Released)
            assert values(await session(local, meters[0], NAME, counter=10)) == [b"MWYM1"]
            host.restore_line("M1")
            assert values(await session(wide, meters[0], NAME, counter=20)) == [b"MWYM1"]
            codes = [event.code for event in host.meters["M1"].logged if event.log is Log.COMMUNICATION]
            assert codes == [
                EventCode.CONTEXT_DESTROYED, EventCode.LOCAL_COMMUNICATION, EventCode.CONTEXT_ESTABLISHED,
            ]  # fmt: skip

    run(work())


def test_a_local_port_is_one_meters_own() -> None:
    with pytest.raises(ValueError, match="local port"):
        ListenConfig(is_local=True, sharing="wrapper-ports")
    with pytest.raises(ValueError, match="local port"):
        ListenConfig(is_local=True, transport="udp")
