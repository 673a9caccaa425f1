"""Orders and signals to a load controller: there and back, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import DecodeError
from meterway.mapping.home import LoadOrder, Signal, SignalKind
from meterway.stacks.dlms import axdr

I32 = st.integers(-(2**31), 2**31 - 1)
U32 = st.integers(0, 0xFFFFFFFF)
ORDERS = st.builds(
    LoadOrder,
    ident=U32,
    relays=st.integers(0, 255),
    on=st.booleans(),
    start=U32,
    duration_s=U32,
    offset_s=st.integers(0, 0xFFFF),
    expires=U32,
    emergency=st.booleans(),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=40)


@given(order=ORDERS)
def test_an_order_comes_back(order):
    assert LoadOrder.decode(axdr.native(axdr.decode_all(axdr.encode(order.encode())))) == order


@given(ident=U32, kind=st.sampled_from(SignalKind), value=I32, text=TEXT, ask=st.booleans())
def test_a_signal_comes_back(ident, kind, value, text, ask):
    signal = Signal(ident=ident, kind=kind, value=value, start=5, end=6, text=text, wants_answer=ask)
    assert Signal.decode(axdr.native(axdr.decode_all(axdr.encode(signal.encode())))) == signal


def test_plain_numbers_are_understood_as_a_command_line_sends_them():
    assert LoadOrder.decode([7, 1, 0, 0, 900, 60, 0, 0]) == LoadOrder(ident=7, relays=1, duration_s=900, offset_s=60)
    assert Signal.decode([7, 3, 0, 0, 99, "hot water is cheap", True]).text == "hot water is cheap"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=9) | st.text(max_size=9) | st.floats(),
    lambda inner: st.lists(inner, max_size=9),
    max_leaves=12,
)


@given(value=plain)
@pytest.mark.parametrize("kind", [LoadOrder, Signal])
def test_anything_else_is_refused(kind, value):
    try:
        found = kind.decode(value)
    except DecodeError:
        return
    assert kind.decode(axdr.native(axdr.decode_all(axdr.encode(found.encode())))) == found


def test_a_signal_that_ends_before_it_starts_or_hides_control_characters_is_refused():
    with pytest.raises(DecodeError, match="ends after"):
        Signal.decode([7, 3, 0, 99, 99, b"", False])
    with pytest.raises(DecodeError, match="printable"):
        Signal.decode([7, 3, 0, 0, 99, b"\x1b[2J", False])
    with pytest.raises(DecodeError, match="UTF-8"):
        Signal.decode([7, 3, 0, 0, 99, b"\xff", False])
