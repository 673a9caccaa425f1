"""A concentrator and virtual meters on a tiny network of one shared channel, on a clock that runs when told to.

The carrier is ours and a model: hops, loss on each with a few repetitions, urgent frames first, airtime counted. The
stations are toy ones, the meters and their DLMS servers are the real virtual meters.
"""

import asyncio
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from heapq import heappop, heappush
from random import Random

from meterway.base.obis import Obis
from meterway.headend.unasked import UnaskedFraming
from meterway.interfaces.stationed import Stationed
from meterway.links import tcp
from meterway.links.clocks import LoopClock
from meterway.links.node import BROADCAST, FrameHeard
from meterway.links.pump import EngineProtocol
from meterway.mapping.party_keys import device_name, party_keys
from meterway.meter.api import Keys, Meter, MeterConfig
from meterway.meter.counters import ClockCounters
from meterway.meter.objects import LogicalMeter
from meterway.nnap.api import BroadcastConfig, Nnap, NnapConfig, NodeConfig, PartyConfig, PlanConfig, SideConfig
from meterway.nnap.device import Concentrator, Rules
from meterway.nnap.driver import Driver
from meterway.nnap.ledger import Ledger
from meterway.nnap.node import Node
from meterway.nnap.plan import PlanRules
from meterway.nnap.reading import ReadRules
from meterway.nnap.store import Store
from meterway.stacks.dlms.client import ClientSettings, DlmsClient
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.gateway import GatewayAddress, GatewayFraming
from meterway.stacks.dlms.security.context import Keys as ApplicationKeys
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.server import BroadcastServer, DlmsServer
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import Apdu, Left
from meterway.store.vault import Vault
from stacks.neighbourhood.toy_station import ToyStation

SECRET = bytes(range(16))
TITLE = b"MWYNNAP1"
EUI = b"CONCENTR"
START = 1_790_000_000.0


class _Call:
    def __init__(self, action):
        self.action = action

    def cancel(self):
        self.action = None


class Carrier:
    """A ``NodeClock`` and the channel that all nodes share."""

    def __init__(self, *, loss=0.0, bits_per_s=20_000, seed=1, start=START):
        self.time, self.loss, self.rate = start, loss, bits_per_s
        self.random = Random(seed)
        self.calls, self.count = [], 0
        self.ports, self.hops = {}, {}
        self.waiting, self.busy = ([], []), False
        self.airtime_s, self.sent = 0.0, Counter()

    def now(self):
        return self.time

    def call_at(self, when, action):
        call = _Call(action)
        self.count += 1
        heappush(self.calls, (max(when, self.time), self.count, call))
        return call

    def run(self, until):
        while self.calls and self.calls[0][0] <= until:
            self.time, _, call = heappop(self.calls)
            if call.action is not None:
                call.action()
        self.time = max(self.time, until)

    def join(self, node, hops=1):
        port = self.ports[node] = _Port(self, node)
        self.hops[node] = hops
        return port

    def send(self, source, octets, to, urgent):
        self.waiting[0 if urgent else 1].append((source, octets, to))
        if not self.busy:
            self._next()

    def _next(self):
        queue = self.waiting[0] or self.waiting[1]
        self.busy = bool(queue)
        if not queue:
            return
        source, octets, to = queue.pop(0)
        once = 0.02 + len(octets) * 8 / self.rate
        hops = max(self.hops.values()) if to == BROADCAST else max(self.hops.get(source, 0), self.hops.get(to, 0), 1)
        tries, there = 0, True
        for _ in range(hops):
            left = 1 if to == BROADCAST else 4
            while True:
                tries, left = tries + 1, left - 1
                if self.random.random() >= self.loss:
                    break
                if not left:
                    there = False
                    break
            if not there and to != BROADCAST:
                break
        self.airtime_s += tries * once
        self.sent[to == BROADCAST] += 1
        self.call_at(self.time + tries * once, lambda: self._arrived(source, octets, to, hops, there))

    def _arrived(self, source, octets, to, hops, there):
        for node in list(self.ports):
            if node == source or to not in (node, BROADCAST):
                continue
            if to == BROADCAST:
                there = all(self.random.random() >= self.loss for _ in range(self.hops[node]))
            port = self.ports.get(node)
            if there and port is not None and port.on_frame is not None:
                heard = FrameHeard(
                    octets=octets, source=source, time_s=self.time, hops=hops, is_broadcast=to == BROADCAST
                )
                port.on_frame(heard)
        self._next()


class _Port:
    def __init__(self, carrier, node):
        self.carrier, self.node, self.on_frame = carrier, node, None

    def listen(self, on_frame):
        self.on_frame = on_frame

    def send(self, octets, *, to, urgent=False):
        self.carrier.send(self.node, octets, to, urgent)

    def close(self):
        self.carrier.ports.pop(self.node, None)


class MeterNode:
    """A virtual meter on a node: its server answers whoever asks."""

    def __init__(self, carrier, number, config, *, hops=1, station=None):
        self.meter = Meter(config)
        self.eui = config.title
        self.carrier = carrier
        self.logical = LogicalMeter(self.meter, ClockCounters(carrier.now), lambda now: now)
        self.stationed = Stationed(station or ToyStation(self.eui), carrier.join(number, hops), carrier, self._event)
        self.servers = {}

    def _event(self, event):
        if isinstance(event, Left):
            self.servers.clear()
        if not isinstance(event, Apdu):
            return
        if event.is_broadcast:
            self.take_broadcast(event)
            return
        server, framing = self.servers.get(event.client) or self._serve(event)
        framing.take(event)
        server.receive_data(b"\0", self.carrier.now())

    def _serve(self, event):
        framing = StationFraming(self.stationed.station, event.eui, event.client, event.server, role=Role.SERVER)
        server = DlmsServer(framing, lambda number: self.logical if number == 1 else None)
        self.servers[event.client] = server, framing
        return server, framing

    def take_broadcast(self, event):
        server = BroadcastServer(lambda number: self.logical if number == 1 else None)
        server.take(event.apdu, client=event.client, server=event.server, now=self.carrier.now())

    def start(self):
        self.stationed.start()


BROADCAST_KEYS = ApplicationKeys(bytes(range(16, 32)), bytes(range(32, 48)))


def meter_config(number, **changes):
    serial = f"M{number:05d}"
    keys = Keys.derive(SECRET, serial)
    keys.gbek, keys.gbak = BROADCAST_KEYS.encryption, BROADCAST_KEYS.authentication
    return MeterConfig(serial=serial, keys=keys, profile_days=5, installed=date(2026, 7, 1), **changes)


def node_of(config, channel, **changes):
    keys = ApplicationKeys(config.keys.guek, config.keys.gak)
    return Node(eui=config.title, serial=config.serial, channel=channel, title=config.title, keys=keys, **changes)


DAY = ReadRules(profiles=None, logs=(), registers=False)


@dataclass
class Network:
    """A concentrator with ``meters`` virtual meters at one to ``hops`` hops."""

    meters: int = 3
    hops: int = 1
    loss: float = 0.0
    seed: int = 1
    rules: Rules = field(default_factory=lambda: Rules(plan=PlanRules(every_s=3600.0)))
    path: object = ":memory:"
    known: bool = True
    drift_s: float = 0.0
    bits_per_s: int = 20_000
    profiles: tuple[str, ...] = ("idis",)
    """Those of the meters, in turn."""

    def __post_init__(self):
        self.carrier = Carrier(loss=self.loss, seed=self.seed, bits_per_s=self.bits_per_s)
        self.configs = [
            meter_config(number, clock_offset_s=self.drift_s, country=self.profiles[number % len(self.profiles)])
            for number in range(1, self.meters + 1)
        ]
        self.nodes = [
            MeterNode(self.carrier, number, config, hops=1 + (number - 1) % self.hops)
            for number, config in enumerate(self.configs, 1)
        ]
        self.begin()

    def begin(self):
        """A concentrator on the store, as after a start of the process."""
        self.store = Store(self.path)
        self.ledger = Ledger(self.store, Vault(bytes(32)))
        self.ledger.restore()
        station = ToyStation(EUI, admit=self.ledger.roll.admit)
        self.concentrator = Concentrator(
            self.ledger.roll,
            station,
            self.ledger,
            title=TITLE,
            rules=self.rules,
            counter=self.ledger.send_counter(at_least=0),
        )
        if self.known:
            nodes = [node_of(config, channel, profile=config.country) for channel, config in enumerate(self.configs, 1)]
            self.ledger.enlist_all(nodes, self.concentrator, self.carrier.now())
        self.driver = Driver(self.concentrator, self.carrier.join(0, 0), self.carrier)

    def start(self):
        self.driver.start()
        for node in self.nodes:
            node.start()
        return self

    def run(self, seconds):
        self.carrier.run(self.carrier.now() + seconds)

    def node(self, number=1):
        return self.concentrator.roll.nodes[self.configs[number - 1].title]

    def codes(self):
        return [event.code for event in self.concentrator.events]


class LoopCarrier(Carrier):
    """The same channel in real time, on the asyncio loop that runs; it starts at the time of day."""

    def __init__(self, **changes):
        super().__init__(bits_per_s=20_000_000, **changes)
        self.loop = asyncio.get_running_loop()
        self.clock = LoopClock()

    def now(self):
        return self.clock.now()

    def call_at(self, when, action):
        return self.clock.call_at(when, action)

    def send(self, source, octets, to, urgent):
        self.time = self.now()
        super().send(source, octets, to, urgent)

    def _arrived(self, *frame):
        self.time = self.now()
        super()._arrived(*frame)


PARTY = PartyConfig(name="operator", client=1, secret="5a" * 16, rights=("read", "command", "configure"))
READER = PartyConfig(name="reader", client=2, secret="6b" * 16)


def nnap_config(path, configs=(), **changes):
    fields = {
        "serial": "NNAP0001",
        "store": str(path / "nnap.sqlite"),
        "master_key": str(path / "nnap.key"),
        "wan": SideConfig(port=0),
        "parties": (PARTY, READER),
        "plan": PlanConfig(every_s=3600.0),
        "nodes": tuple(
            NodeConfig(
                eui=config.title.hex(), serial=config.serial, title=config.title.hex(),
                guek=config.keys.guek.hex(), gak=config.keys.gak.hex(), profile=config.country,
            )
            for config in configs
        ),
        "broadcast": BroadcastConfig(
            encryption=BROADCAST_KEYS.encryption.hex(), authentication=BROADCAST_KEYS.authentication.hex(), block_s=0.02
        ),
    }  # fmt: skip
    return NnapConfig(**{**fields, **changes})


@asynccontextmanager
async def street(path, meters=2, *, profile="idis", **changes):
    """A concentrator with virtual meters on sockets, in real time: (concentrator, meters)."""
    carrier = LoopCarrier()
    configs = [meter_config(number, country=profile) for number in range(1, meters + 1)]
    config = nnap_config(path, configs, **changes)
    nnap = Nnap(config, port=carrier.join(0, 0), station=lambda eui, admit: ToyStation(eui, admit=admit))
    nodes = [MeterNode(carrier, number, one) for number, one in enumerate(configs, 1)]
    await nnap.start()
    for node in nodes:
        node.start()
    try:
        yield nnap, nodes
    finally:
        await nnap.stop()
        for node in nodes:
            node.stationed.close()


async def until(what, seconds=15.0):
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110  what is waited for tells nobody
            await asyncio.sleep(0.02)


class Caller:
    """A head end's side: one association over TCP, with the concentrator or through it."""

    def __init__(self, port, *, server=1, client=1, party=PARTY, name="NNAP0001", behind=None, keys=None, push=None):
        made = party_keys(bytes.fromhex(party.secret), party.name, device_name("NNAP0001", name))
        self.port = port
        self.framing = WrapperFraming(client, server, role=Role.CLIENT)
        framing = self.framing
        for device in behind or ():  # the one next to the line is for the first
            framing = GatewayFraming(framing, GatewayAddress(device))
        if push is not None:  # what nodes say by themselves meanwhile
            framing = UnaskedFraming(framing, push)
        self.engine = DlmsClient(
            framing,
            ClientSettings(
                mechanism=5, control=0x30, keys=keys or ApplicationKeys(made["guek"], made["gak"]),
                system_title=b"MWYHEAD1", send_counter=SendCounter(int(time.time() * 1000) & 0x7FFFFFFF),
                response_timeout_s=10.0,
            ),
        )  # fmt: skip
        self.events = []

    async def __aenter__(self):
        self.protocol = EngineProtocol(self.engine, self.events.append)
        await tcp.connect("127.0.0.1", self.port, lambda: self.protocol)
        self.engine.open(self.protocol.now())
        self.protocol.flush()
        self.opened = await self.next()
        return self

    async def __aexit__(self, *_):
        self.protocol.abort()

    async def next(self):
        await until(lambda: self.events)
        return self.events.pop(0)

    async def _done(self):
        self.protocol.flush()
        event = await self.next()
        return getattr(event, "result", None) or getattr(event, "results", None) or getattr(event, "outcome", event)

    async def get(self, class_id, obis, attribute=2, selection=None):
        item = AttributeDescriptor(class_id, Obis.parse(obis), attribute)
        self.engine.get(item, selection, now=self.protocol.now())
        return await self._done()

    async def set(self, class_id, obis, value, attribute=2):
        item = AttributeDescriptor(class_id, Obis.parse(obis), attribute)
        self.engine.set(((item, None),), (value,), now=self.protocol.now())
        return (await self._done())[0]

    async def act(self, class_id, obis, method, value):
        self.engine.act(MethodDescriptor(class_id, Obis.parse(obis), method), value, now=self.protocol.now())
        return (await self._done()).result
