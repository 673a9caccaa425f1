"""The whole object model: every object, who may do what with it, and its list as an association shows it."""

from __future__ import annotations

from functools import cache
from typing import Final

from meterway.base.obis import Obis
from meterway.meter.objects.control import CONTROLS
from meterway.meter.objects.identity import IDENTITY
from meterway.meter.objects.profiles import PROFILES
from meterway.meter.objects.registers import REGISTERS
from meterway.meter.objects.table import Ask, Attr, CosemObject, fixed
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import Data

__all__ = [
    "ADMIN_SECURED",
    "CLASSES_BY_OBIS",
    "MANAGEMENT",
    "OBJECTS",
    "PUBLIC",
    "READING",
    "may_act",
    "may_read",
    "may_set",
]

PUBLIC: Final = 16
"""No authentication: clock, names and counters only."""
MANAGEMENT: Final = 1
"""HLS 5, authenticated and encrypted: everything."""
READING: Final = 2
"""Low level security, a password in clear: reads what is measured."""
ADMIN_SECURED: Final = 3
"""HLS 5, authenticated and encrypted: reads what is measured."""

_CONTEXTS: Final = {PUBLIC: 1, READING: 1, MANAGEMENT: 3, ADMIN_SECURED: 3}
_MECHANISMS: Final = {PUBLIC: 0, READING: 1, MANAGEMENT: 5, ADMIN_SECURED: 5}
_ASSOCIATION: Final = Obis(0, 0, 40, 0, 0)
_OPEN: Final = frozenset(
    {
        (8, Obis(0, 0, 1, 0, 0)),
        (1, Obis(0, 0, 42, 0, 0)),
        (1, Obis(0, 0, 96, 1, 0)),
        (1, Obis(0, 0, 43, 1, 0)),
        (1, Obis(0, 0, 43, 1, 1)),
        (15, _ASSOCIATION),
        (17, Obis(0, 0, 41, 0, 0)),
    }
)
_SECRET: Final = 7


def _arc(kind: int, number: int) -> bytes:
    """An object identifier of DLMS UA in its short octet form."""
    return b"\x09\x07\x60\x85\x74\x05\x08" + bytes((kind, number))


def _partners(ask: Ask) -> bytes:
    return b"\x02\x02\x0f" + bytes((ask.client,)) + b"\x12\x00\x01"


def _listing(ask: Ask) -> bytes:
    return _object_list(ask.client)


def _no_secret(_: Ask) -> bytes:
    return b"\x09\x00"


_ASSOCIATION_OBJECT: Final = CosemObject(
    15,
    str(_ASSOCIATION),
    {
        2: Attr(_listing),
        3: Attr(_partners),
        4: Attr(lambda ask: _arc(1, _CONTEXTS.get(ask.client, 1))),
        5: fixed(
            axdr.structure(
                axdr.bits("000000000001111000011101"),
                axdr.u16(0xFFFF),
                axdr.u16(0xFFFF),
                axdr.u8(6),
                axdr.i8(0),
                axdr.octets(b""),
            )
        ),
        6: Attr(lambda ask: _arc(2, _MECHANISMS.get(ask.client, 0))),
        _SECRET: Attr(_no_secret),
        8: fixed(axdr.enum(2)),
        9: fixed(axdr.octets(Obis(0, 0, 43, 0, 0).encode())),
    },
    version=1,
)

OBJECTS: Final[dict[tuple[int, Obis], CosemObject]] = {
    (thing.class_id, thing.obis): thing for thing in (_ASSOCIATION_OBJECT, *IDENTITY, *REGISTERS, *PROFILES, *CONTROLS)
}
"""By class and logical name, in the order of the object list."""
CLASSES_BY_OBIS: Final[dict[Obis, int]] = {obis: class_id for class_id, obis in OBJECTS}


def may_read(client: int, class_id: int, obis: Obis, attribute: int) -> bool:
    """Whether a client may read an attribute."""
    if client == PUBLIC and (class_id, obis) not in _OPEN:
        return False
    return class_id != 15 or attribute != _SECRET


def may_set(client: int) -> bool:
    """Whether a client may set attributes at all."""
    return client == MANAGEMENT


def may_act(client: int) -> bool:
    """Whether a client may call methods at all."""
    return client == MANAGEMENT


@cache
def _object_list(client: int) -> bytes:
    shown = [thing for thing in OBJECTS.values() if client != PUBLIC or (thing.class_id, thing.obis) in _OPEN]
    return axdr.encode(axdr.array(*[_listed(client, thing) for thing in shown]))


def _listed(client: int, thing: CosemObject) -> Data:
    attributes = [
        axdr.structure(axdr.i8(number), axdr.enum(_mode(client, thing, number)), _selectors(thing, number))
        for number in sorted(thing.attributes)
    ]
    methods = [axdr.structure(axdr.i8(number), axdr.enum(int(may_act(client)))) for number in sorted(thing.methods)]
    rights = axdr.structure(axdr.array(*attributes), axdr.array(*methods))
    return axdr.structure(axdr.u16(thing.class_id), axdr.u8(thing.version), axdr.octets(thing.obis.encode()), rights)


def _mode(client: int, thing: CosemObject, number: int) -> int:
    readable = may_read(client, thing.class_id, thing.obis, number)
    return int(readable) | 2 * int(may_set(client) and thing.attributes[number].writable)


def _selectors(thing: CosemObject, number: int) -> Data:
    return axdr.array(axdr.i8(1), axdr.i8(2)) if thing.class_id == 7 and number == 2 else axdr.null()
