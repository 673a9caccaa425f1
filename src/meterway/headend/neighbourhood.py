"""Which devices a concentrator (NNAP) has behind it, in the registry: joined, gone, moved; values and counters stay.

What differs from a gateway's channels (``topology``): a node keeps its own keys and counters wherever it is, because it
is asked end to end. Only what concerns its mirrored data begins anew behind another concentrator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import Final, TypeVar

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.headend.claims import Claim, Claims
from meterway.headend.collect import Collected, range_selection
from meterway.headend.coupling import CLAIMED, COUPLED, DECOUPLED, FREE, KIND, MOVED, Coupling
from meterway.headend.fleet import Fleet
from meterway.headend.hearers import Hearers, hears_better, is_heard
from meterway.headend.route import utility_of
from meterway.mapping.alarms import ALARMS, decode_alarms
from meterway.mapping.mbus_cosem import companion_of
from meterway.mapping.neighbourhood import NODES, NodeRole, NodeRow, NodeState, decode_nodes
from meterway.mapping.profile import profile_called
from meterway.mapping.transformer import BALANCES, decode_balances
from meterway.stacks.dlms.client.script import Answer, Get, Script
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor
from meterway.stacks.mbus.address import Address
from meterway.store.database import Store
from meterway.store.devices import GATEWAY, Device, NewDevice
from meterway.store.nodes import Node

__all__ = ["Neighbourhood", "with_nodes"]

_TABLE: Final = AttributeDescriptor(1, NODES, 2)
_BALANCES: Final = AttributeDescriptor(7, BALANCES, 2)
_ALARMS: Final = AttributeDescriptor(1, ALARMS, 2)
_BACK_DAYS: Final = 15
"""How far back a day may be judged anew."""
_ONE_SIDED = (0, 1)
"""Mechanisms that prove nothing of the meter: none, and a password, which who carries it would learn."""
_USUAL: Final = "idis"
"""The companion profile of a meter of which nothing else is known."""
_BY_ROLE: Final = {NodeRole.GATEWAY: "lnap", NodeRole.NNAP: "nnap", NodeRole.HOME: "home"}

T = TypeVar("T")


def with_nodes(script: Script[Collected], into: Collected, clock: Callable[[], float]) -> Script[Collected]:
    """A collection, and after it, in the same session, the node table, the balances and the alarms.

    What makes no sense of them changes nothing. ``clock`` gives Unix seconds.
    """
    yield from script
    answer = yield Get(_TABLE)
    into.nodes = _decoded(decode_nodes, answer, NODES, into)
    since_s = clock() - _BACK_DAYS * 86400
    answer = yield Get(_BALANCES, range_selection(since_s // 86400 * 86400, clock() // 86400 * 86400 + 86400))
    into.balances = _decoded(decode_balances, answer, BALANCES, into) or ()
    answer = yield Get(_ALARMS)
    into.alarms = _decoded(decode_alarms, answer, ALARMS, into) or ()
    return into


def _decoded(decode: Callable[[bytes], T], answer: Answer, obis: Obis, into: Collected) -> T | None:
    if not isinstance(answer, bytes):
        into.refused(str(obis), answer)
        return None
    try:
        return decode(answer)
    except DecodeError as error:
        into.refusals.append((str(obis), str(error)))
        return None


class _Trust(Enum):
    """How far a concentrator is believed that lists a device which is not behind it so far."""

    VOUCHED = "vouched"
    TO_PROVE = "to prove"
    LEFT = "left"


class Neighbourhood:
    """Keeps the registry as the concentrators tell it; called in the thread that writes, within its transaction.

    A device that two of them list is behind the one it joined last; one that only remembers it does not get it back.
    A device that is registered with keys and elsewhere is a claim first (``claims``): it moves when it has answered
    through the concentrator that lists it. Without keys it moves only if nobody else has it.
    """

    def __init__(self, store: Store, fleet: Fleet, released: set[int]) -> None:
        self._store = store
        self._fleet = fleet
        self._coupling = Coupling(store, released)
        self.claims = Claims()
        self._hearers = Hearers(store)

    def settle(self, nnap: Device, rows: Sequence[NodeRow], *, now_ms: int) -> list[str]:
        """Make the registry agree with a concentrator's node table; a sentence for each change.

        A time that is ahead of ``now_ms`` counts as now: no clock gives precedence by being fast.
        """
        if nnap.utility != GATEWAY:
            self._change(nnap, {"utility": GATEWAY}, now_ms)
        told: list[str] = []
        nodes: list[Node] = []
        seen: list[tuple[int, int]] = []
        rows = [_not_ahead(row, now_ms // 1000) for row in rows]
        for row in rows:
            if row.state is NodeState.PROPOSED or not row.serial:
                continue
            if row.state is NodeState.HEARD and row.serial != str(Address.from_radio(row.eui)):
                told.append(f"{row.serial} is listed by {nnap.serial} under another's address: left as it is")
                continue
            device, said = self._settle_one(nnap, row, now_ms)
            told += said
            if device is not None:
                nodes.append(_node(device, nnap, row, now_ms))
                seen.append((device, row.heard * 1000))
        self._store.nodes.put_many(nodes)
        self._store.devices.seen(seen)
        listed = {node.device for node in nodes}
        self.claims.keep_only(nnap.id, {row.eui for row in rows})
        for node in self._store.nodes.of_nnap(nnap.id):
            if node.device not in listed:
                told.append(self._release(nnap, self._store.devices.get(node.device), now_ms))
                self._hearers.note(node.device, nnap.serial, None)
        return told

    def _settle_one(self, nnap: Device, row: NodeRow, now_ms: int) -> tuple[int | None, list[str]]:
        """The id of the device if it is behind this concentrator now, and what changed."""
        known = self._store.devices.find(row.serial)
        if known is None:
            return self._register(nnap, row, now_ms)
        if row.state is NodeState.HEARD:
            return self._settle_heard(nnap, row, known, now_ms)
        if self._is_above(nnap, known.id):
            return None, [f"{known.serial} is listed by {nnap.serial}, which is behind it: left as it is"]
        if known.system_title and row.system_title and known.system_title != row.system_title:
            return None, [f"{known.serial} is listed by {nnap.serial} under another system title: left as it is"]
        node = self._store.nodes.find(known.id)
        if node is not None and node.nnap == nnap.id:
            return known.id, self._follow(nnap, known, row, now_ms)
        if node is not None and not _is_newer(row, node):
            return None, []
        match self._trust(nnap, known, node):
            case _Trust.VOUCHED:
                return known.id, [self._move(nnap, known, node, now_ms), *self._called(known, row, now_ms)]
            case _Trust.TO_PROVE:
                is_new = self.claims.note(_node(known.id, nnap, row, now_ms))
                return None, [f"{known.serial} is listed by {nnap.serial}, which is to be proven"] if is_new else []
            case _:
                return None, [f"{known.serial} is listed by {nnap.serial} and is another's: left as it is"]

    def _trust(self, nnap: Device, known: Device, node: Node | None) -> _Trust:
        """Whether the operator gave the device this place, or nobody else has it; else its own keys must tell."""
        if node is None and known.parent in (None, nnap.id) and _place(nnap) == _place_of(known, nnap.id):
            return _Trust.VOUCHED
        if self._fleet.of(known.id).has_keys and known.flags.get("mechanism") not in _ONE_SIDED:
            return _Trust.TO_PROVE
        if node is not None:
            return _Trust.VOUCHED if node.state == NodeState.AWAY else _Trust.LEFT
        return _Trust.VOUCHED if known.parent in (None, nnap.id) and not known.keys else _Trust.LEFT

    # -- claims -------------------------------------------------------------------------------------------------------

    def proven(self, claim: Claim, *, now_ms: int) -> str:
        """The device has answered through the concentrator that claims it: it is behind that one. The sentence."""
        self.claims.drop(claim)
        known, nnap = self._store.devices.get(claim.node.device), self._store.devices.get(claim.node.nnap)
        node = self._store.nodes.find(known.id)
        if (node is not None and node.nnap == nnap.id) or self._is_above(nnap, known.id):
            return ""
        told = self._move(nnap, known, node, now_ms)
        self._store.nodes.put_many([claim.node])
        return told

    def not_proven(self, claim: Claim, *, now_ms: int) -> str:
        """It has not: it stays where it is, and is asked again later. The sentence, the first time."""
        if not self.claims.failed(claim, now_ms / 1000):
            return ""
        known, nnap = self._store.devices.get(claim.node.device), self._store.devices.get(claim.node.nnap)
        return self._coupling.tell(
            known, CLAIMED, f"claimed by {nnap.serial}, through which it does not answer", now_ms
        )

    def _settle_heard(self, nnap: Device, row: NodeRow, known: Device, now_ms: int) -> tuple[int | None, list[str]]:
        """The same of a battery meter: whoever hears it best has it; one that a gateway has stays there."""
        node = self._store.nodes.find(known.id)
        if not self._is_battery_meter(known, node):
            return None, [f"{known.serial} is listed by {nnap.serial} as heard and is reached otherwise: left as it is"]
        self._hearers.note(known.id, nnap.serial, row)
        if node is not None and node.nnap == nnap.id:
            return known.id, self._follow(nnap, known, row, now_ms)
        if node is None and known.parent is not None:
            return None, []
        if node is not None and not hears_better(row, node):
            return None, []
        told = self._move(nnap, known, node, now_ms)
        self._change(known, _what(row), now_ms)
        self._fleet.forget(known.id)
        return known.id, [told]

    def _is_battery_meter(self, known: Device, node: Node | None) -> bool:
        """Whether a device may be heard: nobody takes one that has a line or a network of its own by hearing it."""
        if node is not None:
            return is_heard(node)
        return known.parent is not None or known.state == FREE or not self._fleet.of(known.id).has_keys

    def _is_above(self, nnap: Device, device: int) -> bool:
        """Whether a device is the concentrator itself or something that it is reached through."""
        at: Device | None = nnap
        for _ in range(16):
            if at is None:
                return False
            if at.id == device:
                return True
            at = self._store.devices.get(at.parent) if at.parent is not None else None
        return True

    def _register(self, nnap: Device, row: NodeRow, now_ms: int) -> tuple[int, list[str]]:
        fresh = NewDevice(
            serial=row.serial,
            system_title=row.system_title or None,
            **_what(row),  # type: ignore[arg-type]
            **_place(nnap),  # type: ignore[arg-type]
        )
        device = self._store.devices.add(fresh, now_ms=now_ms)
        if row.state is NodeState.HEARD:
            self._hearers.note(device.id, nnap.serial, row)
        self._make_due(device, now_ms)
        return device.id, [self._coupling.tell(device, COUPLED, f"joined {nnap.serial}", now_ms)]

    def _follow(self, nnap: Device, known: Device, row: NodeRow, now_ms: int) -> list[str]:
        """The same concentrator: it may have another address, and have heard since what the device is.

        Or under which title, by which pushes are known.
        """
        title = {} if known.system_title or not row.system_title else {"system_title": row.system_title}
        told = _place(nnap) | title
        changes = {name: value for name, value in told.items() if getattr(known, name) != value}
        if changes:
            self._change(known, changes, now_ms)
        return self._called(known, row, now_ms)

    def _called(self, known: Device, row: NodeRow, now_ms: int) -> list[str]:
        """A device that nobody said more of than that it is a meter is of the profile that it calls itself by."""
        profile = _profile(row)
        is_told = bool(row.name) or not known.keys  # of a device that we know by its keys a list alone says nothing
        if not is_told or profile in ("", known.profile) or known.profile not in ("", _USUAL):
            return []
        self._store.devices.update(known.id, {"profile": profile, "utility": utility_of(profile)}, now_ms=now_ms)
        self._store.settings.put(f"layout:{known.id}", "")  # what was learnt of it was learnt as of a meter
        self._fleet.forget(known.id)
        return [self._coupling.tell(known, KIND, f"is of profile {profile}: it calls itself so", now_ms)]

    def _move(self, nnap: Device, known: Device, node: Node | None, now_ms: int) -> str:
        was = self._store.devices.get(node.nnap).serial if node is not None else ""
        state = {"state": "registered"} if known.state == FREE else {}
        self._change(known, {**_place(nnap), **state}, now_ms)
        self._fleet.forget_mirror(known.id)
        self._make_due(known, now_ms)
        if was:
            return self._coupling.tell(known, MOVED, f"moved from {was} to {nnap.serial}", now_ms)
        return self._coupling.tell(known, COUPLED, f"joined {nnap.serial}", now_ms)

    def _release(self, nnap: Device, child: Device, now_ms: int) -> str:
        """Not listed any more: nobody asks it until a concentrator has it again; what it measured stays."""
        self._store.nodes.remove(child.id)
        self._fleet.forget_mirror(child.id)
        self._change(child, {"parent": None, "state": FREE}, now_ms)
        self._coupling.end(child, now_ms)
        return self._coupling.tell(child, DECOUPLED, f"left {nnap.serial}", now_ms)

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _change(self, device: Device, changes: dict[str, object], now_ms: int) -> None:
        self._store.devices.update(device.id, changes, now_ms=now_ms)
        self._fleet.reload(device.id)

    def _make_due(self, device: Device, now_ms: int) -> None:
        """It can be reached now, and with it what stands behind it or lives in it."""
        self._coupling.begin(device, now_ms)
        for child in self._store.devices.children(device.id):
            self._fleet.reload(child.id)
            self._make_due(child, now_ms)


def _profile(row: NodeRow) -> str:
    """What a device calls itself goes before what it is listed as; empty if neither says anything.

    Of a battery meter its address says it.
    """
    if row.state is NodeState.HEARD:
        return ""
    called = profile_called(row.name) if row.name else None
    if called is not None:
        return called.name
    return "nnap" if row.state is NodeState.CASCADE else _BY_ROLE.get(row.role, "")


def _place(nnap: Device) -> dict[str, object]:
    return {"transport": nnap.transport, "host": nnap.host, "port": nnap.port, "parent": nnap.id}


def _place_of(device: Device, parent: int) -> dict[str, object]:
    return {"transport": device.transport, "host": device.host, "port": device.port, "parent": parent}


def _not_ahead(row: NodeRow, now_s: int) -> NodeRow:
    if row.heard <= now_s and row.joined <= now_s:
        return row
    return replace(row, heard=min(row.heard, now_s), joined=min(row.joined, now_s))


def _what(row: NodeRow) -> dict[str, object]:
    """What a node is, and the profile it is read by; of a battery meter its address says so."""
    if row.state is NodeState.HEARD:
        return {**companion_of(row.eui[-1])._asdict(), "flags": {"channel": row.address}}
    profile = _profile(row) or _USUAL
    return {"utility": utility_of(profile), "profile": profile}


def _is_newer(row: NodeRow, node: Node) -> bool:
    """Whether a row tells of a later joining than what is known; without times, who heard it last has it."""
    if row.state is NodeState.AWAY and node.state != NodeState.AWAY:
        return False
    if row.joined and node.joined_ms:
        return row.joined * 1000 > node.joined_ms
    return row.heard * 1000 > node.heard_ms


def _node(device: int, nnap: Device, row: NodeRow, now_ms: int) -> Node:
    return Node(
        device=device,
        nnap=nnap.id,
        eui=row.eui,
        parent=row.parent,
        state=int(row.state),
        hops=row.hops,
        quality=min(row.quality, 100),
        sap=row.sap,
        heard_ms=row.heard * 1000,
        joined_ms=row.joined * 1000,
        changed_ms=now_ms,
        role=int(row.role),
        name=row.name.hex(),
    )
