import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import LinkError, RemoteProtocolError
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Noticed, Role
from meterway.stacks.dlms.wrapper import WrapperFrame, WrapperFraming


def drained(engine: WrapperFraming) -> list[FramingEvent]:
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    return events


def pair() -> tuple[WrapperFraming, WrapperFraming]:
    return WrapperFraming(16, 1, role=Role.CLIENT), WrapperFraming(16, 1, role=Role.SERVER)


def frame(source: int, destination: int, apdu: bytes) -> bytes:
    return WrapperFrame(source=source, destination=destination, apdu=apdu).encode()


@pytest.mark.covers("IF-I")
def test_a_request_and_its_answer_cross_the_line_with_swapped_ports() -> None:
    client, server = pair()
    client.connect(0)
    client.send(b"ask", 0)
    octets = client.data_to_send()
    assert octets == frame(16, 1, b"ask")
    assert client.data_to_send() == b""
    server.receive_data(octets, 0)
    assert drained(server) == [ApduReceived(apdu=b"ask", client=16, server=1)]
    server.send(b"answer", 0)
    octets = server.data_to_send()
    assert octets == frame(1, 16, b"answer")
    client.receive_data(octets, 0)
    assert drained(client) == [Connected(), ApduReceived(apdu=b"answer", client=16, server=1)]


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=8), st.data())
def test_frames_cut_anywhere_arrive_whole_and_in_order(apdus: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(frame(16, 1, apdu) for apdu in apdus)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(octets)), max_size=10)))
    server = WrapperFraming(16, 1, role=Role.SERVER)
    for start, stop in zip([0, *cuts], [*cuts, len(octets)], strict=True):
        if start < stop:
            server.receive_data(octets[start:stop], 0)
    assert [event.apdu for event in drained(server) if isinstance(event, ApduReceived)] == apdus


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_any_octets_bring_events_and_no_exception(chunks: list[bytes]) -> None:
    server = WrapperFraming(16, 1, role=Role.SERVER, max_apdu=20)
    for chunk in chunks:
        server.receive_data(chunk, 0)
    closings = [event for event in drained(server) if isinstance(event, Disconnected)]
    assert len(closings) <= 1


def test_many_pairs_share_one_stream_and_each_gets_its_answer() -> None:
    server = WrapperFraming(16, 1, role=Role.SERVER)
    server.receive_data(frame(16, 1, b"a") + frame(1, 17, b"b"), 0)
    assert drained(server) == [
        ApduReceived(apdu=b"a", client=16, server=1),
        ApduReceived(apdu=b"b", client=1, server=17),
    ]
    server.send(b"to the last", 0)
    server.reply(b"to the first", client=16, server=1)
    assert server.data_to_send() == frame(17, 1, b"to the last") + frame(1, 16, b"to the first")


def test_a_client_does_not_take_the_answer_meant_for_another() -> None:
    client, _ = pair()
    client.receive_data(frame(1, 17, b"x"), 0)
    (event,) = drained(client)
    assert isinstance(event, Noticed)
    assert (event.kind, event.octets) == ("address", b"x")


def test_a_listener_for_pushes_takes_every_pair() -> None:
    listener = WrapperFraming(103, 1, role=Role.CLIENT, any_pair=True)
    listener.receive_data(frame(17, 102, b"push"), 0)
    assert drained(listener) == [ApduReceived(apdu=b"push", client=102, server=17)]


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize(("header", "word"), [("0002001000010001", "version 2"), ("00010010000103e9", "1001 octets")])
def test_a_stream_that_cannot_be_followed_is_closed_with_the_reason(header: str, word: str) -> None:
    server = WrapperFraming(16, 1, role=Role.SERVER, max_apdu=1000)
    octets = bytes.fromhex(header)
    server.receive_data(octets[:5], 0)
    assert drained(server) == []
    server.receive_data(octets[5:] + b"rest", 0)
    (event,) = drained(server)
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, RemoteProtocolError)
    assert word in str(event.error)
    server.receive_data(frame(16, 1, b"late"), 0)
    server.send(b"late", 0)
    (event,) = drained(server)
    assert isinstance(event, Noticed)
    assert event.kind == "closed"
    assert server.data_to_send() == b""


def test_a_line_closed_inside_a_frame_is_a_link_error_on_either_side() -> None:
    for engine in pair():
        engine.receive_data(b"\x00\x01\x00", 0)
        engine.receive_data(b"", 0)
        (event,) = drained(engine)
        assert isinstance(event, Disconnected)
        assert isinstance(event.error, LinkError)


def test_a_server_takes_a_closed_line_as_the_end_and_a_client_as_a_failure() -> None:
    client, server = pair()
    for engine in (client, server):
        engine.receive_data(b"", 0)
    assert drained(server) == [Disconnected(error=None)]
    (event,) = drained(client)
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, LinkError)


def test_an_orderly_close_carries_no_error_and_can_be_opened_again() -> None:
    client, _ = pair()
    client.disconnect(0)
    client.disconnect(0)
    assert drained(client) == [Disconnected(error=None)]
    client.connect(0)
    client.send(b"again", 0)
    assert client.data_to_send() == frame(16, 1, b"again")


def test_a_frame_without_an_apdu_is_noticed() -> None:
    server = WrapperFraming(16, 1, role=Role.SERVER)
    server.receive_data(frame(16, 1, b""), 0)
    (event,) = drained(server)
    assert isinstance(event, Noticed)
    assert event.kind == "empty"


def test_the_wrapper_never_waits() -> None:
    client, _ = pair()
    assert client.next_timeout() is None
    client.handle_timeout(1)
    assert drained(client) == []
