"""A module reads the meter it sits on, says what it read, and says when it could not."""

from __future__ import annotations

import asyncio

import pytest

from meterway.base.errors import ConfigError, LinkError, ProtocolError
from meterway.meter.mbus import records
from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import UNREAD, MbusMeter
from meterway.meter.mbus.legacy import LegacyConfig, LegacyHost
from meterway.meter.mbus.module import Module, energy_of, read_port
from meterway.meter.mbus.usage import Utility
from meterway.stacks.iec21.messages import DataMessage, DataSet

pytestmark = pytest.mark.covers("P13", "IF-M")
NOW_S = 1_780_000_000.0


def module_at(place: str) -> MbusMeter:
    return MbusMeter(MeterConfig(ident="50000001", utility=Utility.ELECTRICITY, security=0, reads=place))


def one(*sets: DataSet) -> DataMessage:
    return DataMessage(lines=(sets,))


def test_the_energy_of_a_readout_is_found_by_its_code_and_unit() -> None:
    assert energy_of(one(DataSet(address="1.8.0", value="061561.289", unit="kWh"))) == 61_561_289
    assert energy_of(one(DataSet(address="1-1:1.8.0", value="00051206", unit="kWh"))) == 51_206_000
    assert energy_of(one(DataSet(address="1.8.0", value="1.5", unit="MWh"))) == 1_500_000
    assert energy_of(one(DataSet(address="1.8.0", value="061561.289"))) is None
    assert energy_of(one(DataSet(address="1.8.0", value="x", unit="kWh"))) is None
    assert energy_of(one(DataSet(address="2.8.0", value="1", unit="kWh"))) is None


def test_a_module_tells_what_it_read_and_nothing_from_before_it_was_there() -> None:
    async def live() -> None:
        host = LegacyHost((LegacyConfig(serial="40000001"),), lambda: NOW_S)
        await host.start()
        meter = module_at(f"127.0.0.1:{host.ports['40000001']}")
        module = Module(meter, lambda: NOW_S, lambda _: None)
        assert len(records.current(meter, NOW_S)) == 2
        await module.start()
        truth = host.meters["40000001"].energy(NOW_S)
        assert meter.at(NOW_S) == (truth,)
        assert len(records.current(meter, NOW_S)) == 4
        assert (records.due(meter, NOW_S), records.history(meter, NOW_S)) == ([], [])
        assert not meter.error_flags & UNREAD
        await host.stop()
        await module.read()
        assert meter.error_flags & UNREAD
        assert meter.at(NOW_S) == (truth,)
        await module.stop()

    asyncio.run(live())


def test_a_port_that_is_closed_or_says_something_else_is_an_error() -> None:
    async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()
        await writer.wait_closed()

    async def live() -> None:
        server = await asyncio.start_server(chatter, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProtocolError):
            await read_port("127.0.0.1", port)
        server.close()
        await server.wait_closed()
        with pytest.raises(LinkError):
            await read_port("127.0.0.1", port)

    asyncio.run(live())


def test_a_module_has_a_place_to_read_and_is_an_electricity_meter() -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        Module(module_at("nowhere"), lambda: 0.0, lambda _: None)
    with pytest.raises(ValueError, match="electricity"):
        MeterConfig(ident="50000001", utility=Utility.GAS, reads="127.0.0.1:1")
