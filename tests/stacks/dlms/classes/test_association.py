"""Access rights read the same whatever version codes them."""

from __future__ import annotations

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import typed
from meterway.stacks.dlms.classes.association import (
    Access,
    AttributeAccess,
    MethodAccess,
    ObjectIdentifier,
    attribute_access,
    method_access,
)

CLOCK = "0101" + "0204" + "120008" + "1100" + "09060000010000ff" + "0202"


def test_modes_become_flags():
    assert attribute_access(3, 1) == Access.READ | Access.WRITE
    assert Access.AUTHENTICATED_REQUEST in attribute_access(4, 2)
    assert attribute_access(99, 2) == Access.NONE
    assert attribute_access(0x0F, 3) == Access.READ | Access.WRITE | Access(12)
    assert method_access(1, 1) == Access.READ
    assert method_access(7, 1) == Access.NONE


def test_an_object_list_reads_in_version_0_and_1():
    attributes = "0102" + "02030f01160100" + "02030f021603" + "01010f01"
    for version, mode in ((0, "0301"), (1, "1601")):
        data = axdr.decode_all(bytes.fromhex(CLOCK + attributes + "0101" + "02020f06" + mode))
        quirks: list[str] = []
        (clock,) = typed(15, "object_list", data, version, quirks=quirks)
        assert quirks == []
        assert str(clock.obis) == "0-0:1.0.0*255"
        assert clock.access.attributes == (
            AttributeAccess(attribute=1, mode=1),
            AttributeAccess(attribute=2, mode=3, selectors=(1,)),
        )
        assert clock.access.methods == (MethodAccess(method=6, mode=1),)


def test_a_context_name_reads_as_a_structure_or_as_octets():
    name = axdr.structure(*map(axdr.u8, (2, 16)), axdr.u16(756), *map(axdr.u8, (5, 8, 1, 3)))
    assert typed(15, "application_context_name", name) == ObjectIdentifier(kind=1, identifier=3)
    assert typed(15, "application_context_name", axdr.octets(bytes(7))) == bytes(7)
