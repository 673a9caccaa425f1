import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterway.base.errors import LinkError, LocalProtocolError, RemoteProtocolError
from meterway.links.memory import MemoryLine, SimulatedFaults
from meterway.stacks.dlms.framing import ApduReceived, Connected, Disconnected, FramingEvent, Noticed, Role
from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.connection import HdlcFraming
from meterway.stacks.dlms.hdlc.frame import FrameKind, HdlcFrame
from meterway.stacks.dlms.hdlc.parameters import HdlcParameters
from meterway.stacks.dlms.hdlc.states import State
from meterway.stacks.dlms.hdlc.stream import Deframer

SERVER = HdlcAddress(logical=1, physical=17, size=2)
CLIENT = HdlcAddress(logical=16)


def engine(role: Role, **options: float) -> HdlcFraming:
    return HdlcFraming(role=role, client=16, server=SERVER, **options)  # type: ignore[arg-type]


def drained(side: HdlcFraming) -> list[FramingEvent]:
    events = []
    while (event := side.next_event()) is not None:
        events.append(event)
    return events


def frames(octets: bytes) -> list[HdlcFrame]:
    found = Deframer().feed(octets)
    assert all(item.error is None for item in found)
    return [item.frame for item in found if item.frame is not None]


def linked(**options: float) -> tuple[HdlcFraming, HdlcFraming]:
    client, server = engine(Role.CLIENT, **options), engine(Role.SERVER, **options)
    client.connect(0)
    server.receive_data(client.data_to_send(), 0)
    client.receive_data(server.data_to_send(), 0)
    assert drained(client) == drained(server) == [Connected()]
    return client, server


def noticed(side: HdlcFraming) -> list[str]:
    return [event.kind for event in drained(side) if isinstance(event, Noticed)]


def command(
    control: int, information: bytes = b"", client: HdlcAddress = CLIENT, server: HdlcAddress = SERVER
) -> bytes:
    return HdlcFrame(destination=server, source=client, control=control, information=information).encode()


def response(control: int, information: bytes = b"", *, segmented: bool = False) -> bytes:
    frame = HdlcFrame(destination=CLIENT, source=SERVER, control=control, information=information, segmented=segmented)
    return frame.encode()


# ---- opening and closing


@pytest.mark.covers("IF-I", "IF-M")
@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_request_and_its_answer_cross_the_line_with_every_address_size(size: int) -> None:
    address = HdlcAddress(logical=1, physical=17 if size > 1 else 0, size=size)
    client = HdlcFraming(role=Role.CLIENT, client=16, server=address)
    server = HdlcFraming(role=Role.SERVER, server=address)
    line = MemoryLine(client, server)
    client.connect(0)
    line.settle()
    client.send(b"ask", 0)
    line.settle()
    server.send(b"answer", 0)
    line.settle()
    client.disconnect(0)
    line.settle()
    assert line.left_events == [Connected(), ApduReceived(apdu=b"answer", client=16, server=1), Disconnected()]
    assert line.right_events == [Connected(), ApduReceived(apdu=b"ask", client=16, server=1), Disconnected()]


def test_both_sides_settle_on_the_smaller_limits() -> None:
    client = engine(Role.CLIENT, max_info_tx=1000, max_info_rx=500, window_rx=7)
    server = engine(Role.SERVER, max_info_tx=600, max_info_rx=200, window_tx=3)
    client.connect(0)
    server.receive_data(client.data_to_send(), 0)
    client.receive_data(server.data_to_send(), 0)
    assert client.parameters == HdlcParameters(max_info_tx=200, max_info_rx=500, window_tx=1, window_rx=3)
    assert server.parameters == HdlcParameters(max_info_tx=500, max_info_rx=200, window_tx=3, window_rx=1)


def test_default_limits_need_no_information_field() -> None:
    client, server = engine(Role.CLIENT), engine(Role.SERVER, max_info_tx=500, max_info_rx=500)
    client.connect(0)
    octets = client.data_to_send()
    assert octets == command(0x93)
    server.receive_data(octets, 0)
    assert server.data_to_send() == response(0x73)
    assert server.parameters == HdlcParameters()


def test_an_answer_without_parameters_means_the_defaults() -> None:
    client = engine(Role.CLIENT, max_info_tx=1000, window_rx=5)
    client.connect(0)
    client.receive_data(response(0x73), 0)
    assert client.parameters == HdlcParameters()


def test_parameters_that_cannot_be_read_are_noticed_and_taken_as_defaults() -> None:
    server = engine(Role.SERVER)
    server.receive_data(command(0x93, b"\x81\x80\x05"), 0)
    assert [type(event) for event in drained(server)] == [Noticed, Connected]
    assert server.parameters == HdlcParameters()


def test_a_server_does_not_open_a_link() -> None:
    with pytest.raises(LocalProtocolError):
        engine(Role.SERVER).connect(0)


def test_sending_without_a_link_is_noticed_and_sends_nothing() -> None:
    client = engine(Role.CLIENT)
    client.send(b"early", 0)
    assert noticed(client) == ["closed"]
    assert client.data_to_send() == b""


def test_a_refused_client_hears_it() -> None:
    client = engine(Role.CLIENT)
    client.connect(0)
    client.receive_data(response(0x1F), 0)
    (event,) = drained(client)
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, LinkError)
    assert "DM" in str(event.error)


def test_a_frame_reject_ends_the_link_with_what_it_said() -> None:
    client, _ = linked()
    client.receive_data(response(0x97, b"\x10\x20\x01"), 0)
    (event,) = drained(client)
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, RemoteProtocolError)
    assert "102001" in str(event.error)


def test_one_client_is_served_after_the_other_and_a_second_one_meanwhile_is_turned_away() -> None:
    server = engine(Role.SERVER)
    second = HdlcAddress(logical=1)
    server.receive_data(command(0x93), 0)
    server.receive_data(command(0x93, client=second), 0)
    answers = frames(server.data_to_send())
    assert [(frame.kind, frame.destination) for frame in answers] == [(FrameKind.UA, CLIENT), (FrameKind.DM, second)]
    assert noticed(server) == ["busy"]
    server.receive_data(command(0x53), 0)
    server.receive_data(command(0x93, client=second), 0)
    server.receive_data(command(0x10, b"\xe6\xe6\x00ask", client=second), 0)
    assert ApduReceived(apdu=b"ask", client=1, server=1) in drained(server)


def test_a_stranger_does_not_slip_into_the_link_behind_an_unnumbered_frame() -> None:
    _, server = linked()
    stranger = HdlcAddress(logical=1)
    server.receive_data(command(0x03, b"\xe6\xe6\x00hello", client=stranger), 0)
    server.receive_data(command(0x10, b"\xe6\xe6\x00ask", client=stranger), 0)
    assert [event.apdu for event in drained(server) if isinstance(event, ApduReceived)] == [b"hello"]
    assert [frame.kind for frame in frames(server.data_to_send())] == [FrameKind.DM]


def test_a_silent_client_is_dropped() -> None:
    _, server = linked(inactivity_timeout_s=60)
    assert server.next_timeout() == 60
    server.receive_data(command(0x11), 50)
    server.handle_timeout(60)
    assert drained(server) == []
    assert server.next_timeout() == 110
    server.handle_timeout(110)
    (event,) = drained(server)
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, LinkError)
    server.data_to_send()
    server.receive_data(command(0x11), 111)
    assert [frame.kind for frame in frames(server.data_to_send())] == [FrameKind.DM]


def test_a_line_that_closes_under_a_link_is_a_link_error_on_either_side() -> None:
    for side in linked():
        side.receive_data(b"", 0)
        (event,) = drained(side)
        assert isinstance(event, Disconnected)
        assert isinstance(event.error, LinkError)


# ---- segments and windows


@pytest.mark.parametrize("window", [1, 2, 7])
@pytest.mark.parametrize("size", [0x7C, 0x7D, 0x7E, 1000, 5000])
def test_long_apdus_cross_in_segments(window: int, size: int) -> None:
    client, server = linked(window_tx=window, window_rx=window)
    apdu = bytes(index % 251 for index in range(size))
    line = MemoryLine(client, server)
    client.send(apdu, 0)
    line.settle()
    assert line.right_events == [ApduReceived(apdu=apdu, client=16, server=1)]
    server.send(apdu[::-1], 0)
    line.settle()
    assert line.left_events == [ApduReceived(apdu=apdu[::-1], client=16, server=1)]


def test_a_segment_is_acknowledged_before_the_next_one_goes() -> None:
    client, server = linked()
    client.send(bytes(200), 0)
    (first,) = frames(client.data_to_send())
    assert (first.segmented, first.poll_final, first.send_sequence, len(first.information)) == (True, True, 0, 128)
    server.receive_data(first.encode(), 0)
    (ready,) = frames(server.data_to_send())
    assert (ready.kind, ready.receive_sequence, ready.poll_final) == (FrameKind.RR, 1, True)
    client.receive_data(ready.encode(), 0)
    (second,) = frames(client.data_to_send())
    assert (second.segmented, second.send_sequence) == (False, 1)


def test_a_window_ends_with_the_poll_bit() -> None:
    client, _ = linked(window_tx=3, window_rx=3)
    client.send(bytes(1000), 0)
    sent = frames(client.data_to_send())
    assert [frame.send_sequence for frame in sent] == [0, 1, 2]
    assert [frame.poll_final for frame in sent] == [False, False, True]


def test_a_late_acknowledgement_is_not_taken_for_a_new_one_in_a_wide_window() -> None:
    client, _ = linked(window_tx=7, window_rx=7)
    client.send(bytes(1000), 0)
    assert len(frames(client.data_to_send())) == 3
    client.receive_data(response(0x71), 0)
    assert [frame.send_sequence for frame in frames(client.data_to_send())] == [3, 4, 5]
    for late in (0x11, 0x31, 0x51):
        client.receive_data(response(late), 0)
        assert noticed(client) == ["sequence"]
        assert client.data_to_send() == b""


def test_an_apdu_beyond_the_limit_ends_the_link() -> None:
    client, server = linked(max_apdu=300)
    line = MemoryLine(client, server)
    client.send(bytes(400), 0)
    line.settle()
    (event,) = line.right_events
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, RemoteProtocolError)


def test_an_information_field_longer_than_agreed_is_rejected() -> None:
    _, server = linked()
    server.receive_data(command(0x10, bytes(129)), 0)
    (frame,) = frames(server.data_to_send())
    assert (frame.kind, frame.information) == (FrameKind.FRMR, b"\x10\x00\x04")
    assert server.state is State.REJECTING


# ---- loss and repetition


def test_a_request_without_an_answer_is_sent_again_and_given_up_in_the_end() -> None:
    client, _ = linked(response_timeout_s=2, retries=2)
    client.send(b"ask", 0)
    first = client.data_to_send()
    for due in (2, 4):
        assert client.next_timeout() == due
        client.handle_timeout(due)
        assert client.data_to_send() == first
        assert noticed(client) == ["retry"]
    client.handle_timeout(6)
    (event,) = drained(client)
    assert isinstance(event, Disconnected)
    assert isinstance(event.error, LinkError)
    assert "1/17" in str(event.error)
    assert client.next_timeout() is None


def test_opening_is_tried_again_too() -> None:
    client = engine(Role.CLIENT, retries=1, response_timeout_s=1)
    client.connect(0)
    first = client.data_to_send()
    client.handle_timeout(1)
    assert client.data_to_send() == first
    client.handle_timeout(2)
    assert isinstance(drained(client)[-1], Disconnected)


def test_a_repeated_request_is_acknowledged_again_but_not_delivered_again() -> None:
    client, server = linked()
    client.send(b"ask", 0)
    octets = client.data_to_send()
    server.receive_data(octets, 0)
    server.receive_data(octets, 0)
    events = drained(server)
    assert [type(event) for event in events] == [ApduReceived, Noticed]
    assert isinstance(events[1], Noticed)
    assert events[1].kind == "retransmission"
    (ready,) = frames(server.data_to_send())
    assert (ready.kind, ready.receive_sequence) == (FrameKind.RR, 1)


def test_a_lost_answer_is_given_again_when_the_request_comes_again() -> None:
    client, server = linked()
    client.send(b"ask", 0)
    octets = client.data_to_send()
    server.receive_data(octets, 0)
    server.send(b"answer", 0)
    lost = server.data_to_send()
    server.receive_data(octets, 3)
    assert server.data_to_send() == lost
    client.receive_data(lost, 3)
    assert ApduReceived(apdu=b"answer", client=16, server=1) in drained(client)


def test_a_late_copy_of_an_answer_does_not_make_the_client_send() -> None:
    client, server = linked()
    line = MemoryLine(client, server, on_right=lambda event: isinstance(event, ApduReceived) and server.send(b"x", 0))
    client.send(b"one", 0)
    line.settle()
    client.send(b"two", 0)
    client.data_to_send()
    client.receive_data(response(0x30, b"\xe6\xe7\x00x"), 0)
    assert client.data_to_send() == b""
    assert noticed(client) == ["retransmission"]


def test_a_slow_server_says_not_yet_and_is_polled_until_it_answers() -> None:
    client, server = linked(hold_s=1, poll_delay_s=0.5)
    line = MemoryLine(client, server)
    client.send(b"ask", 0)
    line.run(4.9)
    assert [type(event) for event in line.right_events] == [ApduReceived]
    assert line.left_events == []
    server.send(b"at last", 4.9)
    line.run(6)
    assert line.left_events == [ApduReceived(apdu=b"at last", client=16, server=1)]


def test_a_server_that_never_answers_is_not_polled_for_ever() -> None:
    client, server = linked(answer_timeout_s=10)
    line = MemoryLine(client, server)
    client.send(b"ask", 0)
    line.run(100)
    assert [event.kind for event in line.left_events] == ["no-answer"]
    assert line.octets_carried < 1000


def test_a_busy_server_is_sent_nothing_until_it_is_ready() -> None:
    client, _ = linked(poll_delay_s=0.5)
    client.send(b"ask", 0)
    client.data_to_send()
    client.receive_data(response(0x35), 0)
    client.send(b"more", 0.1)
    assert client.data_to_send() == b""
    client.handle_timeout(0.5)
    assert [frame.kind for frame in frames(client.data_to_send())] == [FrameKind.RR]
    client.receive_data(response(0x31), 0.6)
    (frame,) = frames(client.data_to_send())
    assert (frame.kind, frame.information) == (FrameKind.I, b"\xe6\xe6\x00more")


def test_an_acknowledgement_of_nothing_is_noticed_and_dropped() -> None:
    client, _ = linked()
    client.send(b"ask", 0)
    client.receive_data(response(0xB1), 0)
    assert noticed(client) == ["sequence"]


def test_a_frame_that_stops_coming_does_not_swallow_its_repetition() -> None:
    client, server = linked(octet_gap_s=0.5)
    client.send(b"a longer question than its remains", 0)
    octets = client.data_to_send()
    server.receive_data(octets[:20], 0)
    server.receive_data(octets, 3)
    assert [type(event) for event in drained(server)] == [Noticed, ApduReceived]


def test_own_frames_that_come_back_are_ignored() -> None:
    client, server = linked()
    client.send(b"ask", 0)
    octets = client.data_to_send()
    server.receive_data(octets, 0)
    server.send(b"answer", 0)
    client.receive_data(octets + server.data_to_send(), 0)
    events = drained(client)
    assert [type(event) for event in events] == [Noticed, ApduReceived]
    assert isinstance(events[0], Noticed)
    assert events[0].kind == "echo"


def test_frames_for_other_stations_are_left_alone() -> None:
    _, server = linked()
    server.receive_data(command(0x53, server=HdlcAddress(logical=1, physical=18, size=2)), 0)
    server.receive_data(command(0x93, server=HdlcAddress(logical=0x7F)), 0)
    assert noticed(server) == ["address", "address"]
    assert server.data_to_send() == b""
    assert server.state is State.OPEN


def test_an_apdu_without_its_llc_header_is_delivered_and_noticed() -> None:
    _, server = linked()
    server.receive_data(command(0x10, b"\xc0\x01"), 0)
    events = drained(server)
    assert [type(event) for event in events] == [Noticed, ApduReceived]
    assert events[1] == ApduReceived(apdu=b"\xc0\x01", client=16, server=1)


# ---- unnumbered


@pytest.mark.covers("IF-H1")
def test_a_push_goes_in_unnumbered_frames_without_a_link() -> None:
    client, server = engine(Role.CLIENT), engine(Role.SERVER)
    server.send_unnumbered(bytes(range(250)), client=16)
    octets = server.data_to_send()
    assert [frame.segmented for frame in frames(octets)] == [True, False]
    client.receive_data(octets, 0)
    assert drained(client) == [ApduReceived(apdu=bytes(range(250)), client=16, server=1)]
    assert client.data_to_send() == b""


def test_an_endless_push_is_cut_short() -> None:
    client = engine(Role.CLIENT, max_apdu=300)
    for _ in range(3):
        client.receive_data(response(0x03, bytes(128), segmented=True), 0)
    assert noticed(client) == ["length"]


# ---- a bad line


def conversation(
    faults: SimulatedFaults, *, window: int, count: int = 8
) -> tuple[list[bytes], list[bytes], list[Disconnected]]:
    """``count`` requests, each answered with its reverse; what arrived on either side and how it ended."""
    client, server = (engine(role, window_tx=window, window_rx=window) for role in (Role.CLIENT, Role.SERVER))
    asked: list[bytes] = []
    answered: list[bytes] = []
    ends: list[Disconnected] = []
    requests = [bytes((index * 7 + place) % 256 for place in range(1 + index * 97 % 400)) for index in range(count)]

    def at_client(event: FramingEvent) -> None:
        if isinstance(event, ApduReceived):
            answered.append(event.apdu)
        if isinstance(event, Disconnected):
            ends.append(event)
        elif isinstance(event, Connected | ApduReceived):
            if len(answered) < count:
                client.send(requests[len(answered)], line.now)
            else:
                client.disconnect(line.now)

    def at_server(event: FramingEvent) -> None:
        if isinstance(event, ApduReceived):
            asked.append(event.apdu)
            server.send(event.apdu[::-1], line.now)

    line = MemoryLine(client, server, on_left=at_client, on_right=at_server, faults=faults)
    client.connect(0)
    line.run(3600)
    assert asked == requests[: len(asked)]
    assert answered == [request[::-1] for request in requests[: len(answered)]]
    assert len(asked) - len(answered) in (0, 1)
    return asked, answered, ends


@pytest.mark.covers("SEC-11")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.builds(
        SimulatedFaults,
        seed=st.integers(0, 10_000),
        lost=st.sampled_from((0.0, 0.1)),
        repeated=st.sampled_from((0.0, 0.2)),
        octet_lost=st.sampled_from((0.0, 0.0005)),
        octet_repeated=st.sampled_from((0.0, 0.0005)),
        octet_damaged=st.sampled_from((0.0, 0.001)),
        delay_s=st.sampled_from((0.0, 0.1)),
    ),
    st.sampled_from((1, 3, 7)),
)
def test_on_a_bad_line_every_apdu_arrives_once_or_the_link_is_reported_down(
    faults: SimulatedFaults, window: int
) -> None:
    _, answered, ends = conversation(faults, window=window)
    assert len(ends) == 1
    assert len(answered) == 8 or isinstance(ends[0].error, LinkError)


def test_a_line_that_repeats_everything_carries_a_bounded_number_of_frames() -> None:
    asked, _, ends = conversation(SimulatedFaults(seed=1, repeated=1.0), window=1)
    assert len(asked) == 8
    assert ends == [Disconnected()]


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.builds(command, st.integers(0, 255), st.binary(max_size=20)),
            st.builds(response, st.integers(0, 255), st.binary(max_size=20)),
        )
    ),
    st.sampled_from(Role),
)
def test_any_octets_bring_events_and_no_exception(chunks: list[bytes], role: Role) -> None:
    side = linked()[0 if role is Role.CLIENT else 1]
    for step, chunk in enumerate(chunks):
        if chunk:
            side.receive_data(chunk, step)
        side.send(b"x", step)
        if side.next_timeout() is not None:
            side.handle_timeout(step)
    assert all(isinstance(event, Connected | ApduReceived | Disconnected | Noticed) for event in drained(side))
