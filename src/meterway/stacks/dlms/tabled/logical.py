"""A logical device as a server engine asks it: who may associate, under which keys, and who sees what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final, Generic, Protocol, TypeVar

from meterway.base.ciphers import Gcm12
from meterway.base.errors import ConfigError, DecodeError, LocalProtocolError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.acse.apdu import CONTEXT_LN_CIPHERED
from meterway.stacks.dlms.axdr import Data
from meterway.stacks.dlms.security.context import AUTHENTICATED, ENCRYPTED, Keys
from meterway.stacks.dlms.security.counter import ReceivedCounter, SendCounter
from meterway.stacks.dlms.security.hls import HLS5, LOWEST
from meterway.stacks.dlms.server import Association, DeviceSecurity
from meterway.stacks.dlms.tabled.security_setup import SECURITY_SETUP, security_setup
from meterway.stacks.dlms.tabled.table import Ask, Method, Right, Thing
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["CounterStore", "Party", "TabledDevice"]

_ASSOCIATION: Final = (15, Obis(0, 0, 40, 0, 0))
_READS: Final = (
    Conformance.GET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET
)
_WRITES: Final = (
    Conformance.SET | Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_SET | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
_ARC: Final = b"\x09\x07\x60\x85\x74\x05\x08"


class Party(Protocol):
    """Somebody who may ask."""

    @property
    def client(self) -> int:
        """Its client SAP."""


SiteT = TypeVar("SiteT")
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

    A ``LogicalDevice`` of the server, for who says which parties there are, what they may do and which objects. A party
    without keys is the public: it associates without a secret, and only what is public exists for it.
    ``max_pdu`` is the longest APDU that is taken.
    """

    __slots__ = ("_counters", "_max_pdu", "_site", "_things", "channel")

    def __init__(self, site: SiteT, channel: int, *, counters: CounterStore[PartyT], max_pdu: int = 0xFFFF) -> None:
        self._site = site
        self._counters = counters
        self._max_pdu = max_pdu
        self.channel = channel
        self._things: dict[int, dict[tuple[int, Obis], Thing[Ask[SiteT, PartyT]]]] = {}

    # -- what differs from site to site -----------------------------------------------------------------------

    @property
    @abstractmethod
    def system_title(self) -> bytes:
        """Eight octets."""

    @abstractmethod
    def _moment(self, now: float) -> float:
        """What its clock shows, Unix seconds, when the engine's time is ``now``."""

    @abstractmethod
    def _party(self, client: int) -> PartyT | None:
        """The party that may ask here, or None: whoever is not listed is denied."""

    @abstractmethod
    def _keys(self, party: PartyT) -> Keys | None:
        """Its keys with this logical device, or None for the public."""

    @abstractmethod
    def _may(self, party: PartyT, right: Right, key: tuple[int, Obis]) -> bool:
        """Whether it has a right on an object."""

    @abstractmethod
    def _made(self, ask: Ask[SiteT, PartyT]) -> Iterable[Thing[Ask[SiteT, PartyT]]]:
        """Every object there is now."""

    def _denied(self, client: int) -> None:
        """Log that somebody was turned away."""

    def _keep(self) -> None:
        """Write what a service changed."""

    @abstractmethod
    def noticed(self, client: int, kind: str, now: float) -> None:
        """Log what looks like an attack."""

    def _was_set(self, ask: Ask[SiteT, PartyT], obis: Obis) -> None:
        """Log that an attribute was set."""

    def _key_transfer(self) -> Method[Ask[SiteT, PartyT]] | None:
        """How keys are transferred (method 2 of the security setup), or None where they are not."""
        return None

    @property
    def _sap(self) -> int:
        """The address of this logical device."""
        return self.channel + 1

    # -- associations -----------------------------------------------------------------------------------------

    def association(self, client: int) -> Association | None:
        """HLS 5, authenticated and encrypted, for parties; reading without a secret for the public; else nothing."""
        party = self._party(client)
        if party is None:
            self._denied(client)
            return None
        if self._is_public(party):
            return Association(client=client, mechanism=LOWEST, conformance=_READS, max_pdu=self._max_pdu)
        return Association(
            client=client,
            mechanism=HLS5,
            conformance=_READS | _WRITES,
            context=CONTEXT_LN_CIPHERED,
            control=AUTHENTICATED | ENCRYPTED,
            max_pdu=self._max_pdu,
        )

    def _is_public(self, party: PartyT) -> bool:
        return self._keys(party) is None

    def security(self, client: int) -> DeviceSecurity | None:
        """Keys and counters of a party."""
        party = self._party(client)
        keys = None if party is None else self._keys(party)
        if party is None or keys is None:
            return None
        return DeviceSecurity(
            keys=keys,
            cipher=Gcm12(keys.encryption),
            send_counter=self._counters.sending(party, self.channel),
            received=self._counters.receiving(party, self.channel),
        )

    # -- objects ----------------------------------------------------------------------------------------------

    def _asked(self, client: int, now: float, selection: Selection | None = None) -> Ask[SiteT, PartyT] | None:
        try:
            party = self._party(client)
        except ConfigError:
            return None
        return None if party is None else Ask(self._site, self.channel, self._moment(now), party, selection)

    def _all(self, ask: Ask[SiteT, PartyT]) -> Iterable[Thing[Ask[SiteT, PartyT]]]:
        yield security_setup(self.system_title, self._key_transfer())
        yield from self._made(ask)

    def _find(self, ask: Ask[SiteT, PartyT], key: tuple[int, Obis]) -> Thing[Ask[SiteT, PartyT]] | DataAccessResult:
        """The object; a party's list is made once, and anew when something is asked that is not in it."""
        known = self._things.get(ask.party.client)
        if known is None or key not in known:
            known = self._things[ask.party.client] = {thing.key: thing for thing in self._all(ask)}
        found = known.get(key)
        if found is not None:
            return found
        is_other = any(obis == key[1] for _, obis in known)
        return DataAccessResult.OBJECT_CLASS_INCONSISTENT if is_other else DataAccessResult.OBJECT_UNDEFINED

    def _sees(self, party: PartyT, thing: Thing[Ask[SiteT, PartyT]]) -> bool:
        """Whether an object is there for a party at all: for the public, what is public."""
        return thing.is_public or not self._is_public(party)

    def _may_read(self, party: PartyT, thing: Thing[Ask[SiteT, PartyT]]) -> bool:
        return thing.is_public or self._may(party, thing.readers, thing.key)

    def get(
        self, client: int, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        """Read an attribute."""
        ask = self._asked(client, now, selection)
        if ask is None:
            return DataAccessResult.OBJECT_UNAVAILABLE
        class_id, obis, place = attribute
        if (class_id, obis) == _ASSOCIATION:
            return self._own(ask, place)
        thing = self._find(ask, (class_id, obis))
        if isinstance(thing, DataAccessResult):
            return thing
        if not self._sees(ask.party, thing):
            return DataAccessResult.READ_WRITE_DENIED
        if place == 1:
            return axdr.encode(axdr.octets(obis.encode()))
        found = thing.attributes.get(place)
        if found is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if not self._may_read(ask.party, thing):
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
        ask = self._asked(client, now)
        if ask is None:
            return DataAccessResult.OBJECT_UNDEFINED
        class_id, obis, place = attribute
        thing = self._find(ask, (class_id, obis))
        if isinstance(thing, DataAccessResult):
            return thing
        found = thing.attributes.get(place)
        if found is None and place != 1:
            return DataAccessResult.OBJECT_UNDEFINED
        if found is None or found.write is None or not self._may(ask.party, found.right, thing.key):
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
        ask = self._asked(client, now)
        if ask is None:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        thing = self._find(ask, (method.class_id, method.obis))
        if isinstance(thing, DataAccessResult):
            return ActionOutcome(ActionResult(thing))
        found = thing.methods.get(method.method)
        if found is None:
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

    def _own(self, ask: Ask[SiteT, PartyT], place: int) -> bytes | DataAccessResult:
        if place == 2:
            seen = [thing for thing in self._all(ask) if self._sees(ask.party, thing)]
            return axdr.encode(axdr.array(*[self._listed(ask.party, thing) for thing in seen]))
        client = bytes((ask.party.client,)) + b"\x12" + self._sap.to_bytes(2, "big")
        context, mechanism = (1, LOWEST) if self._is_public(ask.party) else (CONTEXT_LN_CIPHERED, HLS5)
        return {
            1: axdr.encode(axdr.octets(_ASSOCIATION[1].encode())),
            3: b"\x02\x02\x0f" + client,
            4: _ARC + bytes((1, context)),
            6: _ARC + bytes((2, mechanism)),
            8: b"\x16\x02",
            9: axdr.encode(axdr.octets(SECURITY_SETUP.encode())),
        }.get(place, DataAccessResult.OBJECT_UNDEFINED)

    def _listed(self, party: PartyT, thing: Thing[Ask[SiteT, PartyT]]) -> Data:
        may_read = self._may_read(party, thing)
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
