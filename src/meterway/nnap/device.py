"""The concentrator: its white list, who is on the network, what goes to whom. Pure; time comes in as Unix seconds.

It drives the coordinator's station of any profile. Whoever calls it from outside has the station's frames sent
afterwards (``driver``). It reads meters by its own associations (store-and-forward), carries the head end's APDUs
to them without a key (router), or does both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from meterway.base.errors import ConfigError, LocalProtocolError, MeterwayError, SecurityError
from meterway.links.node import NodeRoute
from meterway.nnap.events import Code, Event
from meterway.nnap.introduction import NAME, Introductions, introduced, name_in
from meterway.nnap.matching import Relays
from meterway.nnap.node import Node, Proposal
from meterway.nnap.plan import Plan, PlanRules
from meterway.nnap.reading import Keeper, ReadRules, read_meter
from meterway.nnap.talk import Done, Talk
from meterway.stacks.dlms.client import ClientSettings
from meterway.stacks.dlms.client.script import Script
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.security.hls import HLS5
from meterway.stacks.neighbourhood.framing import StationFraming
from meterway.stacks.neighbourhood.station import (
    Apdu,
    Coordinator,
    Joined,
    JoinRefused,
    Left,
    StationEvent,
    Undelivered,
)

__all__ = ["Concentrator", "Mode", "Roll", "Rules", "Worker"]

Mode = Literal["router", "store", "hybrid"]

_TICK_S: Final = 5.0
_MOST_PROPOSALS: Final = 256
_MOST_NODES: Final = 2000
_MOST_RELAYED: Final = 256
_MOST_OF_ONE: Final = 8
_NOTIFICATION: Final = 0x0F
_MAY_BE_ASKED: Final = ("meter", "supervision", "home")
"""As what a device is listed that is asked for its name; gateways and concentrators are known by their lists."""
_GENERAL: Final = frozenset((0xDB, 0xDD))
"""Envelopes that name their sender: what comes so and was not asked for is a push."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the concentrator behaves. ``answer_s`` bounds the wait for each answer of a meter, ``relay_s`` end to end."""

    mode: Mode = "hybrid"
    plan: PlanRules = field(default_factory=PlanRules)
    read: ReadRules = field(default_factory=ReadRules)
    answer_s: float = 60.0
    relay_s: float = 60.0
    silent_after_s: float = 86400.0
    max_pdu: int = 1024
    """The longest APDU it takes from a meter: what is longer comes in blocks, and others get between them."""


class Roll:
    """The white list. It exists before the station, which asks it whom to let in."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, Node] = {}
        self.channels: dict[int, Node] = {}

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def admit(self, eui: bytes) -> bytes | None:
        """The joining key of a listed device; None for any other."""
        node = self.nodes.get(eui)
        return None if node is None else node.key

    def add(self, node: Node) -> Node:
        """List a node; ConfigError if its EUI, serial or channel is there already, or the list is full."""
        if len(node.eui) != 8:
            raise ConfigError(f"{node.serial}: an EUI has 8 octets, not {len(node.eui)}")
        if node.eui in self.nodes or any(known.serial == node.serial for known in self):
            raise ConfigError(f"{node.serial} ({node.eui.hex()}) is listed already")
        if not 1 <= node.channel <= _MOST_NODES or node.channel in self.channels:
            raise ConfigError(f"{node.serial}: channel {node.channel} is taken, or not one from 1 to {_MOST_NODES}")
        self.nodes[node.eui] = self.channels[node.channel] = node
        return node

    def remove(self, eui: bytes) -> Node:
        """Take a node off the list; ConfigError if it is not there."""
        node = self.node(eui)
        del self.nodes[eui], self.channels[node.channel]
        return node

    def node(self, eui: bytes) -> Node:
        """The node of an EUI; ConfigError if it is not listed."""
        found = self.nodes.get(eui)
        if found is None:
            raise ConfigError(f"{eui.hex()} is not listed")
        return found

    def by_serial(self, serial: str) -> Node | None:
        """The node of a serial number."""
        return next((node for node in self if node.serial == serial), None)

    def free_channel(self) -> int:
        """The lowest channel nobody has."""
        return next(number for number in range(1, _MOST_NODES + 2) if number not in self.channels)


class Worker(Protocol):
    """Something the concentrator does besides: it says when it wants its turn."""

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""

    def handle_timeout(self, now: float) -> None:
        """Take the turn."""


class Concentrator:
    """The engine. ``events`` collects what is to be logged; ``on_notification`` hears what meters say by themselves."""

    def __init__(
        self, roll: Roll, station: Coordinator, keeper: Keeper, *, title: bytes, rules: Rules, counter: SendCounter
    ) -> None:
        self.roll = roll
        self.station = station
        self.title = title
        self.rules = rules
        self.plan = Plan(rules.plan)
        self.proposals: dict[bytes, Proposal] = {}
        self.events: list[Event] = []
        self.on_notification: Callable[[Node, Apdu, float], None] = lambda node, apdu, now: None
        self.introductions = Introductions(station, answer_s=rules.answer_s, on_name=self._introduced)
        self.workers: list[Worker] = [self.introductions]
        self.carried = 0
        """APDUs that were carried end to end, both ways."""
        self._keeper = keeper
        self._counter = counter
        self._now = 0.0
        self._tick_s = 0.0
        self._active: set[Node] = set()
        self._relays = Relays()

    def log(self, now: float, code: Code, node: Node | None = None, detail: str = "") -> None:
        """Note an event."""
        self.events.append(Event(now, code, "" if node is None else node.serial, detail))

    # -- white list -------------------------------------------------------------------------------------------

    def enlist(self, node: Node, now: float) -> Node:
        """Let a device join from now on; ConfigError if it cannot be listed."""
        self.roll.add(node)
        node.listed_s = now
        self.proposals.pop(node.eui, None)
        self.log(now, Code.NODE_LISTED, node)
        return node

    def remove(self, eui: bytes, now: float) -> Node:
        """Take a node off the list and put it out of the network; ConfigError if it is not listed."""
        node = self.roll.remove(eui)
        if eui in self.station.members:
            self.station.expel(eui, now)
        self._drop_talk(node, now)
        self.plan.forget(node)
        self.log(now, Code.NODE_REMOVED, node)
        return node

    # -- what the network says --------------------------------------------------------------------------------

    def take(self, event: StationEvent, now: float) -> None:
        """Take an event of the station."""
        self._now = now
        match event:
            case Apdu():
                self._take_apdu(event, now)
            case Joined():
                self._joined(event, now)
            case Left():
                self._left(event, now)
            case JoinRefused():
                self._refused(event, now)
            case Undelivered():
                self._undelivered(event, now)
            case _:  # a frame that was not one: the station has said so, and counts it
                pass
        self._choose(now)

    def _joined(self, event: Joined, now: float) -> None:
        node = self.roll.nodes.get(event.member.eui)
        if node is None:
            return
        again = node.member is not None
        node.member = event.member
        node.joined_s = node.heard_s = now
        if again:  # it began anew: what was open there is not any more, and nobody answers what was asked before
            if node.talk is not None:
                node.talk.close(now)
            self._end_relays(node, now)
        if node.silent:
            node.silent = False
            self.log(now, Code.NODE_BACK, node)
        node.turn.next_s = min(node.turn.next_s, now) if node.turn.failures else node.turn.next_s
        self.log(now, Code.NODE_JOINED, node, f"address {event.member.address}")
        if node.role in _MAY_BE_ASKED and not (node.is_read and self.reads):
            self.introductions.ask(node, now)

    def _introduced(self, node: Node, now: float) -> None:
        if introduced(node, node.name):
            self.log(now, Code.NODE_KIND, node, f"{node.name.decode('latin-1')}: {node.profile}")

    def _left(self, event: Left, now: float) -> None:
        node = self.roll.nodes.get(event.member.eui)
        if node is None:
            return
        node.member = None
        self._drop_talk(node, now)
        self.log(now, Code.NODE_LEFT, node, event.reason)

    def take_routes(self, routes: Iterable[NodeRoute]) -> None:
        """Take the routes of the network as whoever knows them tells them; without any nothing changes."""
        known = {route.node: route for route in routes}
        euis = {node.member.node: node.eui for node in self.roll if node.member is not None}
        for node in self.roll:
            route = None if node.member is None else known.get(node.member.node)
            if route is not None and route.hops:
                node.parent = b"" if route.parent is None else euis.get(route.parent, b"")
                node.hops = route.hops
                node.link = route.quality[0] * route.quality[1]

    def _drop_talk(self, node: Node, now: float) -> None:
        self.introductions.drop(node, now)
        if node.talk is not None:
            node.talk.close(now)
            node.talk = None
        self._active.discard(node)
        self._end_relays(node, now)

    def _end_relays(self, node: Node, now: float) -> None:
        self._relays.end(now, lambda key: isinstance(key, tuple) and key[0] == node.eui)

    def _refused(self, event: JoinRefused, now: float) -> None:
        node = self.roll.nodes.get(event.eui)
        if node is not None:
            self.log(now, Code.KEY_FAILED, node, event.reason)
            return
        known = self.proposals.get(event.eui)
        if known is not None:
            known.last_s, known.count = now, known.count + 1
        elif len(self.proposals) < _MOST_PROPOSALS:
            self.proposals[event.eui] = Proposal(eui=event.eui, first_s=now, last_s=now)
            self.events.append(Event(now, Code.NODE_PROPOSED, "", event.eui.hex()))

    def _undelivered(self, event: Undelivered, now: float) -> None:
        node = self.roll.nodes.get(event.eui)
        if node is None:
            return
        node.judged(answered=False)
        if node.talk is not None and node in self._active:
            node.talk.cut(f"not delivered: {event.reason}", now)

    def _take_apdu(self, event: Apdu, now: float) -> None:
        node = self.roll.nodes.get(event.eui)
        if node is None:
            return
        node.heard_s = now
        node.judged(answered=True)
        if node.silent:
            node.silent = False
            self.log(now, Code.NODE_BACK, node)
        tag = event.apdu[0] if event.apdu else -1
        if tag == _NOTIFICATION:
            self.on_notification(node, event, now)
        elif self.introductions.take(event, now):
            pass
        elif self._relays.take((event.eui, event.client, event.server), event.apdu, now):
            self.carried += 1
        elif tag in _GENERAL:
            self.on_notification(node, event, now)
        elif node.talk is not None and (event.client, event.server) == (node.client, node.server):
            node.talk.take(event, now)
            self._settle(node)

    # -- end to end -------------------------------------------------------------------------------------------

    def carry(
        self, eui: bytes, apdu: bytes, *, client: int, server: int, now: float,
        answer: Callable[[bytes | None, float], None],
    ) -> None:  # fmt: skip
        """Carry one APDU to a node and its answer back, as they are; ``answer`` hears None if none comes.

        LocalProtocolError if the mode forbids it, the node is away, too much waits for its answer, or the
        concentrator's own association has the same addresses.
        """
        if self.rules.mode == "store":
            raise LocalProtocolError("this concentrator carries nothing end to end")
        node = self.roll.nodes.get(eui)
        if node is None or node.member is None:
            raise LocalProtocolError(f"{eui.hex()} is not on the network")
        if node.is_read and self.reads and (client, server) == (node.client, node.server):
            raise LocalProtocolError(f"client {client} of {node.serial} is the concentrator's own")
        if self.introductions.is_asking(eui, client, server):
            raise LocalProtocolError(f"{node.serial} is being asked for its name")
        if self._relays.of((eui, client, server)) >= _MOST_OF_ONE or len(self._relays) >= _MOST_RELAYED:
            raise LocalProtocolError(f"{node.serial}: too many APDUs wait for their answer")
        self._now = now
        self.station.send_apdu(eui, apdu, client=client, server=server, now=now, urgent=True)
        self.carried += 1
        self._relays.add((eui, client, server), apdu, answer, now + self.rules.relay_s)

    # -- the concentrator's own questions -----------------------------------------------------------------------

    @property
    def reads(self) -> bool:
        """Whether it reads meters by itself."""
        return self.rules.mode != "router"

    def ask(self, node: Node, script: Script[None], done: Done, *, now: float, urgent: bool = True) -> None:
        """Run a script in the association with a node; LocalProtocolError if it is away or there are no keys."""
        if node.member is None:
            raise LocalProtocolError(f"{node.serial} is not on the network")
        if node.keys is None:
            raise LocalProtocolError(f"{node.serial}: the concentrator has no keys for it")
        self._now = now
        talk = node.talk
        if talk is None:
            talk = node.talk = Talk(lambda: self._framing(node), lambda: self._settings(node))
        self._active.add(node)
        talk.run(script, done, now=now, urgent=urgent)
        self._settle(node)

    def _framing(self, node: Node) -> StationFraming:
        return StationFraming(self.station, node.eui, node.client, node.server, role=Role.CLIENT)

    def _settings(self, node: Node) -> ClientSettings:
        return ClientSettings(
            mechanism=HLS5,
            control=AUTHENTICATED | ENCRYPTED,
            keys=node.keys,
            system_title=self.title,
            server_title=node.title,
            send_counter=self._counter,
            received=node.received,
            max_pdu=min(self.rules.max_pdu, self.station.max_apdu),
            response_timeout_s=self.rules.answer_s,
        )

    def _settle(self, node: Node) -> None:
        if node.talk is None or not node.talk.is_busy:
            self._active.discard(node)

    def _choose(self, now: float) -> None:
        """Give out the places of bulk reading."""
        if not self.reads:
            return
        while (node := self.plan.choose(self.roll, now)) is not None:
            self._read(node, now)

    def _read(self, node: Node, now: float) -> None:
        def noted(what: str, error: float) -> None:
            code = Code.METER_CLOCK_SET if what == "set" else Code.METER_CLOCK_OFF
            self.log(self._now, code, node, f"{error:+.1f} s")

        def done(error: MeterwayError | None, at: float) -> None:
            self.plan.ended(node, at, well=error is None)
            if error is not None:
                self._failed(node, error, at)
            elif not node.name and (kept := self._keeper.attribute(node, NAME)) is not None:
                node.name = name_in(kept.octets)
                self._introduced(node, at)

        script = read_meter(node, self._keeper, lambda: self._now, self.rules.plan, self.rules.read, noted)
        try:
            self.ask(node, script, done, now=now, urgent=False)
        except MeterwayError as error:
            done(error, now)

    def _failed(self, node: Node, error: MeterwayError, now: float) -> None:
        if isinstance(error, SecurityError):
            code = Code.REPLAY if error.check == "counter" else Code.KEY_FAILED
            self.log(now, code, node, error.check)
        else:
            node.judged(answered=False)

    # -- time -------------------------------------------------------------------------------------------------

    def next_timeout(self) -> float:
        """When handle_timeout wants to be called."""
        due = self._tick_s
        for worker in self.workers:
            wants = worker.next_timeout()
            if wants is not None and wants < due:
                due = wants
        for node in self._active:
            waits = node.talk.next_timeout() if node.talk is not None else None
            if waits is not None and waits < due:
                due = waits
        return due

    def handle_timeout(self, now: float) -> None:
        """What is due: answers that did not come, nodes that fell silent, places that are free."""
        self._now = now
        for node in [node for node in self._active if node.talk is not None]:
            waits = node.talk.next_timeout() if node.talk is not None else None
            if waits is not None and waits <= now and node.talk is not None:
                node.talk.handle_timeout(now)
            self._settle(node)
        for worker in self.workers:
            wants = worker.next_timeout()
            if wants is not None and wants <= now:
                worker.handle_timeout(now)
        if now >= self._tick_s:
            self._tick_s = now + _TICK_S
            self._relays.expire(now)
            self._watch(self.roll, now)
        self._choose(now)

    def _watch(self, nodes: Iterable[Node], now: float) -> None:
        limit = self.rules.silent_after_s
        for node in nodes:
            if not node.silent and node.heard_s and now - node.heard_s > limit:
                node.silent = True
                self.log(now, Code.NODE_SILENT, node)
