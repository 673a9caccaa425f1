"""GET, SET and ACTION on the server's side: normal, lists, blocks in both directions, and every refusal."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlms_device as device
import dlms_wire as wire
from meterway.base.octets import Reader
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.apdu import decode_apdu
from meterway.stacks.dlms.server import services as module
from meterway.stacks.dlms.server.services import Services
from meterway.stacks.dlms.xdlms import action, get
from meterway.stacks.dlms.xdlms import set as put
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import DataBlock, MethodDescriptor, Selection, decode_value
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

pytestmark = pytest.mark.covers("IF-I", "F1a")

VALUE = axdr.encode(axdr.octets(bytes(300)))


class Asked:
    """Services with a small room, and what they answer."""

    def __init__(self, room: int = 100, allowed: Conformance = ~Conformance.NONE, **changes: Any) -> None:
        self.device = device.Device(**changes)
        self.services = Services(self.device, 1, room, allowed)
        self.room = room

    def __call__(self, apdu: Any) -> Any:
        answer = self.services.answer(apdu, 0.0)
        assert answer is not None
        assert len(answer) <= self.room, "an answer does not fit"
        return decode_apdu(answer)


def test_a_value_that_fits_is_sent_whole() -> None:
    ask = Asked()
    response = ask(get.GetRequestNormal(invoke=0xC1, attribute=device.ENERGY))
    assert response == get.GetResponseNormal(invoke=0xC1, result=axdr.encode(axdr.u32(123456)))
    refusal = ask(get.GetRequestNormal(invoke=0xC2, attribute=device.NOTHING))
    assert refusal == get.GetResponseNormal(invoke=0xC2, result=DataAccessResult.OBJECT_UNDEFINED)


REQUESTS = {
    Conformance.GET: get.GetRequestNormal(invoke=1, attribute=device.ENERGY),
    Conformance.SET: put.SetRequestNormal(invoke=1, attribute=device.UNIT, value=b"\x16\x1e"),
    Conformance.ACTION: action.ActionRequestNormal(invoke=1, method=device.RESET),
    Conformance.GET | Conformance.MULTIPLE_REFERENCES: get.GetRequestWithList(invoke=1, items=((device.ENERGY, None),)),
    Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET: put.SetRequestWithFirstDatablock(
        invoke=1, attribute=device.UNIT, block=DataBlock(False, 1, b"\x16")
    ),
    Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION: action.ActionRequestWithFirstPblock(
        invoke=1, method=device.ECHO, block=DataBlock(False, 1, b"\x16")
    ),
}


@pytest.mark.parametrize("needed", REQUESTS)
def test_a_service_is_answered_only_if_all_it_needs_was_agreed(needed: Conformance) -> None:
    assert Asked(allowed=needed).services.answer(REQUESTS[needed], 0.0) is not None
    for flag in (one for one in Conformance if one & needed):
        assert Asked(allowed=~flag).services.answer(REQUESTS[needed], 0.0) is None


def test_a_long_value_without_blocks_and_a_selection_that_was_not_agreed_are_refused() -> None:
    ask = Asked(allowed=Conformance.GET | Conformance.MULTIPLE_REFERENCES)
    too_long = ask(get.GetRequestNormal(invoke=1, attribute=device.LOAD))
    assert too_long.result is DataAccessResult.DATA_BLOCK_UNAVAILABLE
    listed = ask(get.GetRequestWithList(invoke=1, items=((device.LOAD, None), (device.ENERGY, None))))
    assert set(listed.results) == {DataAccessResult.DATA_BLOCK_UNAVAILABLE}
    selection = Selection(2, axdr.encode(axdr.structure(axdr.u32(1), axdr.u32(2), axdr.u16(1), axdr.u16(0))))
    part = ask(get.GetRequestNormal(invoke=1, attribute=device.ENERGY, selection=selection))
    assert part.result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert selection not in ask.device.selections


def test_the_selection_reaches_the_device() -> None:
    ask = Asked(room=9999)
    selection = Selection(2, axdr.encode(axdr.structure(axdr.u32(1), axdr.u32(2), axdr.u16(1), axdr.u16(0))))
    ask(get.GetRequestNormal(invoke=1, attribute=device.LOAD, selection=selection))
    assert ask.device.selections == [selection]


@pytest.mark.parametrize("room", [13, 20, 100, 1000, 4000])
def test_a_long_value_is_sent_in_blocks(room: int) -> None:
    ask = Asked(room=room, rows=40)
    response = ask(get.GetRequestNormal(invoke=0xC1, attribute=device.LOAD))
    octets, number = b"", 0
    if isinstance(response, get.GetResponseWithDatablock):
        while True:
            number += 1
            assert isinstance(response, get.GetResponseWithDatablock)
            assert (response.block_number, response.invoke) == (number, 0xC1)
            assert isinstance(response.result, bytes)
            octets += response.result
            if response.last:
                break
            response = ask(get.GetRequestNext(invoke=0xC1, block_number=number))
    else:
        assert room == 4000
        octets = response.result
    assert octets == device.profile(40)


def test_a_next_without_a_first_and_a_wrong_block_number_are_refused() -> None:
    ask = Asked()
    refused = ask(get.GetRequestNext(invoke=1, block_number=1))
    assert (refused.last, refused.result) == (True, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
    ask(get.GetRequestNormal(invoke=1, attribute=device.LOAD))
    refused = ask(get.GetRequestNext(invoke=1, block_number=2))
    assert refused.result is DataAccessResult.DATA_BLOCK_NUMBER_INVALID
    refused = ask(get.GetRequestNext(invoke=1, block_number=1))
    assert refused.result is DataAccessResult.NO_LONG_GET_IN_PROGRESS


def test_a_list_gives_one_result_for_each() -> None:
    ask = Asked()
    items = tuple((attribute, None) for attribute in (device.ENERGY, device.NOTHING, device.UNIT))
    response = ask(get.GetRequestWithList(invoke=1, items=items))
    assert response.results == (
        ask.device.values[device.ENERGY],
        DataAccessResult.OBJECT_UNDEFINED,
        ask.device.values[device.UNIT],
    )
    assert ask(get.GetRequestWithList(invoke=1, items=())).results == ()


def test_a_long_list_is_sent_in_blocks_of_its_results() -> None:
    ask = Asked()
    response = ask(get.GetRequestWithList(invoke=1, items=((device.LOAD, None), (device.NOTHING, None))))
    octets = response.result
    while not response.last:
        response = ask(get.GetRequestNext(invoke=1, block_number=response.block_number))
        octets += response.result
    reader = Reader(octets)
    assert axdr.read_length(reader) == 2
    assert decode_value(reader) == ask.device.values[device.LOAD]
    assert decode_value(reader) is DataAccessResult.OBJECT_UNDEFINED
    reader.finish()


@pytest.mark.covers("SEC-11")
def test_a_list_that_asks_for_far_too_much_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_LIST", 5000)
    ask = Asked(room=65000)
    response = ask(get.GetRequestWithList(invoke=1, items=((device.LOAD, None),) * 500))
    assert [isinstance(result, bytes) for result in response.results].count(True) == 2
    assert set(response.results[2:]) == {DataAccessResult.OTHER_REASON}
    assert len(ask.device.selections) == 2


def test_an_attribute_is_written_or_refused() -> None:
    ask = Asked()
    value = axdr.encode(axdr.visible("hello"))
    assert ask(put.SetRequestNormal(invoke=1, attribute=device.TEXT, value=value)).result is DataAccessResult.SUCCESS
    refused = ask(put.SetRequestNormal(invoke=1, attribute=device.LOCKED, value=value))
    assert refused.result is DataAccessResult.READ_WRITE_DENIED
    assert ask.device.written == [(device.TEXT, value)]


def test_a_list_is_written_one_by_one() -> None:
    ask = Asked()
    items = ((device.TEXT, None), (device.LOCKED, None))
    response = ask(put.SetRequestWithList(invoke=1, items=items, values=(b"\x11\x01", b"\x11\x02")))
    assert response.results == (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)
    response = ask(put.SetRequestWithList(invoke=1, items=items, values=(b"\x11\x01",)))
    assert set(response.results) == {DataAccessResult.OTHER_REASON}
    assert len(ask.device.written) == 1


def _in_blocks(ask: Asked, first: Any, octets: bytes, size: int) -> Any:
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    response = None
    for number, piece in enumerate(pieces, 1):
        block = DataBlock(number == len(pieces), number, piece)
        if number == 1:
            response = ask(dataclasses.replace(first, block=block))
        elif isinstance(first, put.SetRequestWithFirstDatablock | put.SetRequestWithListAndFirstDatablock):
            response = ask(put.SetRequestWithDatablock(invoke=first.invoke, block=block))
        else:
            response = ask(action.ActionRequestWithPblock(invoke=first.invoke, block=block))
        if number < len(pieces):
            assert isinstance(response, put.SetResponseDatablock | action.ActionResponseNextPblock)
            assert response.block_number == number
    return response


EMPTY = DataBlock(False, 1, b"")


@pytest.mark.parametrize("size", [1, 7, 100, 500])
def test_a_long_value_is_written_from_blocks(size: int) -> None:
    ask = Asked()
    first = put.SetRequestWithFirstDatablock(invoke=1, attribute=device.TEXT, block=EMPTY)
    response = _in_blocks(ask, first, VALUE, size)
    assert response.result is DataAccessResult.SUCCESS
    assert ask.device.written == [(device.TEXT, VALUE)]


def test_a_long_list_is_written_from_blocks() -> None:
    ask = Asked()
    items = ((device.TEXT, None), (device.LOCKED, None))
    first = put.SetRequestWithListAndFirstDatablock(invoke=1, items=items, block=EMPTY)
    response = _in_blocks(ask, first, b"\x02" + VALUE + VALUE, 90)
    assert response.results == (DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED)
    response = _in_blocks(ask, first, b"\x02" + VALUE, 90)
    assert set(response.results) == {DataAccessResult.TYPE_UNMATCHED}


def test_blocks_that_hold_no_whole_value_write_nothing() -> None:
    ask = Asked()
    first = put.SetRequestWithFirstDatablock(invoke=1, attribute=device.TEXT, block=EMPTY)
    for octets in (VALUE[:-1], VALUE + b"\x00", b"\xfe\x00"):
        assert _in_blocks(ask, first, octets, 90).result is DataAccessResult.TYPE_UNMATCHED
    assert ask.device.written == []


def test_a_block_without_a_first_or_out_of_order_is_refused() -> None:
    ask = Asked()
    later = put.SetRequestWithDatablock(invoke=1, block=DataBlock(True, 2, b"\x00"))
    assert ask(later).result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    ask(put.SetRequestWithFirstDatablock(invoke=1, attribute=device.TEXT, block=EMPTY))
    skipped = put.SetRequestWithDatablock(invoke=1, block=DataBlock(True, 3, b"\x00"))
    assert ask(skipped).result is DataAccessResult.DATA_BLOCK_NUMBER_INVALID
    assert ask(later).result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    assert ask.device.written == []


def test_a_method_is_called_with_and_without_parameters() -> None:
    ask = Asked()
    response = ask(action.ActionRequestNormal(invoke=1, method=device.RESET))
    assert response.outcome == action.ActionOutcome(ActionResult.SUCCESS)
    response = ask(action.ActionRequestNormal(invoke=1, method=device.ECHO, parameters=b"\x11\x05"))
    assert response.outcome == action.ActionOutcome(ActionResult.SUCCESS, b"\x11\x05")
    unknown = MethodDescriptor(1, device.NOTHING.obis, 1)
    assert ask(action.ActionRequestNormal(invoke=1, method=unknown)).outcome.result is ActionResult.OBJECT_UNDEFINED
    assert ask.device.called == [(device.RESET, None), (device.ECHO, b"\x11\x05"), (unknown, None)]


def test_a_list_of_methods_is_called_in_order() -> None:
    ask = Asked()
    request = action.ActionRequestWithList(
        invoke=1, methods=(device.RESET, device.ECHO), parameters=(b"\x00", b"\x11\x05")
    )
    outcomes = ask(request).outcomes
    assert [outcome.returned for outcome in outcomes] == [None, b"\x11\x05"]
    unequal = action.ActionRequestWithList(invoke=1, methods=(device.RESET, device.ECHO), parameters=(b"\x00",))
    assert {outcome.result for outcome in ask(unequal).outcomes} == {ActionResult.OTHER_REASON}
    assert len(ask.device.called) == 2


def _answer_in_blocks(ask: Asked, response: Any) -> bytes:
    octets = b""
    while True:
        assert isinstance(response, action.ActionResponseWithPblock)
        octets += response.block.octets
        if response.block.last:
            return octets
        response = ask(action.ActionRequestNextPblock(invoke=1, block_number=response.block.number))


def test_long_parameters_and_a_long_answer_go_in_blocks() -> None:
    ask = Asked()
    first = action.ActionRequestWithFirstPblock(invoke=1, method=device.ECHO, block=EMPTY)
    octets = _answer_in_blocks(ask, _in_blocks(ask, first, VALUE, 80))
    assert octets == action.ActionOutcome(ActionResult.SUCCESS, VALUE).encode()


def test_long_parameters_of_a_list_go_in_blocks() -> None:
    ask = Asked()
    methods = (device.ECHO, device.RESET)
    first = action.ActionRequestWithListAndFirstPblock(invoke=1, methods=methods, block=EMPTY)
    octets = _answer_in_blocks(ask, _in_blocks(ask, first, b"\x02" + VALUE + b"\x00", 80))
    assert octets[:3] == b"\x02\x00\x01"
    assert ask.device.called == [(device.ECHO, VALUE), (device.RESET, None)]
    response = _in_blocks(ask, first, b"\x05" + VALUE, 80)
    assert response.outcome.result is ActionResult.TYPE_UNMATCHED


def test_parameter_blocks_out_of_order_abort_the_call() -> None:
    ask = Asked()
    later = action.ActionRequestWithPblock(invoke=1, block=DataBlock(True, 2, b"\x00"))
    assert ask(later).outcome.result is ActionResult.NO_LONG_ACTION_IN_PROGRESS
    ask(action.ActionRequestWithFirstPblock(invoke=1, method=device.ECHO, block=EMPTY))
    skipped = action.ActionRequestWithPblock(invoke=1, block=DataBlock(True, 3, b"\x00"))
    assert ask(skipped).outcome.result is ActionResult.LONG_ACTION_ABORTED
    assert ask.device.called == []


def test_blocks_of_one_service_are_not_given_out_by_another() -> None:
    ask = Asked()
    ask(get.GetRequestNormal(invoke=1, attribute=device.LOAD))
    response = ask(action.ActionRequestNextPblock(invoke=1, block_number=1))
    assert response.outcome.result is ActionResult.NO_LONG_ACTION_IN_PROGRESS
    ask(action.ActionRequestWithFirstPblock(invoke=1, method=device.ECHO, block=EMPTY))
    refused = ask(put.SetRequestWithDatablock(invoke=1, block=DataBlock(True, 2, b"\x00")))
    assert refused.result is DataAccessResult.LONG_SET_ABORTED
    assert ask.device.written == []


@pytest.mark.parametrize("apdu", [get.GetResponseNormal(invoke=1, result=b"\x00"), put.SetResponseNormal, object()])
def test_what_is_no_request_has_no_answer(apdu: object) -> None:
    assert Asked().services.answer(apdu, 0.0) is None


@given(st.integers(13, 200), wire.some(st.sampled_from([device.ENERGY, device.LOAD, device.NOTHING]), most=5))
def test_no_answer_is_longer_than_the_room(room: int, attributes: tuple[Any, ...]) -> None:
    ask = Asked(room=room, rows=3)
    response = ask(get.GetRequestWithList(invoke=1, items=tuple((one, None) for one in attributes)))
    while isinstance(response, get.GetResponseWithDatablock) and not response.last:
        response = ask(get.GetRequestNext(invoke=1, block_number=response.block_number))
