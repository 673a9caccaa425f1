"""Interface L: a gateway on a neighbourhood network answers its coordinator as it answers on a line."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from lnap_town import settings
from meterway.base.errors import ConfigError
from meterway.interfaces.stationed import Stationed
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood import preset
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.lnap.links_config import UplinkConfig
from meterway.lnap.serve import Lnap
from meterway.mapping.party_keys import device_name, party_keys
from meterway.stacks.dlms.client import Associated, ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, StationEvent
from stacks.neighbourhood.toy_station import ToyStation

EUI = b"CONCENTR"


class Concentrator:
    """A coordinator with one association behind it."""

    def __init__(self, client: NeighbourhoodClient) -> None:
        self.clock = LoopClock(time.time)
        self.station = ToyStation(EUI, admit=lambda eui: b"")
        self.joined: list[bytes] = []
        self.events: list[object] = []
        self.framing: StationFraming | None = None
        self.engine: DlmsClient | None = None
        self.stationed = Stationed(self.station, client.join(0), self.clock, self._on_event)
        self.stationed.start()

    def _on_event(self, event: StationEvent) -> None:
        if isinstance(event, Joined):
            self.joined.append(event.member.eui)
        elif isinstance(event, Apdu) and self.framing is not None and self.engine is not None:
            self.framing.take(event)
            self.engine.receive_data(b"\0", self.clock.now())
            self.drain()

    def open(self, eui: bytes, keys: Keys) -> None:
        self.framing = StationFraming(self.station, eui, 1, 1, role=Role.CLIENT)
        wanted = ClientSettings(
            mechanism=5, control=0x30, keys=keys, system_title=b"MWYHEAD1",
            send_counter=SendCounter(int(time.time())), response_timeout_s=10.0,
        )  # fmt: skip
        self.engine = DlmsClient(self.framing, wanted)
        self.engine.open(self.clock.now())
        self.drain()

    def drain(self) -> None:
        while self.engine is not None and (event := self.engine.next_event()) is not None:
            self.events.append(event)
        self.stationed.flush()


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.covers("IF-L", "E-LNAP")
def test_a_gateway_joins_answers_and_comes_back_with_the_hub(tmp_path: Path) -> None:
    async def live() -> None:
        medium = preset("prime", loss=0.0, hops=1, max_frame=1100)
        hub = NeighbourhoodHub(medium, time_factor=50.0)
        port = await hub.open()
        uplink = UplinkConfig(port=port, node=4, retry_s=0.05)
        config = settings(tmp_path, wan=None, uplink=uplink)
        lnap = Lnap(config, station=ToyStation)
        client = NeighbourhoodClient()
        await client.connect(port)
        try:
            top = Concentrator(client)
            await lnap.start()
            assert lnap.ports == {}
            await until(lambda: top.joined == [config.title])
            (party, *_) = config.parties
            made = party_keys(party.octets, party.name, device_name(config.serial, config.serial))
            top.open(config.title, Keys(made["guek"], made["gak"]))
            await until(lambda: top.events)
            assert isinstance(top.events[0], Associated), top.events
            await hub.close()
            again = NeighbourhoodHub(medium, time_factor=50.0)
            assert await again.open(port=port) == port
            fresh = NeighbourhoodClient()
            await fresh.connect(port)
            back = Concentrator(fresh)
            await until(lambda: back.joined == [config.title])
            fresh.close()
            await again.close()
        finally:
            client.close()
            await lnap.stop()
            await hub.close()

    asyncio.run(live())


def test_settings_of_an_uplink_are_checked() -> None:
    with pytest.raises(ValueError, match="no profile"):
        UplinkConfig(port=1, node=1, profile="smoke")
    assert UplinkConfig(port=1, node=1).octets == b""
    assert UplinkConfig(port=1, node=1, key="ab" * 16).octets == b"\xab" * 16
    with pytest.raises(ConfigError, match="uplink, key"):
        assert UplinkConfig(port=1, node=1, key="abc").octets
