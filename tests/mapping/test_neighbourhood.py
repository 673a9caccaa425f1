"""The node table and the orders to groups: what goes in comes out, anything else is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.mapping.neighbourhood import (
    GROUP_ORDERS,
    NODES,
    GroupOrder,
    NodeRole,
    NodeRow,
    NodeState,
    OrderReport,
    OrderState,
    decode_nodes,
    decode_reports,
    encode_nodes,
    encode_reports,
)
from meterway.mapping.profile import load_profile
from meterway.stacks.dlms import axdr

pytestmark = pytest.mark.covers("E-NNAP", "IF-G2")

U32, U8 = st.integers(0, 0xFFFFFFFF), st.integers(0, 255)
EUI = st.binary(min_size=8, max_size=8)
SERIAL = st.text(st.characters(categories=("L", "N")), max_size=64)
NODE = st.builds(
    NodeRow,
    serial=SERIAL,
    system_title=EUI,
    eui=EUI,
    state=st.sampled_from(NodeState),
    address=U32,
    parent=EUI | st.just(b""),
    hops=U8,
    quality=U8,
    heard=U32,
    joined=U32,
    sap=st.integers(0, 0xFFFF),
    role=st.sampled_from(NodeRole),
    name=st.binary(max_size=16),
)
ORDER = st.builds(
    GroupOrder,
    id=st.binary(min_size=1, max_size=16),
    apdu=st.binary(min_size=1, max_size=60),
    not_before=U32,
    expires=U32,
    members=st.lists(EUI, max_size=4).map(tuple),
    client=st.integers(0, 0xFFFF),
    server=st.integers(0, 0xFFFF),
    repeats=U8,
)
REPORT = st.builds(OrderReport, id=st.binary(max_size=8), state=st.sampled_from(OrderState), sent_at=U32, sends=U8)


@given(st.lists(NODE, max_size=6, unique_by=(lambda row: row.eui, lambda row: row.serial or row.eui)))
def test_a_node_table_comes_back(rows: list[NodeRow]) -> None:
    assert decode_nodes(encode_nodes(tuple(rows))) == tuple(rows)


@given(ORDER)
def test_an_order_comes_back(order: GroupOrder) -> None:
    assert GroupOrder.decode(axdr.encode(order.encode())) == order


@given(st.lists(REPORT, max_size=4))
def test_reports_come_back(reports: list[OrderReport]) -> None:
    assert decode_reports(encode_reports(tuple(reports))) == tuple(reports)


@given(st.binary(max_size=80))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    for decode in (decode_nodes, decode_reports, GroupOrder.decode):
        try:
            decode(octets)
        except DecodeError:
            continue


ROW = NodeRow(serial="M1", system_title=b"MWY00001", eui=b"MWY00001", state=NodeState.MEMBER)


@pytest.mark.parametrize(
    "rows",
    [
        (ROW, ROW),
        (ROW, replace(ROW, eui=b"MWY00002")),
        (replace(ROW, eui=b"short"),),
        (replace(ROW, parent=b"x"),),
        (replace(ROW, serial="a\x00"),),
        (replace(ROW, serial="a" * 65),),
        (replace(ROW, name=bytes(17)),),
    ],
    ids=["eui twice", "serial twice", "eui", "parent", "unprintable", "long", "long name"],
)
def test_a_table_that_makes_no_sense_is_refused(rows: tuple[NodeRow, ...]) -> None:
    with pytest.raises(DecodeError):
        decode_nodes(encode_nodes(rows))


def test_a_state_nobody_knows_is_refused() -> None:
    octets = bytearray(encode_nodes((ROW,)))
    octets[octets.index(b"\x16\x00") + 1] = 9
    with pytest.raises(DecodeError, match="NodeState"):
        decode_nodes(bytes(octets))


def test_a_role_nobody_knows_is_refused() -> None:
    octets = bytearray(encode_nodes((ROW,)))
    octets[octets.rindex(b"\x16\x00") + 1] = 9
    with pytest.raises(DecodeError, match="NodeRole"):
        decode_nodes(bytes(octets))


def test_a_table_without_roles_and_names_is_read_as_one_of_meters() -> None:
    full = axdr.decode_all(encode_nodes((replace(ROW, hops=3),))).value
    assert isinstance(full, tuple)
    fields = full[0].value  # type: ignore[union-attr]
    assert isinstance(fields, tuple)
    short = axdr.encode(axdr.array(axdr.structure(*fields[:11])))  # type: ignore[arg-type]
    assert decode_nodes(short) == (replace(ROW, hops=3),)
    with pytest.raises(DecodeError, match="thirteen"):
        decode_nodes(axdr.encode(axdr.array(axdr.structure(*fields[:12]))))  # type: ignore[arg-type]


def test_what_follows_the_value_is_refused() -> None:
    with pytest.raises(DecodeError):
        decode_nodes(encode_nodes((ROW,)) + b"\x00")


def test_the_companion_profile_of_a_concentrator_has_both_objects() -> None:
    objects = load_profile("nnap").objects
    assert {NODES, GROUP_ORDERS} <= objects.keys()


def test_every_event_of_a_concentrator_has_a_name() -> None:
    from meterway.nnap.events import SECURITY, Code

    known = load_profile("nnap")
    for code in Code:
        log = "fraud" if code in SECURITY else "standard"
        assert (log, int(code)) in known.events, code
