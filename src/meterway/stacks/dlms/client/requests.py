"""One outstanding request of a client: what to send first, what to make of each answer.

``start`` gives the first APDU. ``take`` is given each plain response APDU and returns the next APDU to send, or an
event when the request is done. RemoteProtocolError when the answer does not belong to the request.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from meterway.base.errors import DecodeError, RemoteProtocolError
from meterway.base.octets import Reader
from meterway.stacks.dlms.apdu import Apdu, decode_apdu
from meterway.stacks.dlms.axdr import encode_length, read_length
from meterway.stacks.dlms.client.events import ActionDone, ActionListDone, ClientEvent, GetDone, GetListDone, SetDone
from meterway.stacks.dlms.xdlms import action, get, set  # noqa: A004  the norm's name
from meterway.stacks.dlms.xdlms.error import ConfirmedServiceError, ExceptionResponse
from meterway.stacks.dlms.xdlms.parts import (
    AttributeDescriptor,
    DataBlock,
    MethodDescriptor,
    Selection,
    decode_value,
)
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["ActionListRequest", "ActionRequest", "Call", "GetListRequest", "GetRequest", "Request", "SetRequest"]

_INVOKE_MASK = 0x0F
_SET_HEAD = 64
_MOST_BLOCKS = 4096
_NULL = b"\x00"


class Request(Protocol):
    """A request in progress."""

    number: int

    def start(self, invoke: int, room: int) -> bytes:
        """The first APDU; ``room`` is how many plain octets the server takes."""

    def take(self, apdu: bytes) -> bytes | ClientEvent:
        """The next APDU to send, or what came of the request."""


def _decoded(apdu: bytes, invoke: int) -> Apdu:
    response = decode_apdu(apdu)
    if isinstance(response, ExceptionResponse | ConfirmedServiceError):
        raise RemoteProtocolError(f"the server refused the request: {response.words}")
    answered = getattr(response, "invoke", None)
    if isinstance(answered, int) and answered & _INVOKE_MASK != invoke & _INVOKE_MASK:
        raise RemoteProtocolError(
            f"the server answered invoke id {answered & _INVOKE_MASK}, asked was {invoke & _INVOKE_MASK}"
        )
    return response


@lru_cache(maxsize=1024)
def _encoded_item(attribute: AttributeDescriptor, selection: Selection | None) -> bytes:
    """The same is asked of many devices."""
    return get.encode_item((attribute, selection))


def _unexpected(apdu: bytes, wanted: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"a {wanted} was expected, an APDU {apdu[:3].hex(' ')} came")


class _Received:
    """Joins the blocks of a long answer; refuses gaps, repeats and answers without end."""

    __slots__ = ("_limit", "_octets", "blocks")

    def __init__(self, limit: int) -> None:
        self._octets = bytearray()
        self._limit = limit
        self.blocks = 0

    def add(self, number: int, octets: bytes) -> None:
        if number != self.blocks + 1:
            raise RemoteProtocolError(f"block {self.blocks + 1} was expected, block {number} came")
        if not octets and self.blocks:
            raise RemoteProtocolError(f"block {number} of the answer is empty")
        if len(self._octets) + len(octets) > self._limit:
            raise RemoteProtocolError(f"the answer has more than {self._limit} octets: an endless block transfer")
        if number > _MOST_BLOCKS:
            raise RemoteProtocolError(f"the answer has more than {_MOST_BLOCKS} blocks: an endless block transfer")
        self.blocks = number
        self._octets += octets

    @property
    def octets(self) -> bytes:
        return bytes(self._octets)


class GetRequest:
    """Read one attribute."""

    __slots__ = ("_attribute", "_invoke", "_received", "_selection", "number")

    def __init__(self, number: int, attribute: AttributeDescriptor, selection: Selection | None, limit: int) -> None:
        self.number = number
        self._attribute = attribute
        self._selection = selection
        self._received = _Received(limit)
        self._invoke = 0

    def start(self, invoke: int, room: int) -> bytes:
        """GET.request-normal."""
        self._invoke = invoke
        return get.GetRequestNormal.TAG + bytes((invoke,)) + _encoded_item(self._attribute, self._selection)

    def take(self, apdu: bytes) -> bytes | ClientEvent:
        """GET.response-normal ends it, a data block asks for the next."""
        head = apdu[:4]
        if head[:2] == b"\xc4\x01" and head[3:] == b"\x00" and head[2] & _INVOKE_MASK == self._invoke & _INVOKE_MASK:
            return GetDone(self.number, apdu[4:])
        response = _decoded(apdu, self._invoke)
        if isinstance(response, get.GetResponseNormal):
            return GetDone(self.number, response.result)
        if not isinstance(response, get.GetResponseWithDatablock):
            raise _unexpected(apdu, "GET response")
        if isinstance(response.result, DataAccessResult):
            return GetDone(self.number, response.result, self._received.blocks)
        self._received.add(response.block_number, response.result)
        if response.last:
            return GetDone(self.number, self._received.octets, self._received.blocks)
        return get.GetRequestNext(invoke=self._invoke, block_number=response.block_number).encode()


class GetListRequest:
    """Read several attributes at once."""

    __slots__ = ("_invoke", "_items", "_received", "number")

    def __init__(self, number: int, items: tuple[get.Item, ...], limit: int) -> None:
        self.number = number
        self._items = items
        self._received = _Received(limit)
        self._invoke = 0

    def start(self, invoke: int, room: int) -> bytes:
        """GET.request-with-list."""
        self._invoke = invoke
        return get.GetRequestWithList(invoke=invoke, items=self._items).encode()

    def take(self, apdu: bytes) -> bytes | ClientEvent:
        """GET.response-with-list ends it, a data block asks for the next."""
        response = _decoded(apdu, self._invoke)
        if isinstance(response, get.GetResponseWithList):
            return self._done(response.results)
        if not isinstance(response, get.GetResponseWithDatablock):
            if isinstance(response, get.GetResponseNormal) and isinstance(response.result, DataAccessResult):
                return self._done((response.result,) * len(self._items))
            raise _unexpected(apdu, "GET response with list")
        if isinstance(response.result, DataAccessResult):
            return self._done((response.result,) * len(self._items))
        self._received.add(response.block_number, response.result)
        if response.last:
            reader = Reader(self._received.octets)
            results = tuple(decode_value(reader) for _ in range(read_length(reader)))
            reader.finish("the list in blocks")
            return self._done(results)
        return get.GetRequestNext(invoke=self._invoke, block_number=response.block_number).encode()

    def _done(self, results: tuple[bytes | DataAccessResult, ...]) -> GetListDone:
        if len(results) != len(self._items):
            raise RemoteProtocolError(f"{len(self._items)} attributes were asked for, {len(results)} results came")
        return GetListDone(self.number, results)


class _Sent:
    """Cuts a long request parameter into blocks."""

    __slots__ = ("_octets", "_offset", "_size", "number")

    def __init__(self, octets: bytes, size: int) -> None:
        self._octets = octets
        self._size = max(1, size)
        self._offset = 0
        self.number = 0

    def next(self) -> DataBlock:
        start = self._offset
        self._offset += self._size
        self.number += 1
        return DataBlock(self._offset >= len(self._octets), self.number, self._octets[start : self._offset])

    def check(self, number: int) -> None:
        if number != self.number:
            raise RemoteProtocolError(f"block {self.number} was sent, the server took block {number}")
        if self._offset >= len(self._octets):
            raise RemoteProtocolError(f"the server asks for more after the last block, {number}")


class SetRequest:
    """Write one or several attributes."""

    __slots__ = ("_invoke", "_items", "_sent", "_values", "number")

    def __init__(self, number: int, items: tuple[get.Item, ...], values: tuple[bytes, ...]) -> None:
        self.number = number
        self._items = items
        self._values = values
        self._sent: _Sent | None = None
        self._invoke = 0

    def start(self, invoke: int, room: int) -> bytes:
        """SET.request, whole if it fits, else its first block."""
        self._invoke = invoke
        whole: set.SetRequestNormal | set.SetRequestWithList
        if len(self._items) == 1:
            (attribute, selection), value = self._items[0], self._values[0]
            whole = set.SetRequestNormal(invoke=invoke, attribute=attribute, selection=selection, value=value)
        else:
            whole = set.SetRequestWithList(invoke=invoke, items=self._items, values=self._values)
        octets = whole.encode()
        return octets if len(octets) <= room else self._first(invoke, room)

    def _first(self, invoke: int, room: int) -> bytes:
        if len(self._items) == 1:
            self._sent = _Sent(self._values[0], room - _SET_HEAD)
            (attribute, selection) = self._items[0]
            block = self._sent.next()
            return set.SetRequestWithFirstDatablock(
                invoke=invoke, attribute=attribute, selection=selection, block=block
            ).encode()
        values = encode_length(len(self._values)) + b"".join(self._values)
        self._sent = _Sent(values, room - _SET_HEAD - 10 * len(self._items))
        return set.SetRequestWithListAndFirstDatablock(
            invoke=invoke, items=self._items, block=self._sent.next()
        ).encode()

    def take(self, apdu: bytes) -> bytes | ClientEvent:
        """SET.response ends it, an acknowledged block sends the next."""
        match _decoded(apdu, self._invoke):
            case set.SetResponseNormal(result=result):
                return self._done((result,))
            case set.SetResponseWithList(results=results):
                return self._done(results)
            case set.SetResponseDatablock(block_number=number) if self._sent is not None:
                self._sent.check(number)
                return set.SetRequestWithDatablock(invoke=self._invoke, block=self._sent.next()).encode()
            case set.SetResponseLastDatablock(result=result):
                return self._done((result,) * len(self._items))
            case set.SetResponseLastDatablockWithList(results=results):
                return self._done(results)
        raise _unexpected(apdu, "SET response")

    def _done(self, results: tuple[DataAccessResult, ...]) -> SetDone:
        if len(results) != len(self._items):
            raise RemoteProtocolError(f"{len(self._items)} attributes were written, {len(results)} results came")
        return SetDone(self.number, results)


class ActionRequest:
    """Call one method."""

    __slots__ = ("_invoke", "_method", "_parameters", "_received", "_sent", "number")

    def __init__(self, number: int, method: MethodDescriptor, parameters: bytes | None, limit: int) -> None:
        self.number = number
        self._method = method
        self._parameters = parameters
        self._received = _Received(limit)
        self._sent: _Sent | None = None
        self._invoke = 0

    def start(self, invoke: int, room: int) -> bytes:
        """ACTION.request, whole if it fits, else its first block."""
        self._invoke = invoke
        whole = action.ActionRequestNormal(invoke=invoke, method=self._method, parameters=self._parameters).encode()
        if len(whole) <= room or self._parameters is None:
            return whole
        self._sent = _Sent(self._parameters, room - _SET_HEAD)
        return action.ActionRequestWithFirstPblock(invoke=invoke, method=self._method, block=self._sent.next()).encode()

    def take(self, apdu: bytes) -> bytes | ClientEvent:
        """ACTION.response ends it; blocks go on in either direction."""
        match _decoded(apdu, self._invoke):
            case action.ActionResponseNormal(outcome=outcome):
                return ActionDone(self.number, outcome)
            case action.ActionResponseNextPblock(block_number=number) if self._sent is not None:
                self._sent.check(number)
                return action.ActionRequestWithPblock(invoke=self._invoke, block=self._sent.next()).encode()
            case action.ActionResponseWithPblock(block=block):
                return self._block(block)
        raise _unexpected(apdu, "ACTION response")

    def _block(self, block: DataBlock) -> bytes | ClientEvent:
        self._received.add(block.number, block.octets)
        if not block.last:
            return action.ActionRequestNextPblock(invoke=self._invoke, block_number=block.number).encode()
        reader = Reader(self._received.octets)
        try:
            outcome = action.ActionOutcome.read(reader)
            reader.finish("action response")
        except DecodeError:
            outcome = action.ActionOutcome(ActionResult.SUCCESS, self._received.octets)
        return ActionDone(self.number, outcome)


Call = tuple[MethodDescriptor, bytes | None]
"""A method and its encoded parameters."""


class ActionListRequest:
    """Call several methods in one request."""

    __slots__ = ("_invoke", "_methods", "_parameters", "_received", "_sent", "number")

    def __init__(self, number: int, calls: tuple[Call, ...], limit: int) -> None:
        self.number = number
        self._methods = tuple(method for method, _ in calls)
        self._parameters = tuple(_NULL if parameters is None else parameters for _, parameters in calls)
        self._received = _Received(limit)
        self._sent: _Sent | None = None
        self._invoke = 0

    def start(self, invoke: int, room: int) -> bytes:
        """ACTION.request-with-list, whole if it fits, else its first block."""
        self._invoke = invoke
        whole = action.ActionRequestWithList(invoke=invoke, methods=self._methods, parameters=self._parameters)
        octets = whole.encode()
        if len(octets) <= room:
            return octets
        parameters = encode_length(len(self._parameters)) + b"".join(self._parameters)
        self._sent = _Sent(parameters, room - _SET_HEAD - 9 * len(self._methods))
        return action.ActionRequestWithListAndFirstPblock(
            invoke=invoke, methods=self._methods, block=self._sent.next()
        ).encode()

    def take(self, apdu: bytes) -> bytes | ClientEvent:
        """ACTION.response-with-list ends it; blocks go on in either direction."""
        match _decoded(apdu, self._invoke):
            case action.ActionResponseWithList(outcomes=outcomes):
                return self._done(outcomes)
            case action.ActionResponseNormal(outcome=outcome) if outcome.result is not ActionResult.SUCCESS:
                return self._done((outcome,) * len(self._methods))
            case action.ActionResponseNextPblock(block_number=number) if self._sent is not None:
                self._sent.check(number)
                return action.ActionRequestWithPblock(invoke=self._invoke, block=self._sent.next()).encode()
            case action.ActionResponseWithPblock(block=block):
                return self._block(block)
        raise _unexpected(apdu, "ACTION response with list")

    def _block(self, block: DataBlock) -> bytes | ClientEvent:
        self._received.add(block.number, block.octets)
        if not block.last:
            return action.ActionRequestNextPblock(invoke=self._invoke, block_number=block.number).encode()
        reader = Reader(self._received.octets)
        outcomes = tuple(action.ActionOutcome.read(reader) for _ in range(read_length(reader)))
        reader.finish("the list in blocks")
        return self._done(outcomes)

    def _done(self, outcomes: tuple[action.ActionOutcome, ...]) -> ActionListDone:
        if len(outcomes) != len(self._methods):
            raise RemoteProtocolError(f"{len(self._methods)} methods were called, {len(outcomes)} outcomes came")
        return ActionListDone(self.number, outcomes)
