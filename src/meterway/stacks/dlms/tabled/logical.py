"""A logical device as a server engine asks it: who may associate, under which keys, and who sees what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Final, Generic, Protocol, TypeVar

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.security.hls import HLS5
from meterway.stacks.dlms.server import Association, DeviceSecurity
from meterway.stacks.dlms.tabled.table import Ask, Right, Thing
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["SECURITY_SETUP", "CounterStore", "TabledDevice"]

SECURITY_SETUP: Final = (64, Obis(0, 0, 43, 0, 0))
"""Class and logical name of the security setup; what it shows is the association's."""
_ASSOCIATION: Final = (15, Obis(0, 0, 40, 0, 0))
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
_ARC: Final = b"\x09\x07\x60\x85\x74\x05\x08"


class Site(Protocol):
    """What logical devices belong to."""

    @property
    def clock_offset_s(self) -> float:
        """How far its clock was set off the clock of the machine."""

    def title(self, channel: int) -> bytes:
        """The system title of a logical device."""


class Party(Protocol):
    """Somebody who may ask."""

    @property
    def client(self) -> int:
        """Its client SAP."""


SiteT = TypeVar("SiteT", bound=Site)
PartyT = TypeVar("PartyT", bound=Party)
PartyInT = TypeVar("PartyInT", contravariant=True)


class CounterStore(Protocol[PartyInT]):
    """Where the invocation counters of associations outlive the process."""

    def sending(self, party: PartyInT, channel: int) -> SendCounter:
        """The one counter of all that is protected for a party by a logical device."""

    def receiving(self, party: PartyInT, channel: int) -> ReceivedCounter:
        """The highest counter a party was seen to use with a logical device."""


class TabledDevice(ABC, Generic[SiteT, PartyT]):
    """Logical device ``channel`` (0 the entity itself) of a site: HLS 5, authenticated and encrypted, for its parties.

    A ``LogicalDevice`` of the server, for who says which parties there are, what they may do and which objects.
    """

    __slots__ = ("_counters", "_site", "_things", "_unix", "channel")

    def __init__(self, site: SiteT, channel: int, *, counters: CounterStore[PartyT], unix: Callable[[], float]) -> None:
        self._site = site
        self._counters = counters
        self._unix = unix
        self.channel = channel
        self._things: dict[int, dict[tuple[int, Obis], Thing[Ask[SiteT, PartyT]]]] = {}

    # -- what differs from site to site -----------------------------------------------------------------------

    @abstractmethod
    def _party(self, client: int) -> PartyT | None:
        """The party that may associate here, or None: whoever is not listed is denied."""

    @abstractmethod
    def _keys(self, party: PartyT) -> Keys:
        """Its keys with this logical device."""

    @abstractmethod
    def _may(self, party: PartyT, right: Right, key: tuple[int, Obis]) -> bool:
        """Whether it has a right on an object."""

    @abstractmethod
    def _made(self, ask: Ask[SiteT, PartyT]) -> Iterable[Thing[Ask[SiteT, PartyT]]]:
        """Every object there is now."""

    @abstractmethod
    def _denied(self, client: int) -> None:
        """Log that somebody was turned away."""

    @abstractmethod
    def _keep(self) -> None:
        """Write what a service changed."""

    @abstractmethod
    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""

    def _was_set(self, ask: Ask[SiteT, PartyT], obis: Obis) -> None:
        """Log that an attribute was set."""

    def _also_listed(self) -> Iterable[Thing[Ask[SiteT, PartyT]]]:
        """Objects of the association that its object list shows, before the others."""
        return ()

    @property
    def _sap(self) -> int:
        """The address of this logical device."""
        return self.channel + 1

    # -- associations -----------------------------------------------------------------------------------------

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self._site.title(self.channel)

    def _now(self) -> float:
        return self._unix() + self._site.clock_offset_s

    def association(self, client: int) -> Association | None:
        """HLS 5, authenticated and encrypted, for parties; nothing for anybody else."""
        if self._party(client) is None:
            self._denied(client)
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
        keys = self._keys(party)
        return DeviceSecurity(
            keys=keys,
            cipher=Gcm12(keys.encryption),
            send_counter=self._counters.sending(party, self.channel),
            received=self._counters.receiving(party, self.channel),
        )

    # -- objects ----------------------------------------------------------------------------------------------

    def _asked(self, client: int, selection: Selection | None = None) -> Ask[SiteT, PartyT] | None:
        try:
            party = self._party(client)
        except ConfigError:
            return None
        return None if party is None else Ask(self._site, self.channel, self._now(), party, selection)

    def _find(self, ask: Ask[SiteT, PartyT], key: tuple[int, Obis]) -> Thing[Ask[SiteT, PartyT]] | None:
        """The object; a party's list is made once, and anew when something is asked that is not in it."""
        known = self._things.get(ask.party.client)
        if known is None or key not in known:
            known = self._things[ask.party.client] = {thing.key: thing for thing in self._made(ask)}
        return known.get(key)

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""
        ask = self._asked(client, selection)
        if ask is None:
            return DataAccessResult.OBJECT_UNAVAILABLE
        class_id, obis, place = attribute
        if (class_id, obis) in (_ASSOCIATION, SECURITY_SETUP):
            return self._own(ask, class_id, place)
        thing = self._find(ask, (class_id, obis))
        if thing is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if place == 1:
            return axdr.encode(axdr.octets(obis.encode()))
        found = thing.attributes.get(place)
        if found is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not self._may(ask.party, Right.READ, thing.key):
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
        if found.write is None or not self._may(ask.party, found.right, (class_id, obis)):
            return DataAccessResult.READ_WRITE_DENIED
        if selection is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        try:
            data = axdr.decode_all(value)
        except DecodeError:
            return DataAccessResult.TYPE_UNMATCHED
        result = found.write(ask, data)
        if result is DataAccessResult.SUCCESS:
            self._was_set(ask, obis)
        self._keep()
        return result

    def act(self, client: int, method: MethodDescriptor, parameters: bytes | None, now: float) -> ActionOutcome:
        """Call a method."""
        ask = self._asked(client)
        thing = None if ask is None else self._find(ask, (method.class_id, method.obis))
        found = None if thing is None else thing.methods.get(method.method)
        if ask is None or thing is None or found is None:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        if not self._may(ask.party, found.right, thing.key):
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        try:
            result = found.call(ask, axdr.null() if parameters is None else axdr.decode_all(parameters))
        except (DecodeError, LocalProtocolError):
            result = ActionResult.TYPE_UNMATCHED
        self._things.clear()
        self._keep()
        return ActionOutcome(result)

    # -- the association itself -------------------------------------------------------------------------------

    def _own(self, ask: Ask[SiteT, PartyT], class_id: int, place: int) -> bytes | DataAccessResult:
        if class_id == SECURITY_SETUP[0]:
            title = axdr.encode(axdr.octets(self.system_title))
            name = axdr.encode(axdr.octets(SECURITY_SETUP[1].encode()))
            return {1: name, 2: b"\x16\x03", 3: b"\x16\x00", 4: b"\x09\x00", 5: title}.get(
                place, DataAccessResult.OBJECT_UNDEFINED
            )
        if place == 2:
            things = (*self._also_listed(), *self._made(ask))
            return axdr.encode(axdr.array(*[self._listed(ask.party, thing) for thing in things]))
        client = bytes((ask.party.client,)) + b"\x12" + self._sap.to_bytes(2, "big")
        return {
            1: axdr.encode(axdr.octets(_ASSOCIATION[1].encode())),
            3: b"\x02\x02\x0f" + client,
            4: _ARC + b"\x01\x03",
            6: _ARC + b"\x02\x05",
            8: b"\x16\x02",
            9: axdr.encode(axdr.octets(SECURITY_SETUP[1].encode())),
        }.get(place, DataAccessResult.OBJECT_UNDEFINED)

    def _listed(self, party: PartyT, thing: Thing[Ask[SiteT, PartyT]]) -> Data:
        may_read = self._may(party, Right.READ, thing.key)
        attributes = [axdr.structure(axdr.i8(1), axdr.enum(1), axdr.null())]
        for place, attr in sorted(thing.attributes.items()):
            selectors = axdr.array(axdr.i8(1), axdr.i8(2)) if thing.class_id == 7 and place == 2 else axdr.null()
            mode = int(may_read) | 2 * (attr.write is not None and self._may(party, attr.right, thing.key))
            attributes.append(axdr.structure(axdr.i8(place), axdr.enum(mode), selectors))
        methods = [
            axdr.structure(axdr.i8(place), axdr.enum(int(self._may(party, one.right, thing.key))))
            for place, one in sorted(thing.methods.items())
        ]
        rights = axdr.structure(axdr.array(*attributes), axdr.array(*methods))
        name = axdr.octets(thing.obis.encode())
        return axdr.structure(axdr.u16(thing.class_id), axdr.u8(thing.version), name, rights)
