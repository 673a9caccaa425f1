"""Hypothesis strategies for the wire types of DLMS, and the checks every one of them must pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.xdlms.action import ActionOutcome
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, DataBlock, MethodDescriptor, Selection
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "action_results",
    "attributes",
    "blocks",
    "comes_back",
    "datas",
    "encoded",
    "invokes",
    "is_cut_refused",
    "items",
    "long_invokes",
    "methods",
    "moments",
    "octet",
    "octets",
    "optional",
    "outcomes",
    "read_outcome",
    "results",
    "selections",
    "some",
    "values",
]

octet = st.integers(0, 255)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
invokes = octet
long_invokes = u32
moments = st.sampled_from([b"", bytes.fromhex("07ea030b030c0f1e00ffc400")])


def octets(most: int = 40, least: int = 0) -> st.SearchStrategy[bytes]:
    """Some octets, now and then more than one length octet counts."""
    return st.binary(min_size=least, max_size=most) | st.sampled_from([bytes(128), bytes(range(256)) * 2])


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(strategy: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


_leaf = (  # a value without parts
    st.just(axdr.null())
    | st.booleans().map(axdr.boolean)
    | st.integers(0, 255).map(axdr.u8)
    | u16.map(axdr.u16)
    | u32.map(axdr.u32)
    | st.integers(-(2**31), 2**31 - 1).map(axdr.i32)
    | st.binary(max_size=20).map(axdr.octets)
    | st.text("abc ", max_size=8).map(axdr.visible)
)
datas = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=4).map(lambda row: axdr.structure(*row)), max_leaves=6
)
encoded = datas.map(axdr.encode)

obis = st.tuples(*[octet] * 6).map(lambda groups: Obis(*groups))
attributes = st.builds(AttributeDescriptor, u16, obis, octet)
methods = st.builds(MethodDescriptor, u16, obis, octet)
selections = st.builds(Selection, octet, encoded)
items = st.tuples(attributes, optional(selections))
results = octet.map(DataAccessResult)
action_results = octet.map(ActionResult)
values = encoded | results
outcomes = st.builds(ActionOutcome, action_results, optional(values))
blocks = st.builds(DataBlock, st.booleans(), u32, octets())


def comes_back(apdu: Apdu) -> None:
    """Decoding what was encoded gives the same APDU, and the same octets again."""
    wire = apdu.encode()
    again = decode_apdu(wire)
    assert again == apdu
    assert again.encode() == wire


def is_cut_refused(wire: bytes, decode: Callable[[bytes], object] = decode_apdu) -> None:
    """Every shorter beginning of an APDU is refused, and so is an octet more."""
    for end in range(len(wire)):
        assert read_outcome(wire[:end], decode) is None, f"the first {end} of {len(wire)} octets were taken"
    assert read_outcome(wire + b"\x00", decode) is None, "an octet left over was taken"


def read_outcome(wire: bytes, decode: Callable[[bytes], object] = decode_apdu) -> object | None:
    """What ``decode`` makes of the octets, None for a DecodeError; any other exception goes through."""
    try:
        return decode(wire)
    except DecodeError:
        return None
