"""Meters as nodes, read by DLMS through the toy station over the simulated medium."""

import asyncio
import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.interfaces.stationed import Stationed
from meterway.links.clocks import LoopClock
from meterway.links.medium.neighbourhood import SimulatedNeighbourhood, preset
from meterway.links.medium.neighbourhood.client import NeighbourhoodClient
from meterway.links.medium.neighbourhood.hub import NeighbourhoodHub
from meterway.meter.api import Fault, Keys, MeterConfig, inject
from meterway.meter.counters import FileCounters
from meterway.meter.device import ALARM_PUSH
from meterway.meter.events import EventCode, Log
from meterway.meter.nodes import MeterNodes, NodeSettings
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.client import Associated, ClientSettings, DlmsClient, Failed, GetDone
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import Keys as AssociationKeys
from meterway.stacks.dlms.security.context import SecurityContext
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.xdlms.notification import DataNotification
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.dlms.xdlms.set import SetRequestNormal
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.profiles import PROFILES
from meterway.stacks.neighbourhood.station import Apdu, Joined, Undelivered
from stacks.neighbourhood.toy_station import ToyStation

SECRET = bytes(range(16))
NOW = datetime(2026, 3, 11, 11, 3, 20, tzinfo=UTC).timestamp()
LOAD = AttributeDescriptor(7, Obis(1, 0, 99, 1, 0), 2)
NAME = AttributeDescriptor(1, Obis(0, 0, 42, 0, 0), 2)
GBEK, GBAK = bytes(range(32, 48)), bytes(range(48, 64))
CLOCK = AttributeDescriptor(8, Obis(0, 0, 1, 0, 0), 2)
BROADCAST_CLIENT = 102
ROOM = 1100
"""The toy station cuts nothing and repeats nothing: its frames are long, and the medium repeats them the more."""


def config(serial, **changes):
    keys = replace(Keys.derive(SECRET, serial), gbek=GBEK, gbak=GBAK)
    return MeterConfig(serial=serial, keys=keys, installed=date(2026, 1, 1), profile_days=3, **changes)


class Concentrator:
    """The other side: a coordinator and DLMS clients behind it."""

    def __init__(self, clock, port, eui=b"CONCENTR", station=None):
        self.clock = clock
        self.station = station or ToyStation(eui, admit=lambda eui: b"")
        self.joined, self.events, self.pushed = [], [], []
        self._clients = {}
        self.stationed = Stationed(self.station, port, clock, self._event)
        self.stationed.start()

    def _event(self, event):
        if isinstance(event, Joined):
            self.joined.append(event.member.eui)
        elif isinstance(event, Apdu) and event.eui in self._clients and event.apdu[:1] != b"\xdb":
            framing, client = self._clients[event.eui]
            framing.take(event)
            client.receive_data(event.apdu, self.clock.now())
            self._collect(client)
        elif isinstance(event, Apdu):
            self.pushed.append(event)

    def open(self, meter, **changes):
        framing = StationFraming(self.station, meter.title, 1, 1, role=Role.CLIENT)
        wanted = {
            "mechanism": 5,
            "control": 0x30,
            "keys": AssociationKeys(meter.keys.guek, meter.keys.gak),
            "system_title": self.station.eui,
            "send_counter": SendCounter(),
            "received": ReceivedCounter(),
            "response_timeout_s": 60.0,
        }
        client = DlmsClient(framing, ClientSettings(**(wanted | changes)))
        self._clients[meter.title] = framing, client
        client.open(self.clock.now())
        self._collect(client)
        return client

    def get(self, client, *asked):
        for attribute in asked:
            client.get(attribute, now=self.clock.now())
        self._collect(client)

    def _collect(self, client):
        while (event := client.next_event()) is not None:
            self.events.append(event)
        self.stationed.flush()

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def scene(count=24, *, settings=None, station=ToyStation, counters=None, **changes):
    """A network with a concentrator and meters, at noon."""
    network = SimulatedNeighbourhood(
        preset(
            "prime",
            **({"loss": 0.10, "hops": 3, "max_frame": ROOM, "lifetime_s": 0.0, "repetitions": 7, "seed": 3} | changes),
        ),
        start=NOW,
    )
    concentrator = Concentrator(network, network.join(0))
    meters = MeterNodes(network, station, settings=settings, counters=counters)
    for number in range(1, count + 1):
        meters.add(config(f"M{number:04d}"), lambda number=number: network.join(number))
    return network, concentrator, meters


@pytest.mark.covers("IF-C", "P2")
def test_a_load_profile_is_read_in_blocks_over_three_lossy_hops():
    network, concentrator, meters = scene()
    network.run(NOW + 300)
    meter = meters.meters["M0017"]
    assert {route.node: route.hops for route in network.routes()}[17] == 3
    assert sorted(concentrator.joined) == sorted(each.title for each in meters.meters.values())
    client = concentrator.open(meter)
    network.run(NOW + 330)
    assert len(concentrator.of(Associated)) == 1
    concentrator.get(client, LOAD)
    network.run(NOW + 400)
    assert concentrator.of(Failed) == []
    (done,) = concentrator.of(GetDone)
    rows = axdr.to_native(done.result)[0]
    assert len(rows) == 3 * 96
    assert len(done.result) > 4 * concentrator.station.max_apdu  # so it came in blocks
    first, last = rows[0], rows[-1]
    assert last[2] - first[2] == meter.energy_at(NOW // 900 * 900)[0] - meter.energy_at(NOW // 900 * 900 - 287 * 900)[0]
    assert network.statistics.repetitions > 0
    assert meters.counts["requests"] > 5


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.covers("IF-C", "P2", "E-NNAP-1")
def test_meters_are_read_through_the_stations_of_each_profile_over_three_lossy_hops(name):
    profile = PROFILES[name]
    network = SimulatedNeighbourhood(preset(name, loss=0.10, hops=3, seed=3), start=NOW)
    keys = {}
    station = profile.coordinator(b"CONCENTR", lambda eui: keys.get(eui))
    concentrator = Concentrator(network, network.join(0), station=station)
    meters = MeterNodes(network, lambda eui: profile.node(eui, bytes(range(16))))
    for number in range(1, 25):
        made = config(f"M{number:04d}")
        keys[made.title] = bytes(range(16))
        meters.add(made, lambda number=number: network.join(number), after_s=number * 10.0)
    network.run(NOW + 1800)
    assert len(station.members) == 24
    assert all(node.is_member for node in meters.nodes.values())
    read = [meters.meters[serial] for serial in ("M0001", "M0017")]
    clients = [concentrator.open(meter, response_timeout_s=300.0) for meter in read]
    network.run(NOW + 2400)
    assert len(concentrator.of(Associated)) == 2
    for client in clients:
        concentrator.get(client, LOAD)
    network.run(NOW + 3600)
    assert concentrator.of(Failed) == []
    assert [len(axdr.to_native(event.result)[0]) for event in concentrator.of(GetDone)] == [3 * 96] * 2
    read[1].log(network.now(), Log.FRAUD, EventCode.STRONG_FIELD)
    network.run(NOW + 3660)
    assert 1 << 13 in axdr.to_native(pushed(concentrator, read[1]).body)[0]


def test_several_meters_are_read_at_the_same_time():
    network, concentrator, meters = scene()
    network.run(NOW + 300)
    clients = [concentrator.open(meter) for meter in meters.meters.values()]
    network.run(NOW + 360)
    assert len(concentrator.of(Associated)) == 24
    for client in clients:
        concentrator.get(client, NAME)
    network.run(NOW + 420)
    names = {axdr.to_native(event.result)[0] for event in concentrator.of(GetDone)}
    assert names == {meter.logical_device_name for meter in meters.meters.values()}


def test_sessions_are_made_only_for_those_who_are_asked():
    network, concentrator, meters = scene()
    network.run(NOW + 300)
    concentrator.open(meters.meters["M0001"])
    network.run(NOW + 330)
    assert [serial for serial, node in meters.nodes.items() if node._servers] == ["M0001"]


def broadcast(concentrator, request, *, gbek=GBEK, counter=0, client=BROADCAST_CLIENT, server=1):
    """Send a request under the broadcast key to everyone."""
    security = SecurityContext(
        keys=AssociationKeys(gbek, GBAK),
        own_title=b"CONCENTR",
        peer_title=b"",
        send_counter=SendCounter(counter),
        received=ReceivedCounter(),
        control=0x70,
    )
    apdu, now = security.protect_general(request.encode()), concentrator.clock.now()
    concentrator.station.send_apdu(None, apdu, client=client, server=server, now=now)
    concentrator.stationed.flush()


NOON = SetRequestNormal(
    invoke=0x81, attribute=CLOCK, value=axdr.encode(axdr.octets(bytes.fromhex("07ea030b030c000000ffc400")))
)
"""Sets a clock to 12 o'clock of standard time in central Europe: 200 s before the scene begins."""


@pytest.mark.covers("E-NNAP-5", "UC-IN-02")
def test_the_clocks_of_all_meters_are_set_by_one_broadcast_without_an_answer():
    network, concentrator, meters = scene(loss=0.0)
    network.run(NOW + 300)
    for meter in meters.meters.values():
        meter.clock_offset_s = 55.0
    sent = network.statistics.sent
    broadcast(concentrator, NOON)
    network.run(NOW + 320)
    assert meters.counts == {"broadcasts": 24}
    assert all(abs(meter.clock(network.now()) - NOW + 180) < 1.0 for meter in meters.meters.values())
    assert network.statistics.sent == sent
    broadcast(concentrator, NOON)  # once more, because somebody may have missed it
    network.run(NOW + 340)
    assert meters.counts == {"broadcasts": 24, "broadcasts not done": 24}
    assert all(abs(meter.clock(network.now()) - NOW + 160) < 1.0 for meter in meters.meters.values())
    assert not any(event.code == EventCode.REPLAY_ATTACK for meter in meters.meters.values() for event in meter.logged)


def test_a_broadcast_without_the_groups_key_or_for_another_device_does_nothing():
    network, concentrator, meters = scene(4, loss=0.0)
    network.run(NOW + 300)
    broadcast(concentrator, NOON, gbek=bytes(16))
    broadcast(concentrator, NOON, client=1)
    broadcast(concentrator, NOON, server=9)
    network.run(NOW + 320)
    assert meters.counts == {"broadcasts not done": 12}
    assert {meter.clock_offset_s for meter in meters.meters.values()} == {0.0}


def pushed(concentrator, meter):
    """The notification inside the last push of a meter."""
    event = [each for each in concentrator.pushed if each.eui == meter.title][-1]
    context = SecurityContext(
        keys=AssociationKeys(meter.keys.guek, meter.keys.gak),
        own_title=b"CONCENTR",
        peer_title=meter.title,
        send_counter=SendCounter(),
        received=ReceivedCounter(),
    )
    return decode_apdu(context.open(decode_apdu(event.apdu).protected))


class Knows(ToyStation):
    """A toy that can name its coordinator."""

    @property
    def coordinator(self):
        return next(iter(self.members), b"")


@pytest.mark.covers("F2a")
def test_an_alarm_is_pushed_up_through_the_station():
    network, concentrator, meters = scene(station=Knows)
    network.run(NOW + 300)
    meter = meters.meters["M0017"]
    meter.log(network.now(), Log.FRAUD, EventCode.STRONG_FIELD)
    network.run(NOW + 310)
    notification = pushed(concentrator, meter)
    assert isinstance(notification, DataNotification)
    values = axdr.to_native(notification.body)[0]
    assert 1 << 13 in values
    assert (concentrator.pushed[0].client, concentrator.pushed[0].server) == (1, 1)


def test_a_push_waits_until_it_is_known_to_whom():
    network, concentrator, meters = scene(2)
    meter = meters.meters["M0001"]
    meter.log(NOW, Log.FRAUD, EventCode.STRONG_FIELD)
    network.run(NOW + 300)
    assert concentrator.pushed == []
    concentrator.open(meter)
    network.run(NOW + 330)
    assert len(concentrator.pushed) == 1
    assert isinstance(pushed(concentrator, meter), DataNotification)


@pytest.mark.covers("X-07")
def test_a_dark_meter_says_its_last_gasp_leaves_silently_and_comes_back():
    network, concentrator, meters = scene(station=Knows, settings=NodeSettings(hold_s=5.0))
    network.run(NOW + 300)
    meter = meters.meters["M0009"]
    meters.cut_supply("M0009")
    client = concentrator.open(meter, response_timeout_s=5.0)
    network.run(NOW + 304)
    assert len(concentrator.pushed) == 1
    assert meters.counts["requests"] == 0
    assert network.medium.nodes[9]
    network.run(NOW + 320)
    assert not network.medium.nodes[9]
    assert meters.nodes["M0009"].station is None
    client.handle_timeout(network.now())
    concentrator._collect(client)
    assert len(concentrator.of(Failed)) == 1
    meters.restore_supply("M0009")
    network.run(NOW + 500)
    assert network.medium.nodes[9]
    assert concentrator.joined.count(meter.title) == 2
    assert len(concentrator.pushed) == 2
    concentrator.open(meter, send_counter=SendCounter(100))
    network.run(NOW + 560)
    assert len(concentrator.of(Associated)) == 1


def test_a_supply_that_comes_back_while_the_meter_holds_out_changes_nothing():
    network, concentrator, meters = scene(4, station=Knows, settings=NodeSettings(hold_s=5.0))
    network.run(NOW + 300)
    meters.cut_supply("M0001")
    network.run(NOW + 303)
    meters.restore_supply("M0001")
    network.run(NOW + 400)
    assert concentrator.joined.count(meters.meters["M0001"].title) == 1
    assert meters.nodes["M0001"].is_member


def test_without_a_reserve_a_dark_meter_says_nothing():
    network, concentrator, meters = scene(4, station=Knows, settings=NodeSettings(hold_s=0.0))
    network.run(NOW + 300)
    meters.cut_supply("M0001")
    assert not network.medium.nodes[1]
    network.run(NOW + 400)
    assert concentrator.pushed == []


class GivesUp(Knows):
    """A toy that could not deliver its first APDU to the coordinator."""

    failed = 0

    def send_apdu(self, eui, apdu, **rest):
        if GivesUp.failed < 2:
            GivesUp.failed += 1
            self._events.append(Undelivered(eui=eui, apdu=apdu, reason="nobody listens"))
        else:
            super().send_apdu(eui, apdu, **rest)


def test_a_push_that_was_not_delivered_is_tried_again():
    GivesUp.failed = 0
    network, concentrator, meters = scene(2, station=GivesUp, settings=NodeSettings(push_retry_s=30.0))
    network.run(NOW + 300)
    meters.meters["M0001"].on_push(meters.meters["M0001"], ALARM_PUSH, network.now())
    network.run(NOW + 359)
    assert (meters.counts["pushes"], meters.counts["undelivered"], concentrator.pushed) == (2, 2, [])
    network.run(NOW + 400)
    assert len(concentrator.pushed) == 1
    GivesUp.failed = -10
    meters.meters["M0001"].on_push(meters.meters["M0001"], ALARM_PUSH, network.now())
    network.run(NOW + 700)
    assert meters.counts["pushes given up"] == 1


def test_a_meter_moves_between_two_concentrators():
    network = SimulatedNeighbourhood(preset("prime", coordinators=(0, 1), loss=0.0, hops=2, max_frame=ROOM), start=NOW)
    first, second = (Concentrator(network, network.join(node), b"CONCENT%d" % node) for node in (0, 1))
    second.station._admit = lambda eui: None
    meters = MeterNodes(network, Knows)
    meters.add(config("M1"), lambda: network.join(9))
    meter = meters.meters["M1"]
    network.run(NOW + 60)
    assert (first.joined, second.joined) == ([meter.title], [])
    first.station._admit, second.station._admit = lambda eui: None, lambda eui: b""
    meters.nodes["M1"].leave()
    meters.nodes["M1"].enter()
    network.run(NOW + 120)
    assert second.joined == [meter.title]
    second.open(meter)
    network.run(NOW + 180)
    assert len(second.of(Associated)) == 1


def test_meters_come_up_when_they_are_told_to():
    network, _, meters = scene(1)
    meters.add(config("LATE"), lambda: network.join(5), after_s=100.0)
    meters.add(config("DARK"), lambda: network.join(6), after_s=100.0)
    meters.meters["DARK"].cut_supply(network.now())
    network.run(NOW + 99)
    assert set(network.medium.nodes) == {0, 1}
    network.run(NOW + 150)
    assert set(network.medium.nodes) == {0, 1, 5}
    assert meters.nodes["LATE"].is_member


def test_what_cannot_be_a_meter_is_refused():
    network, _, meters = scene(1)
    with pytest.raises(ConfigError, match="M0001 is there already"):
        meters.add(config("M0001"), lambda: network.join(7))
    with pytest.raises(ConfigError, match="nowhere"):
        meters.add(config("M0009", country="nowhere"), lambda: network.join(7))
    assert set(network.medium.nodes) == {0, 1}


def test_a_hanging_meter_takes_requests_and_never_answers():
    network, concentrator, meters = scene(2)
    network.run(NOW + 300)
    inject(meters, "M0001", Fault.HANG)
    client = concentrator.open(meters.meters["M0001"], response_timeout_s=5.0)
    network.run(NOW + 310)
    client.handle_timeout(network.now())
    concentrator._collect(client)
    assert len(concentrator.of(Failed)) == 1
    assert meters.counts["requests"] == 1


def test_scheduled_actions_are_looked_at_and_what_changed_is_kept(tmp_path):
    counters = FileCounters(tmp_path / "counters")
    network, _, meters = scene(2, settings=NodeSettings(watch_s=10.0), counters=counters)
    meter = meters.meters["M0001"]
    meter.set_clock(NOW - 500, NOW)
    network.run(NOW + 300)
    meters.cut_supply("M0002")
    meters.close()
    assert set(network.medium.nodes.values()) == {True, False}
    counters.close()
    counters = FileCounters(tmp_path / "counters")
    _, _, again = scene(2, counters=counters)
    assert again.meters["M0001"].clock_offset_s == -500
    assert not again.meters["M0002"].is_dark
    counters.close()


def test_the_same_seed_reads_in_the_same_time():
    def story():
        network, concentrator, meters = scene(8)
        network.run(NOW + 100)
        concentrator.get(concentrator.open(meters.meters["M0001"]), NAME)
        network.run(NOW + 200)
        return network.statistics

    assert story() == story()


def test_meters_on_nodes_are_small():
    network, _, _ = scene(1)  # what meters share is there
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    meters = MeterNodes(network, ToyStation)
    for number in range(2, 202):
        meters.add(config(f"S{number}"), lambda number=number: network.join(number), after_s=1e6)
    size = (tracemalloc.get_traced_memory()[0] - before) / 200
    tracemalloc.stop()
    assert size < 3500  # of these some 2 kB are the meter, its settings and its keys


@pytest.mark.covers("IF-C")
def test_the_same_meters_run_in_real_time_through_a_hub():
    async def run():
        hub = NeighbourhoodHub(preset("prime", loss=0.05, hops=3, max_frame=ROOM), time_factor=50.0)
        port = await hub.open()
        clock = LoopClock()
        near, far = NeighbourhoodClient(), NeighbourhoodClient()
        await near.connect(port)
        await far.connect(port)
        concentrator = Concentrator(clock, near.join(0))
        while 0 not in hub.medium.nodes:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        meters = MeterNodes(clock, ToyStation)
        for number in (1, 9, 17):
            meters.add(config(f"M{number}"), lambda number=number: far.join(number))
            while number not in hub.medium.nodes:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        async with asyncio.timeout(30):
            while len(concentrator.joined) < 3:
                for node in meters.nodes.values():  # the toy says hello every ten seconds; here it is asked to
                    if not node.is_member:
                        node.station.handle_timeout(clock.now())
                        node._stationed.flush()
                await asyncio.sleep(0.1)
            client = concentrator.open(meters.meters["M17"])
            while not concentrator.of(Associated):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            concentrator.get(client, LOAD)
            while not concentrator.of(GetDone):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert len(axdr.to_native(concentrator.of(GetDone)[0].result)[0]) == 3 * 96
        meters.close()
        near.close()
        far.close()
        await hub.close()

    asyncio.run(run())
