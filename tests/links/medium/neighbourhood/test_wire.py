import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.links.medium.messages import Closed
from meterway.links.medium.neighbourhood.records import Carried, Route
from meterway.links.medium.neighbourhood.wire import (
    Figures,
    Heard,
    Join,
    Leave,
    NeighbourhoodWire,
    Refused,
    Routes,
    Send,
    Transmitted,
    Watch,
)

NODES = st.integers(0, 0xFFFF)
REALS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.dictionaries(st.text(max_size=8), st.integers(0, 2**31), max_size=3)
OCTETS = st.binary(max_size=300)
CARRIED = st.builds(Carried, NODES, NODES, NODES, NODES, OCTETS, REALS, REALS, NODES, NODES, st.text(max_size=9))
ROUTE = st.builds(
    Route,
    node=NODES,
    present=st.booleans(),
    coordinator=st.none() | NODES,
    parent=st.none() | NODES,
    hops=NODES,
    quality=st.tuples(REALS, REALS),
    cost=REALS,
    queue=NODES,
    tried=NODES,
    failed=NODES,
)
MESSAGES = st.one_of(
    st.builds(Join, NODES, st.none() | st.tuples(REALS, REALS)),
    st.builds(Leave, NODES),
    st.builds(Send, NODES, NODES, OCTETS, st.booleans()),
    st.builds(Heard, OCTETS, NODES, REALS, st.tuples(st.tuples(NODES, NODES)), st.booleans()),
    st.builds(Refused, NODES, st.text(max_size=40)),
    st.builds(Watch, st.booleans()),
    st.builds(Transmitted, CARRIED),
    st.builds(Figures, st.text(max_size=8), *[NODES] * 9, REALS, COUNTS, COUNTS, REALS),
    st.builds(Routes, REALS, st.tuples(ROUTE, ROUTE), st.booleans()),
)


def events(engine):
    out = []
    while (event := engine.next_event()) is not None:
        out.append(event)
    return out


@given(st.lists(MESSAGES, max_size=5), st.integers(1, 50))
def test_messages_arrive_as_they_were_told_however_the_line_cuts_them(said, size):
    left, right = NeighbourhoodWire(), NeighbourhoodWire()
    for message in said:
        left.tell(message)
    octets = left.data_to_send()
    for place in range(0, len(octets), size):
        right.receive_data(octets[place : place + size], 0.0)
    assert events(right) == said


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_the_engine_says_what_it_is_or_that_it_is_over(octets):
    engine = NeighbourhoodWire()
    engine.receive_data(len(octets).to_bytes(4, "big") + octets, 0.0)
    engine.receive_data(octets, 0.0)
    out = events(engine)
    assert not any(isinstance(event, Closed) for event in out[:-1])


@given(MESSAGES, st.data())
def test_a_damaged_message_is_another_one_or_ends_the_line(message, data):
    left, right = NeighbourhoodWire(), NeighbourhoodWire()
    left.tell(message)
    octets = bytearray(left.data_to_send())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    right.receive_data(bytes(octets), 0.0)
    assert len(events(right)) <= len(octets)


def test_what_is_no_message_names_the_hub():
    engine = NeighbourhoodWire()
    engine.receive_data(b"\x00\x00\x00\x01\x05", 0.0)
    (closed,) = events(engine)
    assert "neighbourhood hub" in closed.reason


@pytest.mark.parametrize("message", [Join(5), Watch(frames=False), Send(1, 2, b"x")])
def test_messages_are_small(message):
    engine = NeighbourhoodWire()
    engine.tell(message)
    assert len(engine.data_to_send()) < 20
