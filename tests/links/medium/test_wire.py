import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LocalProtocolError
from meterway.links.medium.wire import (
    Closed,
    Figures,
    Gone,
    Heard,
    Join,
    Leave,
    Message,
    Refused,
    Send,
    Watch,
    WireEngine,
)

numbers = st.integers(0, 2**31)
reals = st.floats(allow_nan=False, allow_infinity=False)
counts = st.dictionaries(st.text(max_size=8), numbers, max_size=3)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Join,
        numbers,
        st.text(max_size=20),
        st.tuples(st.text(max_size=4)),
        st.tuples(reals, reals, reals),
        reals,
        reals,
    ),
    st.builds(Leave, numbers),
    st.builds(Send, numbers, st.text(max_size=8), st.binary(max_size=300), reals, st.none() | reals),
    st.builds(
        Heard,
        st.text(max_size=4),
        st.binary(max_size=300),
        reals,
        st.tuples(st.tuples(numbers, reals)),
        st.just("late"),
    ),
    st.builds(Refused, numbers, st.text(max_size=40), st.booleans()),
    st.builds(Watch, st.booleans()),
    st.builds(Gone, st.text(max_size=9), st.text(max_size=4), st.binary(max_size=300), reals, reals, numbers, counts),
    st.builds(Figures, numbers, numbers, numbers, numbers, numbers, numbers, numbers, reals, counts),
)


def events(engine: WireEngine) -> list[Message]:
    out = []
    while (event := engine.next_event()) is not None:
        out.append(event)
    return out


@given(st.lists(messages, max_size=5), st.integers(1, 50))
def test_messages_arrive_as_they_were_told_however_the_line_cuts_them(said: list[Message], size: int) -> None:
    left, right = WireEngine(), WireEngine()
    for message in said:
        left.tell(message)
    octets = left.data_to_send()
    assert left.data_to_send() == b""
    for place in range(0, len(octets), size):
        right.receive_data(octets[place : place + size], 0.0)
    assert events(right) == said


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_the_engine_says_what_it_is_or_that_it_is_over(octets: bytes) -> None:
    engine = WireEngine()
    engine.receive_data(len(octets).to_bytes(4, "big") + octets, 0.0)
    engine.receive_data(octets, 0.0)
    out = events(engine)
    assert sum(isinstance(event, Closed) for event in out) <= 1
    assert not out or all(not isinstance(event, Closed) for event in out[:-1])


@given(messages, st.data())
def test_a_damaged_message_is_another_one_or_ends_the_line(message: Message, data: st.DataObject) -> None:
    sender, engine = WireEngine(), WireEngine()
    sender.tell(message)
    octets = bytearray(sender.data_to_send())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    engine.receive_data(bytes(octets), 0.0)
    engine.receive_data(b"", 0.0)
    assert isinstance(events(engine)[-1], Closed)


def test_a_closed_line_and_a_broken_rule_are_told_apart() -> None:
    quiet, rude, huge = WireEngine(), WireEngine(), WireEngine()
    quiet.receive_data(b"", 0.0)
    rude.receive_data(b"\x00\x00\x00\x01\x05", 0.0)
    rude.receive_data(b"\x00\x00\x00\x01\x05", 0.0)
    huge.receive_data(b"\xff\xff\xff\xff", 0.0)
    assert events(quiet) == [Closed()]
    (closed,) = events(rude)
    assert isinstance(closed, Closed)
    assert "not a message" in closed.reason
    assert "announced" in str(events(huge)[0])
    assert quiet.next_timeout() is None
    quiet.handle_timeout(0.0)


def test_the_end_of_a_line_cannot_be_said_on_the_line() -> None:
    sender, engine = WireEngine(), WireEngine()
    sender.tell(Closed("gone"))
    engine.receive_data(sender.data_to_send(), 0.0)
    assert "closing it" in str(events(engine)[0])


def test_a_peer_that_does_not_read_costs_a_bounded_amount_of_memory() -> None:
    engine = WireEngine()
    for _ in range(200):
        engine.tell(Send(1, "T1", bytes(100_000)))
    assert engine.dropped > 0
    assert len(engine.data_to_send()) < 9_000_000
    with pytest.raises(LocalProtocolError, match="at most"):
        engine.tell(Send(1, "T1", bytes(2_000_000)))
