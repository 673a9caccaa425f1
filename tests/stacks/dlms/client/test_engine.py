"""The client engine: every way in which an association goes wrong ends in one ``Failed``, and oddities are quirks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dlms_device as device
from meterway.base.errors import LocalProtocolError, SecurityError
from meterway.stacks.dlms.association import State
from meterway.stacks.dlms.axdr import encode_length
from meterway.stacks.dlms.client import (
    ActionListDone,
    Associated,
    DlmsClient,
    Failed,
    GetDone,
    GetListDone,
    PushReceived,
    Quirk,
    Released,
)
from meterway.stacks.dlms.framing import Role
from meterway.stacks.dlms.security.counter import SendCounter
from meterway.stacks.dlms.wrapper import WrapperFraming
from meterway.stacks.dlms.wrapper.frame import encode_frame
from meterway.stacks.dlms.xdlms.block_transfer import GeneralBlockTransfer
from meterway.stacks.dlms.xdlms.results import DataAccessResult

pytestmark = pytest.mark.covers("IF-I")

ENERGY = bytes.fromhex("060001e240")


class Line:
    """A client engine and a server by hand: what it asks, and what it is answered."""

    def __init__(self, client: int = device.PUBLIC, **changes: Any) -> None:
        self.number = client
        self.engine = DlmsClient(WrapperFraming(client, 1, role=Role.CLIENT), device.settings(client, **changes))
        self.pair = device.Pair(client)

    def asked(self) -> bytes:
        """The one APDU the client sent."""
        octets = self.engine.data_to_send()
        return octets[8:]

    def answer(self, apdu: bytes, now: float = 0.0) -> None:
        self.engine.receive_data(encode_frame(1, self.number, apdu), now)

    def relay(self, now: float = 0.0) -> None:
        """Let the real server answer once."""
        self.pair.server.receive_data(self.engine.data_to_send(), now)
        self.engine.receive_data(self.pair.server.data_to_send(), now)

    def events(self) -> list[Any]:
        found = []
        while (event := self.engine.next_event()) is not None:
            found.append(event)
        return found

    def open(self) -> None:
        self.engine.open(0.0)
        self.relay()
        if device.MECHANISM[self.number] > 1:
            self.relay()
        assert isinstance(self.events()[-1], Associated)


def failed(events: list[Any]) -> str:
    """The one cause of failure, which is the last event but for closing the line."""
    causes = [event.cause for event in events if isinstance(event, Failed)]
    assert len(causes) == 1, events
    return str(causes[0])


# -- what goes well ---------------------------------------------------------------------------------------------------


def test_requests_are_sent_one_after_the_other_with_rising_invoke_ids() -> None:
    line = Line()
    line.open()
    numbers = [line.engine.get(device.ENERGY, now=0) for _ in range(17)]
    assert not line.engine.is_idle
    invokes = []
    for _ in numbers:
        octets = line.engine.data_to_send()
        invokes.append(octets[10] & 0x0F)
        assert len(octets) == 8 + 13, "more than one request went out at once"
        line.pair.server.receive_data(octets, 0)
        line.engine.receive_data(line.pair.server.data_to_send(), 0)
    assert line.events() == [GetDone(number, ENERGY) for number in numbers]
    assert invokes == [number % 16 for number in range(1, 18)]
    assert line.engine.is_idle


def test_requests_before_the_association_wait_for_it() -> None:
    pair = device.Pair()
    number = pair.client.get(device.ENERGY, now=0)
    pair.client.release(0)
    pair.open()
    kinds = [type(event) for event in pair.events]
    assert kinds == [Associated, GetDone, Released]
    assert pair.events[1] == GetDone(number, ENERGY)


def test_opening_twice_is_our_own_mistake() -> None:
    line = Line()
    line.open()
    with pytest.raises(LocalProtocolError, match="already open"):
        line.engine.open(0)


@pytest.mark.parametrize(("items", "values"), [((), ()), (((device.TEXT, None),), ())])
def test_values_must_match_their_attributes(items: Any, values: Any) -> None:
    line = Line()
    line.open()
    with pytest.raises(LocalProtocolError):
        line.engine.set(items, values, now=0)


@pytest.mark.covers("F2a")
@pytest.mark.parametrize(
    "push", ["0f0000000100" + "1105", "c200" + "0003" + "0100010800ff" + "02" + "0600000001"], ids=["data", "event"]
)
def test_a_push_in_between_is_reported_and_the_answer_still_comes(push: str) -> None:
    line = Line()
    line.open()
    line.engine.get(device.ENERGY, now=0)
    line.answer(bytes.fromhex(push))
    line.relay()
    first, second = line.events()
    assert isinstance(first, PushReceived)
    assert isinstance(second, GetDone)


@pytest.mark.parametrize("push", ["0f0000000100" + "1105", "db084d5759303030303105300000000100"])
def test_a_push_does_not_answer_the_request_to_associate(push: str) -> None:
    line = Line()
    line.engine.open(0.0)
    line.answer(bytes.fromhex(push))
    line.relay()
    first, second = line.events()
    assert isinstance(first, Quirk)
    assert isinstance(second, Associated)


# -- oddities ---------------------------------------------------------------------------------------------------------


def test_an_answer_to_nothing_is_a_quirk() -> None:
    line = Line()
    line.open()
    line.answer(bytes.fromhex("c401c10000"))
    (event,) = line.events()
    assert isinstance(event, Quirk)
    assert event.kind == "unexpected-apdu"


# A release response whose inner length says one octet less than there are, as one maker's servers send it.
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("6303800100", None),
        ("630480010000", "rlre-lengths"),
        ("6305800100", "rlre-lengths"),
        ("d80101", "release-answer"),
    ],
)
def test_a_malformed_release_response_is_a_quirk(answer: str, kind: str | None) -> None:
    line = Line()
    line.open()
    line.engine.release(0)
    assert line.asked() == bytes.fromhex("6203800100")
    line.answer(bytes.fromhex(answer))
    events = line.events()
    assert isinstance(events[-1], Released)
    assert [event.kind for event in events[:-1]] == ([] if kind is None else [kind])
    assert line.engine.state is State.IDLE


def test_a_release_that_is_not_answered_ends_in_time() -> None:
    line = Line(response_timeout_s=5.0)
    line.open()
    line.engine.release(1.0)
    assert line.engine.next_timeout() == 6.0
    line.engine.handle_timeout(6.0)
    events = line.events()
    assert [type(event) for event in events] == [Quirk, Released]


def test_a_line_closed_while_releasing_is_released() -> None:
    line = Line()
    line.open()
    line.engine.release(0)
    line.engine.receive_data(b"", 0)
    assert line.events() == [Released()]


# -- what breaks an association ---------------------------------------------------------------------------------------

STEPS: dict[str, Callable[[Line], None]] = {
    "associating": lambda line: line.engine.open(0),
    "authenticating": lambda line: (line.engine.open(0), line.relay())[0],
    "reading": lambda line: (line.open(), line.engine.get(device.ENERGY, now=0))[0],
    "commanding": lambda line: (line.open(), line.engine.act(device.RESET, now=0))[0],
}


@pytest.mark.parametrize("where", STEPS)
def test_a_line_closed_at_any_step_fails_by_name(where: str) -> None:
    line = Line(device.SECURE)
    STEPS[where](line)
    line.engine.receive_data(b"", 0)
    events = line.events()
    assert failed(events) == "link"
    assert line.engine.state is State.IDLE
    assert line.engine.next_timeout() is None


@pytest.mark.parametrize("where", STEPS)
def test_silence_at_any_step_fails_in_time_and_says_where(where: str) -> None:
    line = Line(device.SECURE, response_timeout_s=7.0)
    STEPS[where](line)
    line.engine.data_to_send()
    due = line.engine.next_timeout()
    assert due == 7.0
    line.engine.handle_timeout(6.9)
    assert not [event for event in line.events() if isinstance(event, Failed)]
    line.engine.handle_timeout(due)
    events = line.events()
    assert failed(events) == "timeout"
    assert f"no answer within 7 s while {where}" in str(events[-1].error)
    line.answer(bytes.fromhex("c401c10000"))
    assert not [event for event in line.events() if isinstance(event, Failed)]


def test_every_block_restarts_the_wait_for_the_next() -> None:
    line = Line(response_timeout_s=7.0)
    line.open()
    line.engine.get(device.LOAD, now=0)
    line.answer(bytes.fromhex("c402c10000000001000101"), now=6.0)
    assert line.engine.next_timeout() == 13.0


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("c401c20000", "protocol"),
        ("c401c100fe", None),
        ("c402c10000000002000101", "protocol"),
        ("c501c100", "protocol"),
        ("d80101", "protocol"),
        ("d80105", "key-refused"),
        ("d8010600000009", "counter-refused"),
        ("c4", "decode"),
        ("c402c100", "decode"),
        ("ff", "decode"),
        ("c80530000000" + "00", "key"),
    ],
)
def test_an_answer_that_is_wrong_fails_by_name(answer: str, cause: str | None) -> None:
    line = Line()
    line.open()
    line.engine.get(device.ENERGY, now=0)
    line.engine.get(device.ENERGY, now=0)
    line.answer(bytes.fromhex(answer))
    events = line.events()
    if cause is None:
        assert isinstance(events[0], GetDone)
        return
    assert failed(events) == cause
    assert line.engine.state is State.IDLE
    assert line.asked()[:1] in (b"", b"\xc0")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("6117a109060760857405080101a203020101a305a10302010d", "authentication"),
        ("6117a109060760857405080101a203020101a305a103020102", "rejected"),
        ("d80101", "rejected"),
        ("6105", "decode"),
        ("00", "decode"),
    ],
)
def test_a_refused_association_fails_by_name(answer: str, cause: str) -> None:
    line = Line()
    line.engine.open(0)
    line.answer(bytes.fromhex(answer))
    assert failed(line.events()) == cause


@pytest.mark.covers("SEC-11")
def test_blocks_without_end_fail() -> None:
    line = Line(max_response=10_000)
    line.open()
    line.engine.get(device.LOAD, now=0)
    for number in range(1, 100):
        line.answer(b"\xc4\x02\xc1\x00" + number.to_bytes(4, "big") + b"\x00" + encode_length(200) + bytes(200))
        if line.engine.state is State.IDLE:
            break
    assert number == 51
    assert failed(line.events()) == "protocol"


# -- protection -------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SEC-04")
@pytest.mark.parametrize("where", ["authenticating", "reading"])
@pytest.mark.parametrize("answer", ["c401c100060001e240", "c701c1000100" + "0900", "0f00000001000000"])
def test_a_plain_answer_in_a_protected_association_fails(where: str, answer: str) -> None:
    line = Line(device.SECURE)
    STEPS[where](line)
    line.answer(bytes.fromhex(answer))
    assert failed(line.events()) == "policy"


def _sealed_answer(line: Line) -> bytes:
    line.pair.server.receive_data(line.engine.data_to_send(), 0)
    return line.pair.server.data_to_send()[8:]


@pytest.mark.covers("SEC-04", "SEC-05")
def test_altered_replayed_and_mislabelled_answers_fail_by_name() -> None:
    def altered(apdu: bytes) -> bytes:
        return apdu[:-1] + bytes((apdu[-1] ^ 1,))

    def mislabelled(apdu: bytes) -> bytes:
        return b"\xcd" + apdu[1:]

    def overlong(apdu: bytes) -> bytes:
        return apdu + b"\x00"

    def titled(apdu: bytes) -> bytes:
        return b"\xdb\x08OTHERONE" + apdu[1:]

    for spoil, cause in ((altered, "tag"), (mislabelled, "decode"), (overlong, "decode"), (titled, "title")):
        line = Line(device.SECURE)
        line.open()
        line.engine.get(device.ENERGY, now=0)
        line.answer(spoil(_sealed_answer(line)))
        assert failed(line.events()) == cause, spoil.__name__
    line = Line(device.SECURE)
    line.open()
    line.engine.get(device.ENERGY, now=0)
    line.engine.get(device.ENERGY, now=0)
    answer = _sealed_answer(line)
    line.answer(answer)
    line.answer(answer)
    assert failed(line.events()) == "counter"


@pytest.mark.covers("SEC-04")
def test_an_answer_in_a_general_envelope_is_taken() -> None:
    line = Line(device.SECURE, is_general=True)
    line.engine.open(0)
    aarq = line.engine.data_to_send()
    assert b"\xdb\x08" + device.CLIENT_TITLE in aarq
    assert isinstance(line.engine, DlmsClient)


@pytest.mark.covers("SEC-05")
@pytest.mark.parametrize("left", [0, 1, 2])
def test_used_up_counters_end_the_association_and_raise_nothing(left: int) -> None:
    pair = device.Pair(send_counter=SendCounter(0, end=left))
    pair.client.open(0.0)
    pair.client.get(device.ENERGY, now=0)
    pair.line.settle()
    assert failed(pair.events) == "counter"
    assert pair.client.state is State.IDLE


def test_missing_keys_are_told_at_once() -> None:
    with pytest.raises(SecurityError):
        Line(device.SECURE, keys=None).engine.open(0)


# -- general block transfer -------------------------------------------------------------------------------------------


def _general(number: int, octets: bytes, *, last: bool = False, streaming: bool = False) -> bytes:
    return GeneralBlockTransfer(
        last=last, streaming=streaming, window=1, block_number=number, block_number_ack=0, octets=octets
    ).encode()


@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_in_general_blocks_is_joined(streaming: bool) -> None:
    line = Line()
    line.open()
    line.engine.get(device.ENERGY, now=0)
    line.asked()
    whole = b"\xc4\x01\xc1\x00" + ENERGY
    line.answer(_general(1, whole[:4], streaming=streaming))
    acknowledged = line.asked()
    assert acknowledged == (b"" if streaming else bytes.fromhex("e0810001000100"))
    line.answer(_general(2, whole[4:], last=True))
    assert line.events() == [GetDone(1, ENERGY)]


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize(
    "blocks",
    [
        [_general(2, b"")],
        [_general(1, b"\xc4"), _general(3, b"\x01")],
        [_general(1, b"", last=True)],
        [_general(1, _general(1, b"\xc4", last=True), last=True)],
        [_general(1, bytes(60)), _general(2, bytes(60))],
        [b"\xe0\x00"],
    ],
    ids=["no-first", "gap", "empty", "nested", "too-long", "cut"],
)
def test_general_blocks_that_break_the_rules_fail(blocks: list[bytes]) -> None:
    line = Line(max_response=100)
    line.open()
    line.engine.get(device.ENERGY, now=0)
    for block in blocks:
        line.answer(block)
    assert failed(line.events()) == "decode"


@pytest.mark.covers("SEC-11")
def test_general_blocks_nested_a_thousand_times_fail_too() -> None:
    octets = b""
    for _ in range(1000):
        octets = _general(1, octets, last=True)
    line = Line()
    line.open()
    line.engine.get(device.ENERGY, now=0)
    line.answer(octets)
    assert failed(line.events()) == "decode"


# -- lists ------------------------------------------------------------------------------------------------------------


def test_a_list_is_read_in_one_request() -> None:
    line = Line()
    line.open()
    line.engine.get_list(((device.ENERGY, None), (device.NOTHING, None)), now=0)
    line.relay()
    assert line.events() == [GetListDone(1, (ENERGY, DataAccessResult.OBJECT_UNDEFINED))]


def test_several_methods_are_called_in_one_request() -> None:
    line = Line()
    line.open()
    with pytest.raises(LocalProtocolError):
        line.engine.act_list((), now=0)
    line.engine.act_list(((device.RESET, None), (device.ECHO, b"\x11\x05")), now=0)
    line.relay()
    (done,) = line.events()
    assert isinstance(done, ActionListDone)
    assert [one.returned for one in done.outcomes] == [None, b"\x11\x05"]
