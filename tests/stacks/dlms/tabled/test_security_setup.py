"""The security setup says what protects every message, and takes keys where the device does."""

from __future__ import annotations

from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.classes import interface_class
from meterway.stacks.dlms.tabled.security_setup import security_setup
from meterway.stacks.dlms.tabled.table import Method, Right, Thing
from meterway.stacks.dlms.xdlms.results import ActionResult


def test_every_attribute_is_of_its_class() -> None:
    thing: Thing[None] = security_setup(b"MWY00001", None)
    shown = {}
    for place, attribute in thing.attributes.items():
        answer = attribute.read(None)
        assert isinstance(answer, bytes)
        shown[place] = interface_class(64, 0).attribute(place).type.typed(axdr.decode_all(answer), [])
    assert shown == {2: 3, 3: 0, 4: b"", 5: b"MWY00001"}
    assert (thing.readers, thing.is_public, thing.methods) == (Right.EVERY_PARTY, False, {})


def test_keys_are_transferred_where_there_is_a_method_for_it() -> None:
    method: Method[None] = Method(lambda ask, data: ActionResult.SUCCESS)
    assert security_setup(b"MWY00001", method).methods == {2: method}
