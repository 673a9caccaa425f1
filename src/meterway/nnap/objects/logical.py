"""A logical device as a server engine asks it: who may associate, under which keys, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.nnap.events import Code
from meterway.nnap.objects.mirror import mirror_things
from meterway.nnap.objects.own import own_things
from meterway.nnap.objects.table import Ask, Thing
from meterway.nnap.site import Party, Right, Site
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED
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
_ARC: Final = b"\x09\x07\x60\x85\x74\x05\x08"
_ATTACKS: Final = {"counter": Code.REPLAY, "tag": Code.KEY_FAILED, "key": Code.KEY_FAILED}
_DENIED: Final = frozenset(("authentication", "policy", "title"))


class CounterStore(Protocol):
    """Where the invocation counters of associations outlive the process."""

    def sending(self, party: Party, channel: int) -> SendCounter:
        """The one counter of all that is protected for a party by a logical device."""

    def receiving(self, party: Party, channel: int) -> ReceivedCounter:
        """The highest counter a party was seen to use with a logical device."""


class LogicalSite:
    """Logical device ``channel`` (0 the concentrator itself) of a site. A meter's is there once it was read."""

    __slots__ = ("_counters", "_site", "_things", "_unix", "channel")

    def __init__(self, site: Site, channel: int, *, counters: CounterStore, unix: Callable[[], float]) -> None:
        self._site = site
        self._counters = counters
        self._unix = unix
        self.channel = channel
        self._things: dict[tuple[int, Obis], Thing] = {}

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self._site.title(self.channel)

    def _now(self) -> float:
        return self._unix() + self._site.clock_offset_s

    def _party(self, client: int) -> Party | None:
        """The party that may read here, or None: whoever is not listed is denied."""
        party = self._site.party(client)
        if party is None or not party.may(Right.READ):
            return None
        if self.channel and not self._site.node(self.channel).mirror.series:
            return None
        return party

    def association(self, client: int) -> Association | None:
        """HLS 5, authenticated and encrypted, for parties; nothing for anybody else."""
        if self._party(client) is None:
            self._site.log(self._now(), Code.ACCESS_DENIED, detail=f"client {client} at {self.channel + 1}")
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
            keys=keys,
            cipher=Gcm12(keys.encryption),
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

    def _find(self, ask: Ask, key: tuple[int, Obis]) -> Thing | None:
        """The object; the list is made anew when something is asked that is not in it."""
        if key not in self._things:
            made = own_things() if self.channel == 0 else mirror_things(ask)
            self._things = {thing.key: thing for thing in made}
        return self._things.get(key)

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
        if found.write is None or not ask.party.may(found.right):
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        result = found.write(ask, value)
        if result is DataAccessResult.SUCCESS:
            self._site.log(ask.now, Code.CONFIGURED, detail=f"{obis} by {ask.party.name}")
        self._site.ledger.flush(self._site.concentrator)
        return result

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method."""
        ask = self._asked(client)
        thing = None if ask is None else self._find(ask, (method.class_id, method.obis))
        found = None if thing is None else thing.methods.get(method.method)
        if ask is None or found is None:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        if not ask.party.may(found.right):
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        try:
            result = found.call(ask, b"\0" if parameters is None else parameters)
        except (DecodeError, LocalProtocolError):
            result = ActionResult.TYPE_UNMATCHED
        self._site.ledger.flush(self._site.concentrator)
        return ActionOutcome(result)

    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""
        code = Code.ACCESS_DENIED if kind in _DENIED else _ATTACKS.get(kind)
        if code is not None:
            self._site.log(self._now(), code, detail=f"client {client} at {self.channel + 1}: {kind}")

    # -- the association itself -------------------------------------------------------------------------------

    def _own(self, ask: Ask, class_id: int, place: int) -> bytes | DataAccessResult:
        if class_id == _SECURITY[0]:
            title = axdr.encode(axdr.octets(self.system_title))
            name = axdr.encode(axdr.octets(_SECURITY[1].encode()))
            return {1: name, 2: b"\x16\x03", 3: b"\x16\x00", 4: b"\x09\x00", 5: title}.get(
                place, DataAccessResult.OBJECT_UNDEFINED
            )
        if place == 2:
            made = own_things() if self.channel == 0 else mirror_things(ask)
            return axdr.encode(axdr.array(*[_listed(ask, thing) for thing in made]))
        client = bytes((ask.party.client,)) + b"\x12" + (self.channel + 1).to_bytes(2, "big")
        return {
            1: axdr.encode(axdr.octets(_ASSOCIATION[1].encode())),
            3: b"\x02\x02\x0f" + client,
            4: _ARC + b"\x01\x03",
            6: _ARC + b"\x02\x05",
            8: b"\x16\x02",
            9: axdr.encode(axdr.octets(_SECURITY[1].encode())),
        }.get(place, DataAccessResult.OBJECT_UNDEFINED)


def _listed(ask: Ask, thing: Thing) -> Data:
    attributes = [axdr.structure(axdr.i8(1), axdr.enum(1), axdr.null())]
    for place, attr in sorted(thing.attributes.items()):
        selectors = axdr.array(axdr.i8(1), axdr.i8(2)) if thing.class_id == 7 and place == 2 else axdr.null()
        mode = 1 | 2 * (ask.party.may(attr.right) and attr.write is not None)
        attributes.append(axdr.structure(axdr.i8(place), axdr.enum(mode), selectors))
    methods = [
        axdr.structure(axdr.i8(place), axdr.enum(int(ask.party.may(one.right))))
        for place, one in sorted(thing.methods.items())
    ]
    rights = axdr.structure(axdr.array(*attributes), axdr.array(*methods))
    name = axdr.octets(thing.obis.encode())
    return axdr.structure(axdr.u16(thing.class_id), axdr.u8(thing.version), name, rights)
