"""A client's requests in progress: what is sent next, and which answers are refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_device as device
import dlms_wire as wire
from meterway.base.errors import MeterwayError, RemoteProtocolError
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.client import ActionDone, ActionListDone, GetDone, GetListDone, SetDone
from meterway.stacks.dlms.client.requests import (
    ActionListRequest,
    ActionRequest,
    GetListRequest,
    GetRequest,
    Request,
    SetRequest,
)
from meterway.stacks.dlms.server.services import Services
from meterway.stacks.dlms.xdlms import action, get
from meterway.stacks.dlms.xdlms import set as put
from meterway.stacks.dlms.xdlms.parts import DataBlock
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

pytestmark = pytest.mark.covers("IF-I")

INVOKE = 0xC5
VALUE = axdr.encode(axdr.octets(bytes(300)))
TWO = ((device.ENERGY, None), (device.UNIT, None))


def started(request: Request, room: int = 1000) -> Any:
    return decode_apdu(request.start(INVOKE, room))


def reading(limit: int = 1 << 20) -> GetRequest:
    request = GetRequest(7, device.LOAD, None, limit)
    assert started(request) == get.GetRequestNormal(invoke=INVOKE, attribute=device.LOAD)
    return request


def get_block(number: int, octets: Any, *, last: bool = False, invoke: int = INVOKE) -> bytes:
    return get.GetResponseWithDatablock(invoke=invoke, last=last, block_number=number, result=octets).encode()


def test_a_whole_value_and_a_refusal_end_a_read() -> None:
    whole = get.GetResponseNormal(invoke=INVOKE, result=VALUE).encode()
    assert reading().take(whole) == GetDone(7, VALUE)
    refused = get.GetResponseNormal(invoke=INVOKE, result=DataAccessResult.OBJECT_UNDEFINED).encode()
    assert reading().take(refused) == GetDone(7, DataAccessResult.OBJECT_UNDEFINED)


def test_blocks_are_asked_for_one_by_one_and_joined() -> None:
    request = reading()
    asked = request.take(get_block(1, VALUE[:100]))
    assert asked == get.GetRequestNext(invoke=INVOKE, block_number=1).encode()
    assert request.take(get_block(2, VALUE[100:200])) == get.GetRequestNext(invoke=INVOKE, block_number=2).encode()
    assert request.take(get_block(3, VALUE[200:], last=True)) == GetDone(7, VALUE, 3)


def test_a_whole_value_in_one_last_block_is_taken() -> None:
    assert reading().take(get_block(1, VALUE, last=True)) == GetDone(7, VALUE, 1)


def test_a_refusal_in_the_middle_ends_a_read() -> None:
    request = reading()
    request.take(get_block(1, b"ab"))
    done = request.take(get_block(2, DataAccessResult.LONG_GET_ABORTED, last=True))
    assert done == GetDone(7, DataAccessResult.LONG_GET_ABORTED, 1)


@pytest.mark.parametrize("number", [0, 1, 3, 0xFFFFFFFF])
def test_a_gap_or_a_repeat_in_the_block_numbers_is_refused(number: int) -> None:
    request = reading()
    request.take(get_block(1, b"ab"))
    with pytest.raises(RemoteProtocolError, match=f"block 2 was expected, block {number} came"):
        request.take(get_block(number, b"cd"))


@pytest.mark.covers("SEC-11")
def test_blocks_without_end_are_refused() -> None:
    request = reading(limit=1000)
    with pytest.raises(RemoteProtocolError, match="endless"):
        for number in range(1, 100):
            request.take(get_block(number, bytes(100)))
    request = reading()
    request.take(get_block(1, b"ab"))
    with pytest.raises(RemoteProtocolError, match="block 2 of the answer is empty"):
        request.take(get_block(2, b""))


@pytest.mark.parametrize(
    "answer",
    [
        get.GetResponseNormal(invoke=INVOKE ^ 1, result=VALUE).encode(),
        get_block(1, b"ab", invoke=INVOKE ^ 1),
        put.SetResponseNormal(invoke=INVOKE, result=DataAccessResult.SUCCESS).encode(),
        get.GetResponseWithList(invoke=INVOKE, results=()).encode(),
        bytes.fromhex("d80101"),
        bytes.fromhex("0e050302"),
        b"",
        b"\xc4",
        b"\xc4\x01",
        b"\xc4\x01\xc5",
        b"\xff\x00",
    ],
)
def test_an_answer_that_does_not_belong_to_a_read_is_refused(answer: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        reading().take(answer)


def test_the_priority_bit_of_an_answer_does_not_matter() -> None:
    whole = get.GetResponseNormal(invoke=INVOKE & 0x0F, result=VALUE).encode()
    assert reading().take(whole) == GetDone(7, VALUE)


def listing(limit: int = 1 << 20) -> GetListRequest:
    request = GetListRequest(8, TWO, limit)
    assert started(request) == get.GetRequestWithList(invoke=INVOKE, items=TWO)
    return request


def test_a_list_is_answered_in_one_or_in_blocks() -> None:
    results = (VALUE, DataAccessResult.OBJECT_UNDEFINED)
    whole = get.GetResponseWithList(invoke=INVOKE, results=results).encode()
    assert listing().take(whole) == GetListDone(8, results)
    request = listing()
    request.take(get_block(1, whole[3:50]))
    assert request.take(get_block(2, whole[50:], last=True)) == GetListDone(8, results)


def test_one_refusal_of_a_list_is_meant_for_all() -> None:
    refusal = DataAccessResult.OTHER_REASON
    answer = get.GetResponseNormal(invoke=INVOKE, result=refusal).encode()
    assert listing().take(answer) == GetListDone(8, (refusal, refusal))
    assert listing().take(get_block(1, refusal, last=True)) == GetListDone(8, (refusal, refusal))


@pytest.mark.parametrize(
    "answer",
    [
        get.GetResponseWithList(invoke=INVOKE, results=(VALUE,)).encode(),
        get.GetResponseWithList(invoke=INVOKE ^ 2, results=(VALUE, VALUE)).encode(),
        get.GetResponseNormal(invoke=INVOKE, result=VALUE).encode(),
        get_block(1, b"\x02\x00\x00\x00\x00\x00", last=True),
        get_block(1, b"\x02\x00\x00", last=True),
        get_block(2, b"", last=True),
    ],
)
def test_an_answer_that_does_not_belong_to_a_list_is_refused(answer: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        listing().take(answer)


def written(request: SetRequest | ActionRequest, first: Any) -> tuple[bytes, int]:
    """Take all blocks of a long request as a server would; the octets and how many blocks."""
    octets, block = first.block.octets, first.block
    while not block.last:
        if isinstance(request, SetRequest):
            ack = put.SetResponseDatablock(invoke=INVOKE, block_number=block.number).encode()
        else:
            ack = action.ActionResponseNextPblock(invoke=INVOKE, block_number=block.number).encode()
        following = request.take(ack)
        assert isinstance(following, bytes)
        block = decode_apdu(following).block  # type: ignore[attr-defined]
        octets += block.octets
    return octets, block.number


def test_a_short_value_is_written_whole() -> None:
    request = SetRequest(9, ((device.TEXT, None),), (VALUE,))
    assert started(request) == put.SetRequestNormal(invoke=INVOKE, attribute=device.TEXT, value=VALUE)
    done = request.take(put.SetResponseNormal(invoke=INVOKE, result=DataAccessResult.SUCCESS).encode())
    assert done == SetDone(9, (DataAccessResult.SUCCESS,))


@pytest.mark.parametrize("room", [10, 70, 100, 300])
def test_a_long_value_is_written_in_blocks(room: int) -> None:
    request = SetRequest(9, ((device.TEXT, None),), (VALUE,))
    first = started(request, room)
    assert isinstance(first, put.SetRequestWithFirstDatablock)
    octets, number = written(request, first)
    assert octets == VALUE
    last = put.SetResponseLastDatablock(invoke=INVOKE, result=DataAccessResult.SUCCESS, block_number=number)
    assert request.take(last.encode()) == SetDone(9, (DataAccessResult.SUCCESS,))


def test_a_long_list_is_written_in_blocks() -> None:
    request = SetRequest(9, TWO, (VALUE, VALUE))
    first = started(request, 200)
    assert isinstance(first, put.SetRequestWithListAndFirstDatablock)
    octets, number = written(request, first)
    assert octets == b"\x02" + VALUE + VALUE
    results = (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)
    last = put.SetResponseLastDatablockWithList(invoke=INVOKE, results=results, block_number=number)
    assert request.take(last.encode()) == SetDone(9, results)
    assert request.take(put.SetResponseWithList(invoke=INVOKE, results=results).encode()) == SetDone(9, results)
    with pytest.raises(RemoteProtocolError, match="2 attributes were written, 1 results came"):
        request.take(put.SetResponseWithList(invoke=INVOKE, results=results[:1]).encode())


def test_a_server_that_took_another_block_or_wants_more_than_there_is_is_refused() -> None:
    request = SetRequest(9, ((device.TEXT, None),), (VALUE,))
    first = started(request, 250)
    with pytest.raises(RemoteProtocolError, match="block 1 was sent, the server took block 2"):
        request.take(put.SetResponseDatablock(invoke=INVOKE, block_number=2).encode())
    _, number = written(request, first)
    with pytest.raises(RemoteProtocolError, match="more after the last block"):
        request.take(put.SetResponseDatablock(invoke=INVOKE, block_number=number).encode())


@pytest.mark.parametrize(
    "answer",
    [
        put.SetResponseDatablock(invoke=INVOKE, block_number=1).encode(),
        get.GetResponseNormal(invoke=INVOKE, result=VALUE).encode(),
        put.SetResponseNormal(invoke=INVOKE ^ 1, result=DataAccessResult.SUCCESS).encode(),
    ],
)
def test_an_answer_that_does_not_belong_to_a_write_is_refused(answer: bytes) -> None:
    request = SetRequest(9, ((device.TEXT, None),), (VALUE,))
    started(request)
    with pytest.raises(RemoteProtocolError):
        request.take(answer)


def test_a_method_is_called_and_its_outcome_reported() -> None:
    request = ActionRequest(4, device.RESET, None, 1000)
    assert started(request, 5) == action.ActionRequestNormal(invoke=INVOKE, method=device.RESET)
    outcome = action.ActionOutcome(ActionResult.TYPE_UNMATCHED)
    answer = action.ActionResponseNormal(invoke=INVOKE, outcome=outcome).encode()
    assert request.take(answer) == ActionDone(4, outcome)


def test_long_parameters_and_a_long_answer_go_in_blocks() -> None:
    request = ActionRequest(4, device.ECHO, VALUE, 1000)
    first = started(request, 100)
    assert isinstance(first, action.ActionRequestWithFirstPblock)
    octets, number = written(request, first)
    assert octets == VALUE
    outcome = action.ActionOutcome(ActionResult.SUCCESS, VALUE)
    pieces = outcome.encode()
    answer = action.ActionResponseWithPblock(invoke=INVOKE, block=DataBlock(False, 1, pieces[:200]))
    following = action.ActionRequestNextPblock(invoke=INVOKE, block_number=1)
    assert request.take(answer.encode()) == following.encode()
    answer = action.ActionResponseWithPblock(invoke=INVOKE, block=DataBlock(True, 2, pieces[200:]))
    assert request.take(answer.encode()) == ActionDone(4, outcome)
    with pytest.raises(RemoteProtocolError, match="more after the last block"):
        request.take(action.ActionResponseNextPblock(invoke=INVOKE, block_number=number).encode())


def test_an_answer_in_blocks_may_be_the_bare_value() -> None:
    request = ActionRequest(4, device.ECHO, None, 1000)
    started(request)
    answer = action.ActionResponseWithPblock(invoke=INVOKE, block=DataBlock(True, 1, VALUE))
    assert request.take(answer.encode()) == ActionDone(4, action.ActionOutcome(ActionResult.SUCCESS, VALUE))


@pytest.mark.parametrize(
    "answer",
    [
        action.ActionResponseNextPblock(invoke=INVOKE, block_number=1).encode(),
        action.ActionResponseWithPblock(invoke=INVOKE, block=DataBlock(True, 2, b"")).encode(),
        action.ActionResponseWithList(invoke=INVOKE, outcomes=()).encode(),
        get.GetResponseNormal(invoke=INVOKE, result=VALUE).encode(),
    ],
)
def test_an_answer_that_does_not_belong_to_a_call_is_refused(answer: bytes) -> None:
    request = ActionRequest(4, device.ECHO, None, 1000)
    started(request)
    with pytest.raises(RemoteProtocolError):
        request.take(answer)


# -- several methods --------------------------------------------------------------------------------------------------

CALLS = ((device.ECHO, VALUE), (device.RESET, None))
DONE = action.ActionOutcome(ActionResult.SUCCESS)


def outcomes(*given: action.ActionOutcome) -> bytes:
    return action.ActionResponseWithList(invoke=INVOKE, outcomes=given).encode()


def test_several_methods_are_called_in_one_request() -> None:
    request = ActionListRequest(4, CALLS, 1000)
    whole = action.ActionRequestWithList(
        invoke=INVOKE, methods=(device.ECHO, device.RESET), parameters=(VALUE, b"\x00")
    )
    assert started(request) == whole
    assert request.take(outcomes(DONE, DONE)) == ActionListDone(4, (DONE, DONE))


def test_a_refusal_of_the_whole_list_is_meant_for_each() -> None:
    request = ActionListRequest(4, CALLS, 1000)
    started(request)
    refused = action.ActionOutcome(ActionResult.TYPE_UNMATCHED)
    answer = action.ActionResponseNormal(invoke=INVOKE, outcome=refused).encode()
    assert request.take(answer) == ActionListDone(4, (refused, refused))


def test_outcomes_that_are_not_one_for_each_method_are_refused() -> None:
    request = ActionListRequest(4, CALLS, 1000)
    started(request)
    with pytest.raises(RemoteProtocolError, match="2 methods were called, 1 outcomes came"):
        request.take(outcomes(DONE))
    with pytest.raises(RemoteProtocolError):
        request.take(action.ActionResponseNormal(invoke=INVOKE, outcome=DONE).encode())


@pytest.mark.parametrize("room", [90, 120, 200, 2000])
def test_long_parameters_and_long_outcomes_of_a_list_go_in_blocks(room: int) -> None:
    """Against our own server, whose blocks are checked beside this test."""
    server = device.Device()
    services = Services(server, 1, room)
    request = ActionListRequest(4, CALLS, 10_000)
    step: Any = request.start(INVOKE, room)
    while isinstance(step, bytes):
        assert len(step) <= max(room, 90)
        answer = services.answer(decode_apdu(step), 0.0)
        assert answer is not None
        step = request.take(answer)
    assert step == ActionListDone(4, (action.ActionOutcome(ActionResult.SUCCESS, VALUE), DONE))
    assert server.called == [(device.ECHO, VALUE), (device.RESET, None)]


REQUESTS = [
    lambda: ActionListRequest(5, CALLS, 1000),
    lambda: GetRequest(1, device.LOAD, None, 1000),
    lambda: GetListRequest(2, TWO, 1000),
    lambda: SetRequest(3, TWO, (VALUE, VALUE)),
    lambda: ActionRequest(4, device.ECHO, VALUE, 1000),
]


@pytest.mark.covers("SEC-11")
@given(st.sampled_from(REQUESTS), st.lists(st.binary(max_size=40) | wire.blocks.map(DataBlock.encode), max_size=4))
def test_no_answer_brings_a_request_down(make: Any, answers: list[bytes]) -> None:
    for head in (
        b"",
        b"\xc4\x01\xc5",
        b"\xc4\x02\xc5",
        b"\xc4\x03\xc5",
        b"\xc5\x02\xc5",
        b"\xc7\x02\xc5",
        b"\xc7\x03\xc5",
        b"\xc7\x04\xc5",
    ):
        request = make()
        request.start(INVOKE, 100)
        for answer in answers:
            try:
                outcome = request.take(head + answer)
            except MeterwayError:
                break
            if not isinstance(outcome, bytes):
                break
