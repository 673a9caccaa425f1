"""Interface L: a gateway on a neighbourhood network answers its coordinator as it answers on a line."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from lnap_town import RadioMeter, listed, settings
from meterway.base.errors import ConfigError, LinkError
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.stationed import Stationed
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood import preset
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.lnap.links_config import PushConfig, UplinkConfig
from meterway.lnap.serve import Lnap
from meterway.lnap.uplink import Uplink
from meterway.mapping.party_keys import device_name, party_keys
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.client import Associated, ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import Keys
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.xdlms.ciphered import GeneralCiphered
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Joined, StationEvent, Undelivered
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


@pytest.mark.covers("IF-L", "E-LNAP", "UC-EV-02")
def test_a_gateway_pushes_its_alarms_through_its_concentrator_and_keeps_them_until_it_can(tmp_path: Path) -> None:
    async def live() -> None:
        medium = preset("prime", loss=0.0, hops=1, max_frame=1100)
        push = PushConfig(over="uplink", party="operator", retry_s=0.05, answer_s=0.3)
        meter = RadioMeter()
        hub = NeighbourhoodHub(medium, time_factor=50.0)
        port = await hub.open()
        uplink = UplinkConfig(port=port, node=4, retry_s=0.05)
        config = settings(tmp_path, wan=None, uplink=uplink, push=push, meters=(listed(meter),))
        lnap = Lnap(config, station=ToyStation)
        client = NeighbourhoodClient()
        try:
            await lnap.start()
            assert lnap.pusher is not None
            lnap.ledger.gateway.log(lnap.now(), Code.REPLAY, 1)  # nobody above yet: it waits
            lnap.ledger.flush()
            lnap.pusher.wake()
            await until(lambda: lnap.pusher is not None and lnap.pusher.failed)
            await client.connect(port)
            top = Concentrator(client)
            pushed: list[Apdu] = []
            took = top._on_event

            def hear(event: StationEvent) -> None:
                if isinstance(event, Apdu) and event.apdu[0] == 0xDB:
                    pushed.append(event)
                took(event)

            top.stationed._on_event = hear
            await until(lambda: top.joined == [config.title])
            (party, *_) = config.parties
            made = party_keys(party.octets, party.name, device_name(config.serial, config.serial))
            top.open(config.title, Keys(made["guek"], made["gak"]))
            await until(lambda: pushed)
            (first, *_) = pushed
            assert (first.client, first.server) == (1, 2)
            envelope = decode_apdu(first.apdu)
            assert isinstance(envelope, GeneralCiphered)
            assert envelope.system_title == lnap.site.title(1)
            await until(lambda: lnap.pusher is not None and lnap.pusher.sent == 1)
            assert lnap.ledger.spool.to_tell() == []
        finally:
            client.close()
            await lnap.stop()
            await hub.close()

    asyncio.run(live())


def test_what_the_network_gives_up_was_not_delivered() -> None:
    async def live() -> None:
        class Deaf(ToyStation):
            coordinator = EUI

            def send_apdu(self, eui, apdu, **_):  # type: ignore[no-untyped-def]
                self._events.append(Undelivered(eui=eui, apdu=apdu, reason="no answer"))

        class Port:
            node = 4

            def listen(self, on_frame: object) -> None: ...
            def send(self, octets: bytes, *, to: int, urgent: bool = False) -> None: ...
            def close(self) -> None: ...

        uplink = Uplink(Deaf(b"GATEWAY1"), Port(), LoopClock(time.time), lambda _: None)
        with pytest.raises(LinkError, match="no network"):
            await uplink.carry(b"\xdb", 1, 1, wait_s=0.2)
        uplink.is_member = True
        with pytest.raises(LinkError, match="gave it up"):
            await uplink.carry(b"\xdb", 1, 1, wait_s=5.0)

    asyncio.run(live())


def test_settings_of_an_uplink_are_checked() -> None:
    with pytest.raises(ValueError, match="no profile"):
        UplinkConfig(port=1, node=1, profile="smoke")
    assert UplinkConfig(port=1, node=1).octets == b""
    assert UplinkConfig(port=1, node=1, key="ab" * 16).octets == b"\xab" * 16
    with pytest.raises(ConfigError, match="uplink, key"):
        assert UplinkConfig(port=1, node=1, key="abc").octets
    with pytest.raises(ValueError, match="port is wanted"):
        PushConfig(party="operator")
