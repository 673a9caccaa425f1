"""A logical device as a server engine asks it: who may associate, under which keys, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.lnap.events import Code
from meterway.lnap.objects.gateway import gateway_things
from meterway.lnap.objects.meter import meter_things
from meterway.lnap.objects.table import Ask, Method, Thing, fixed
from meterway.lnap.rules import Party, Right, Side
from meterway.lnap.site import Site
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.security_setup import KeyTransfer
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.security.hls import HLS5
from meterway.stacks.dlms.server import Association, DeviceSecurity
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["CounterStore", "LogicalSite"]

_SERVICES: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET
    | Conformance.BLOCK_TRANSFER_WITH_SET
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
_ASSOCIATION: Final = (15, Obis(0, 0, 40, 0, 0))
_SECURITY: Final = (64, Obis(0, 0, 43, 0, 0))
_KEY_TRANSFER: Final = 2
_KEYS: Final = interface_class(64, 0).method(_KEY_TRANSFER).type
_OF_CHANNELS: Final = (4, 70, 72)
_ARC: Final = b"\x09\x07\x60\x85\x74\x05\x08"
_ATTACKS: Final = frozenset(("authentication", "tag", "counter", "policy", "title", "key"))


_OWN_SECURITY: Final = Thing(
    class_id=_SECURITY[0],
    obis=_SECURITY[1],
    attributes={place: fixed(axdr.null()) for place in (2, 3, 4, 5)},
    methods={_KEY_TRANSFER: Method(lambda _, __: ActionResult.OTHER_REASON, Right.READ)},
)
"""The security setup as it is listed; what it answers is the association's."""


class CounterStore(Protocol):
    """Where the invocation counters of associations outlive the process."""

    def sending(self, party: Party, channel: int) -> SendCounter:
        """The one counter of all that is protected for a party by a logical device."""

    def receiving(self, party: Party, channel: int) -> ReceivedCounter:
        """The highest counter a party was seen to use with a logical device."""


class LogicalSite:
    """Logical device ``channel`` (0 the gateway itself) of a site, as one side sees it.

    A meter's logical device takes associations once the meter was heard: before, there is nothing to say of it.
    """

    __slots__ = ("_counters", "_side", "_site", "_things", "_unix", "channel")

    def __init__(
        self, site: Site, channel: int, *, side: Side, counters: CounterStore, unix: Callable[[], float]
    ) -> None:
        self._site = site
        self._side = side
        self._counters = counters
        self._unix = unix
        self.channel = channel
        self._things: dict[int, dict[tuple[int, Obis], Thing]] = {}

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self._site.title(self.channel)

    def _now(self) -> float:
        return self._unix() + self._site.clock_offset_s

    def _party(self, client: int) -> Party | None:
        """The party that may read here, or None: whoever is not listed is denied."""
        party = self._site.party(self._side, client)
        if party is None or not (party.may(Right.READ, self.channel) or party.may(Right.CONFIGURE, self.channel)):
            return None
        if self.channel and not self._site.ledger.gateway.mirror.of(self.channel):
            return None
        return party

    def association(self, client: int) -> Association | None:
        """HLS 5, authenticated and encrypted, for parties; nothing for anybody else."""
        party = self._party(client)
        if party is None:
            self._site.ledger.gateway.log(
                self._now(), Code.ACCESS_DENIED, self.channel, f"client {client}, {self._side} side"
            )
            return None
        return Association(
            client=client,
            mechanism=HLS5,
            conformance=_SERVICES,
            context=CONTEXT_LN_CIPHERED,
            control=AUTHENTICATED | ENCRYPTED,
        )

    def security(self, client: int) -> DeviceSecurity | None:
        """Keys and counters of a party."""
        party = self._party(client)
        if party is None:
            return None
        keys = self._site.keys(party, self.channel)
        return DeviceSecurity(
            keys=Keys(keys.guek, keys.gak),
            cipher=Gcm12(keys.guek),
            send_counter=self._counters.sending(party, self.channel),
            received=self._counters.receiving(party, self.channel),
        )

    # -- objects ----------------------------------------------------------------------------------------------

    def _asked(self, client: int, selection: Selection | None = None) -> Ask | None:
        try:
            party = self._party(client)
        except ConfigError:
            return None
        return None if party is None else Ask(self._site, self.channel, self._now(), party, selection)

    def _of(self, ask: Ask) -> dict[tuple[int, Obis], Thing]:
        things = gateway_things(ask) if self.channel == 0 else meter_things(ask)
        return {thing.key: thing for thing in things}

    def _find(self, ask: Ask, key: tuple[int, Obis]) -> Thing | None:
        """The object; the list is made once an association, and anew when something is asked that is not in it."""
        known = self._things.get(ask.party.client)
        if known is None or key not in known:
            known = self._things[ask.party.client] = self._of(ask)
        return known.get(key)

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""
        ask = self._asked(client, selection)
        if ask is None:
            return DataAccessResult.OBJECT_UNAVAILABLE
        class_id, obis, place = attribute
        if (class_id, obis) in (_ASSOCIATION, _SECURITY):
            return self._own(ask, class_id, place)
        thing = self._find(ask, (class_id, obis))
        if thing is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if place == 1:
            return axdr.encode(axdr.octets(obis.encode()))
        found = thing.attributes.get(place)
        if found is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not ask.party.may(Right.READ, _target(self.channel, class_id, obis)):
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None and (class_id != 7 or place != 2):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        try:
            answer = found.read(ask)
        except ConfigError:
            return DataAccessResult.OBJECT_UNAVAILABLE
        return axdr.encode(answer) if isinstance(answer, Data) else answer

    def set(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        """Write an attribute."""
        ask = self._asked(client)
        class_id, obis, place = attribute
        thing = None if ask is None else self._find(ask, (class_id, obis))
        found = None if thing is None else thing.attributes.get(place)
        if ask is None or found is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if found.write is None or not ask.party.may(Right.CONFIGURE, _target(self.channel, class_id, obis)):
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        result = found.write(ask, axdr.decode_all(value))
        self._site.ledger.flush()
        return result

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method."""
        ask = self._asked(client)
        if ask is not None and (method.class_id, method.obis, method.method) == (*_SECURITY, _KEY_TRANSFER):
            return ActionOutcome(self._transfer_keys(ask, parameters))
        thing = None if ask is None else self._find(ask, (method.class_id, method.obis))
        found = None if thing is None else thing.methods.get(method.method)
        if ask is None or found is None:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        target = _target(self.channel, method.class_id, method.obis)
        if not ask.party.may(found.right, target):
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        try:
            data = axdr.null() if parameters is None else axdr.decode_all(parameters)
            result = found.call(ask, data)
        except (DecodeError, LocalProtocolError):
            result = ActionResult.TYPE_UNMATCHED
        self._things.clear()
        self._site.ledger.flush()
        return ActionOutcome(result)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        if kind in _ATTACKS:
            self._site.ledger.gateway.log(self._now(), Code.ACCESS_DENIED, self.channel, f"client {client}: {kind}")

    def _transfer_keys(self, ask: Ask, parameters: bytes | None) -> ActionResult:
        """A party changes its own keys here, nobody else's; what is open goes on under those it was opened with."""
        try:
            wanted = _KEYS.typed(axdr.null() if parameters is None else axdr.decode_all(parameters), [])
        except (DecodeError, LocalProtocolError):
            return ActionResult.TYPE_UNMATCHED
        if not isinstance(wanted, tuple) or not wanted or not all(isinstance(one, KeyTransfer) for one in wanted):
            return ActionResult.TYPE_UNMATCHED
        done = self._site.transfer_keys(ask.party, self.channel, wanted)
        code = Code.PARTY_KEY_CHANGED if done else Code.PARTY_KEY_REFUSED
        self._site.ledger.gateway.log(ask.now, code, self.channel, ask.party.name)
        self._site.ledger.flush()
        return ActionResult.SUCCESS if done else ActionResult.OTHER_REASON

    # -- the association itself -------------------------------------------------------------------------------

    def _own(self, ask: Ask, class_id: int, place: int) -> bytes | DataAccessResult:
        if class_id == _SECURITY[0]:
            title = axdr.encode(axdr.octets(self.system_title))
            name = axdr.encode(axdr.octets(_SECURITY[1].encode()))
            return {1: name, 2: b"\x16\x03", 3: b"\x16\x00", 4: b"\x09\x00", 5: title}.get(
                place, DataAccessResult.OBJECT_UNDEFINED
            )
        if place == 2:
            own = (_OWN_SECURITY, *self._of(ask).values())
            return axdr.encode(axdr.array(*[_listed(ask, thing) for thing in own]))
        client = bytes((ask.party.client,)) + b"\x12" + (ask.site.first_sap + self.channel).to_bytes(2, "big")
        return {
            1: axdr.encode(axdr.octets(_ASSOCIATION[1].encode())),
            3: b"\x02\x02\x0f" + client,
            4: _ARC + b"\x01\x03",
            6: _ARC + b"\x02\x05",
            8: b"\x16\x02",
            9: axdr.encode(axdr.octets(_SECURITY[1].encode())),
        }.get(place, DataAccessResult.OBJECT_UNDEFINED)


def _target(channel: int, class_id: int, obis: Obis) -> int:
    """Whose an object is: what the gateway shows of a channel belongs to the meter there."""
    return obis.b if channel == 0 and class_id in _OF_CHANNELS else channel


def _listed(ask: Ask, thing: Thing) -> Data:
    target = _target(ask.channel, thing.class_id, thing.obis)
    may_set, may_read = ask.party.may(Right.CONFIGURE, target), ask.party.may(Right.READ, target)
    attributes = [axdr.structure(axdr.i8(1), axdr.enum(1), axdr.null())]
    for place, attr in sorted(thing.attributes.items()):
        selectors = axdr.array(axdr.i8(1), axdr.i8(2)) if thing.class_id == 7 and place == 2 else axdr.null()
        mode = int(may_read) | 2 * (may_set and attr.write is not None)
        attributes.append(axdr.structure(axdr.i8(place), axdr.enum(mode), selectors))
    methods = [
        axdr.structure(axdr.i8(place), axdr.enum(int(ask.party.may(one.right, target))))
        for place, one in sorted(thing.methods.items())
    ]
    rights = axdr.structure(axdr.array(*attributes), axdr.array(*methods))
    name = axdr.octets(thing.obis.encode())
    return axdr.structure(axdr.u16(thing.class_id), axdr.u8(thing.version), name, rights)
