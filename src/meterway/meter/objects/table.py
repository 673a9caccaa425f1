"""How an object is made: what its companion profile says of it, and what the meter does for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from meterway.base.obis import Obis
from meterway.mapping.companion import ProfileObject
from meterway.meter.device import Meter
from meterway.meter.zone import Zone
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime, Data, Tag
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.classes.types import Mismatch
from meterway.stacks.dlms.xdlms.parts import Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "done_or_not",
    "parameter_of",
    "Ask",
    "Attr",
    "Behaviour",
    "CosemObject",
    "Key",
    "Live",
    "encoded_octets",
    "moment",
    "store",
    "typed_of",
    "u32",
]

Key = tuple[int, Obis, int]
"""Class, logical name, attribute."""


class Ask(NamedTuple):
    """One question: to which meter, when (Unix seconds), by which client, for which part."""

    meter: Meter
    now: float
    client: int
    selection: Selection | None = None


Read = Callable[[Ask], bytes | DataAccessResult]
Write = Callable[[Meter, Data, float], DataAccessResult]
After = Callable[[Meter, float], None]
Call = Callable[[Meter, Data, float], ActionResult]


class Live(NamedTuple):
    """An attribute that the meter itself answers, and what setting it does (None: it cannot be set)."""

    read: Read
    write: Write | None = None


class Behaviour(NamedTuple):
    """What the meter does for an object: attributes it answers, methods, values from the factory.

    A static value of the companion profile goes before one from the ``factory``; ``after`` follows a value being set.
    """

    live: Mapping[int, Live] = MappingProxyType({})
    methods: Mapping[int, Call] = MappingProxyType({})
    factory: Mapping[int, Data] = MappingProxyType({})
    after: Mapping[int, After] = MappingProxyType({})


class Attr(NamedTuple):
    """An attribute of an object: how it is read, whether it may be set, by what (None: type check and store)."""

    read: Read
    writable: bool = False
    write: Write | None = None
    after: After | None = None


class CosemObject:
    """One object of the meter's model. An attribute or method it does not have in its tables is refused."""

    __slots__ = ("attributes", "class_id", "methods", "obis", "table", "version")

    def __init__(self, item: ProfileObject, behaviour: Behaviour) -> None:
        self.class_id = item.class_id
        self.version = item.version
        self.obis = item.obis
        self.table = interface_class(item.class_id, item.version)
        self.attributes: dict[int, Attr] = {1: Attr(_fixed(axdr.octets(item.obis.encode())))}
        for entry in self.table.attributes[1:]:
            attribute = _attribute(self, item, behaviour, entry.index)
            if attribute is not None:
                self.attributes[entry.index] = attribute
        self.methods = {number: call for number, call in behaviour.methods.items() if number in item.callable}

    def key(self, attribute: int) -> Key:
        """How ``Meter.changed`` names an attribute."""
        return self.class_id, self.obis, attribute


def _attribute(thing: CosemObject, item: ProfileObject, behaviour: Behaviour, number: int) -> Attr | None:
    live = behaviour.live.get(number)
    settable = number in item.settable
    if live is not None:
        return Attr(live.read, settable and live.write is not None, live.write)
    if number in item.static:
        data = thing.table.attribute(number).type.untyped(item.static[number])
    elif number in behaviour.factory:
        data = behaviour.factory[number]
    else:
        return None
    return Attr(_fixed(data), settable, None, behaviour.after.get(number))


def _fixed(data: Data) -> Read:
    """Encoded once for all meters."""
    octets = axdr.encode(data)
    return lambda _: octets


def u32(value: int) -> bytes:
    """double-long-unsigned, encoded; it rolls over as a register does."""
    return b"\x06" + (value & 0xFFFFFFFF).to_bytes(4, "big")


def encoded_octets(value: bytes) -> bytes:
    """octet-string, encoded."""
    return bytes((Tag.OCTET_STRING,)) + axdr.encode_length(len(value)) + value


def store(thing: CosemObject, attribute: int, meter: Meter, value: Data) -> DataAccessResult:
    """Keep a value that was set, if it has the attribute's type."""
    try:
        thing.table.attribute(attribute).type.typed(value, [])
    except Mismatch:
        return DataAccessResult.TYPE_UNMATCHED
    meter.change(thing.key(attribute), axdr.encode(value))
    return DataAccessResult.SUCCESS


def typed_of(thing: CosemObject, attribute: int, meter: Meter, now: float) -> object:
    """The typed value that an attribute of this meter has now; None if it does not say."""
    octets = (meter.changed or {}).get(thing.key(attribute))
    if octets is None:
        found = thing.attributes.get(attribute)
        answer = None if found is None else found.read(Ask(meter, now, 0))
        if not isinstance(answer, bytes):
            return None
        octets = answer
    return thing.table.attribute(attribute).type.typed(axdr.decode_all(octets), [])


_LATEST: Final = 253402214400.0


def moment(meter: Meter, unix_s: float) -> bytes:
    """A moment as the meter's clock shows it: 12 octets of local date-time with deviation and status."""
    return _moment(meter.zone, int(min(max(unix_s, 0.0), _LATEST)))


@lru_cache(maxsize=4096)
def _moment(zone: Zone, second: int) -> bytes:
    """Many meters are asked within the same second."""
    local = zone.local(second)
    summer = zone.is_summer(second)
    return CosemDateTime(
        year=local.year,
        month=local.month,
        day=local.day,
        weekday=local.isoweekday(),
        hour=local.hour,
        minute=local.minute,
        second=local.second,
        hundredths=0,
        deviation_min=-zone.offset_min(second),
        status=0x80 * summer,
    ).encode()


def done_or_not(is_done: bool) -> ActionResult:
    """The answer of a method that does a thing or does not."""
    return ActionResult.SUCCESS if is_done else ActionResult.OTHER_REASON


def parameter_of(class_id: int, version: int, method: int, data: Data) -> object:
    """The typed parameter of a method; None if it is not of that type."""
    try:
        return interface_class(class_id, version).method(method).type.typed(data, [])
    except Mismatch:
        return None
