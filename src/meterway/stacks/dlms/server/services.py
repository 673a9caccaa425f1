"""The GET, SET and ACTION services of a server, normal, with list and in blocks (IEC 62056-5-3)."""

from __future__ import annotations

from typing import Final

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length, skip
from meterway.stacks.dlms.server.blocks import IncomingBlocks, OutgoingBlocks
from meterway.stacks.dlms.server.host import LogicalDevice
from meterway.stacks.dlms.xdlms import action, get, set  # noqa: A004  the norm's name
from meterway.stacks.dlms.xdlms.conformance import Conformance
from meterway.stacks.dlms.xdlms.parts import (
    AttributeDescriptor,
    DataBlock,
    MethodDescriptor,
    Selection,
    encode_value,
    read_data,
)
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = ["Services"]

_EVERYTHING: Final = ~Conformance.NONE
_NOTHING: Final = Conformance.NONE
_SET_BLOCKS: Final = Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET
_ACTION_BLOCKS: Final = Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION
_NEEDS: Final[dict[type, Conformance]] = {
    get.GetRequestNormal: Conformance.GET,
    get.GetRequestNext: Conformance.GET | Conformance.BLOCK_TRANSFER_WITH_GET,
    get.GetRequestWithList: Conformance.GET | Conformance.MULTIPLE_REFERENCES,
    set.SetRequestNormal: Conformance.SET,
    set.SetRequestWithList: Conformance.SET | Conformance.MULTIPLE_REFERENCES,
    set.SetRequestWithFirstDatablock: _SET_BLOCKS,
    set.SetRequestWithListAndFirstDatablock: _SET_BLOCKS | Conformance.MULTIPLE_REFERENCES,
    set.SetRequestWithDatablock: _SET_BLOCKS,
    action.ActionRequestNormal: Conformance.ACTION,
    action.ActionRequestNextPblock: _ACTION_BLOCKS,
    action.ActionRequestWithList: Conformance.ACTION | Conformance.MULTIPLE_REFERENCES,
    action.ActionRequestWithFirstPblock: _ACTION_BLOCKS,
    action.ActionRequestWithListAndFirstPblock: _ACTION_BLOCKS | Conformance.MULTIPLE_REFERENCES,
    action.ActionRequestWithPblock: _ACTION_BLOCKS,
}
"""What must have been agreed for a request to be answered."""

_BLOCK_HEAD = 12
_GET, _ACTION = 0xC4, 0xC7
_LONGEST_LIST = 1 << 24
_NULL = b"\x00"


def _values(octets: bytes) -> tuple[bytes, ...]:
    reader = Reader(octets)
    values = tuple(read_data(reader) for _ in range(read_length(reader)))
    reader.finish("value list")
    return values


def _whole(octets: bytes) -> bool:
    try:
        return skip(octets, 0) == len(octets)
    except DecodeError:
        return False


class Services:
    """Answers one client's service requests from the objects of a device.

    ``room`` is how many octets a plain response APDU may have, ``allowed`` what was agreed for the association: a
    service beyond it is none of these.
    """

    __slots__ = ("_allowed", "_client", "_device", "_incoming", "_outgoing", "room")

    def __init__(self, device: LogicalDevice, client: int, room: int, allowed: Conformance = _EVERYTHING) -> None:
        self._device = device
        self._allowed = allowed
        self._client = client
        self.room = room
        self._outgoing: OutgoingBlocks | None = None
        self._incoming: IncomingBlocks | None = None

    def answer(self, apdu: object, now: float) -> bytes | None:
        """The response APDU to a decoded request, or None if it is no request of these services."""
        if _NEEDS.get(type(apdu), _NOTHING) & ~self._allowed:
            return None
        match apdu:
            case get.GetRequestNormal():
                return self._get(apdu, now)
            case get.GetRequestNext():
                return self._get_next(apdu)
            case get.GetRequestWithList():
                return self._get_list(apdu, now)
            case set.SetRequestNormal():
                result = self._set_one(apdu.attribute, apdu.selection, apdu.value, now)
                return set.SetResponseNormal(invoke=apdu.invoke, result=result).encode()
            case set.SetRequestWithList():
                results = self._set_all(apdu.items, apdu.values, now)
                return set.SetResponseWithList(invoke=apdu.invoke, results=results).encode()
            case set.SetRequestWithFirstDatablock() | set.SetRequestWithListAndFirstDatablock():
                self._incoming = IncomingBlocks(apdu)
                return self._set_block(apdu.invoke, apdu.block, now)
            case set.SetRequestWithDatablock():
                return self._set_block(apdu.invoke, apdu.block, now)
            case _:
                return self._answer_action(apdu, now)

    def _answer_action(self, apdu: object, now: float) -> bytes | None:
        match apdu:
            case action.ActionRequestNormal():
                return self._act_response(apdu.invoke, self._act_one(apdu.method, apdu.parameters, now))
            case action.ActionRequestNextPblock():
                return self._act_next(apdu)
            case action.ActionRequestWithList():
                return self._act_list(apdu.invoke, apdu.methods, apdu.parameters, now)
            case action.ActionRequestWithFirstPblock() | action.ActionRequestWithListAndFirstPblock():
                self._incoming = IncomingBlocks(apdu)
                return self._act_block(apdu.invoke, apdu.block, now)
            case action.ActionRequestWithPblock():
                return self._act_block(apdu.invoke, apdu.block, now)
            case _:
                return None

    # -- GET ----------------------------------------------------------------------------------------------------------

    def _get(self, apdu: get.GetRequestNormal, now: float) -> bytes:
        self._outgoing = None
        result = self._get_one(apdu.attribute, apdu.selection, now)
        if not isinstance(result, DataAccessResult) and len(result) + 4 > self.room:
            if self._allowed & Conformance.BLOCK_TRANSFER_WITH_GET:
                return self._first_block(apdu.invoke, result)
            result = DataAccessResult.DATA_BLOCK_UNAVAILABLE
        if isinstance(result, DataAccessResult):
            return get.GetResponseNormal(invoke=apdu.invoke, result=result).encode()
        return b"\xc4\x01" + bytes((apdu.invoke, 0)) + result

    def _get_one(
        self, attribute: AttributeDescriptor, selection: Selection | None, now: float
    ) -> bytes | DataAccessResult:
        if selection is not None and not self._allowed & Conformance.SELECTIVE_ACCESS:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return self._device.get(self._client, attribute, selection, now)

    def _get_list(self, apdu: get.GetRequestWithList, now: float) -> bytes:
        self._outgoing = None
        results = self._get_all(apdu.items, now)
        response = get.GetResponseWithList(invoke=apdu.invoke, results=results).encode()
        if len(response) <= self.room:
            return response
        if not self._allowed & Conformance.BLOCK_TRANSFER_WITH_GET:
            results = (DataAccessResult.DATA_BLOCK_UNAVAILABLE,) * len(results)
            return get.GetResponseWithList(invoke=apdu.invoke, results=results).encode()
        return self._first_block(apdu.invoke, encode_length(len(results)) + b"".join(map(encode_value, results)))

    def _get_all(self, items: tuple[get.Item, ...], now: float) -> tuple[bytes | DataAccessResult, ...]:
        """One result for each; once they are longer than any sensible answer the rest is refused."""
        results: list[bytes | DataAccessResult] = []
        length = 0
        for item, selection in items:
            result: bytes | DataAccessResult = DataAccessResult.OTHER_REASON
            if length <= _LONGEST_LIST:
                result = self._get_one(item, selection, now)
            length += len(result) if isinstance(result, bytes) else 0
            results.append(result)
        return tuple(results)

    def _first_block(self, invoke: int, octets: bytes) -> bytes:
        self._outgoing = OutgoingBlocks(octets, max(1, self.room - _BLOCK_HEAD), _GET)
        return self._block(invoke, self._outgoing)

    def _block(self, invoke: int, outgoing: OutgoingBlocks) -> bytes:
        block = outgoing.next()
        if block.last:
            self._outgoing = None
        return get.GetResponseWithDatablock(
            invoke=invoke, last=block.last, block_number=block.number, result=block.octets
        ).encode()

    def _sending(self, service: int) -> OutgoingBlocks | None:
        outgoing = self._outgoing
        return outgoing if outgoing is not None and outgoing.service == service else None

    def _get_next(self, apdu: get.GetRequestNext) -> bytes:
        outgoing = self._sending(_GET)
        if outgoing is not None and apdu.block_number == outgoing.number:
            return self._block(apdu.invoke, outgoing)
        self._outgoing = None
        refusal = DataAccessResult.NO_LONG_GET_IN_PROGRESS
        if outgoing is not None:
            refusal = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        return get.GetResponseWithDatablock(
            invoke=apdu.invoke, last=True, block_number=apdu.block_number, result=refusal
        ).encode()

    # -- SET ----------------------------------------------------------------------------------------------------------

    def _set_one(
        self, item: AttributeDescriptor, selection: Selection | None, value: bytes, now: float
    ) -> DataAccessResult:
        if not _whole(value):
            return DataAccessResult.TYPE_UNMATCHED
        if selection is not None and not self._allowed & Conformance.SELECTIVE_ACCESS:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return self._device.set(self._client, item, selection, value, now)

    def _set_all(
        self, items: tuple[get.Item, ...], values: tuple[bytes, ...], now: float
    ) -> tuple[DataAccessResult, ...]:
        if len(items) != len(values):
            return tuple(DataAccessResult.OTHER_REASON for _ in items)
        return tuple(
            self._set_one(item, selection, value, now) for (item, selection), value in zip(items, values, strict=True)
        )

    def _set_block(self, invoke: int, block: DataBlock, now: float) -> bytes:
        incoming = self._incoming
        if incoming is None:
            refusal = DataAccessResult.NO_LONG_SET_IN_PROGRESS
            return set.SetResponseLastDatablock(invoke=invoke, result=refusal, block_number=block.number).encode()
        if not incoming.add(block):
            self._incoming = None
            refusal = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
            return set.SetResponseLastDatablock(invoke=invoke, result=refusal, block_number=block.number).encode()
        if not block.last:
            return set.SetResponseDatablock(invoke=invoke, block_number=block.number).encode()
        self._incoming = None
        return self._set_whole(invoke, incoming, now)

    def _set_whole(self, invoke: int, incoming: IncomingBlocks, now: float) -> bytes:
        first = incoming.request
        if isinstance(first, set.SetRequestWithFirstDatablock):
            result = self._set_one(first.attribute, first.selection, incoming.octets, now)
            return set.SetResponseLastDatablock(invoke=invoke, result=result, block_number=incoming.number).encode()
        if not isinstance(first, set.SetRequestWithListAndFirstDatablock):
            refusal = DataAccessResult.LONG_SET_ABORTED
            return set.SetResponseLastDatablock(invoke=invoke, result=refusal, block_number=incoming.number).encode()
        try:
            results = self._set_all(first.items, _values(incoming.octets), now)
        except DecodeError:
            results = tuple(DataAccessResult.TYPE_UNMATCHED for _ in first.items)
        return set.SetResponseLastDatablockWithList(
            invoke=invoke, results=results, block_number=incoming.number
        ).encode()

    # -- ACTION -------------------------------------------------------------------------------------------------------

    def _act_one(self, method: MethodDescriptor, parameters: bytes | None, now: float) -> action.ActionOutcome:
        if parameters is not None and not _whole(parameters):
            return action.ActionOutcome(ActionResult.TYPE_UNMATCHED)
        return self._device.act(self._client, method, parameters, now)

    def _act_response(self, invoke: int, outcome: action.ActionOutcome) -> bytes:
        response = action.ActionResponseNormal(invoke=invoke, outcome=outcome).encode()
        if len(response) <= self.room:
            return response
        return self._act_blocks(invoke, outcome.encode())

    def _act_blocks(self, invoke: int, octets: bytes) -> bytes:
        self._outgoing = OutgoingBlocks(octets, max(1, self.room - _BLOCK_HEAD), _ACTION)
        return action.ActionResponseWithPblock(invoke=invoke, block=self._outgoing.next()).encode()

    def _act_next(self, apdu: action.ActionRequestNextPblock) -> bytes:
        outgoing = self._sending(_ACTION)
        if outgoing is None or apdu.block_number != outgoing.number:
            self._outgoing = None
            refusal = action.ActionOutcome(ActionResult.NO_LONG_ACTION_IN_PROGRESS)
            return action.ActionResponseNormal(invoke=apdu.invoke, outcome=refusal).encode()
        block = outgoing.next()
        if block.last:
            self._outgoing = None
        return action.ActionResponseWithPblock(invoke=apdu.invoke, block=block).encode()

    def _act_list(
        self, invoke: int, methods: tuple[MethodDescriptor, ...], parameters: tuple[bytes, ...], now: float
    ) -> bytes:
        if len(methods) != len(parameters):
            outcomes = tuple(action.ActionOutcome(ActionResult.OTHER_REASON) for _ in methods)
        else:
            pairs = zip(methods, parameters, strict=True)
            outcomes = tuple(self._act_one(method, None if data == _NULL else data, now) for method, data in pairs)
        response = action.ActionResponseWithList(invoke=invoke, outcomes=outcomes).encode()
        if len(response) <= self.room:
            return response
        return self._act_blocks(invoke, response[3:])

    def _act_block(self, invoke: int, block: DataBlock, now: float) -> bytes:
        incoming = self._incoming
        if incoming is None or not incoming.add(block):
            self._incoming = None
            result = ActionResult.NO_LONG_ACTION_IN_PROGRESS if incoming is None else ActionResult.LONG_ACTION_ABORTED
            return action.ActionResponseNormal(invoke=invoke, outcome=action.ActionOutcome(result)).encode()
        if not block.last:
            return action.ActionResponseNextPblock(invoke=invoke, block_number=block.number).encode()
        self._incoming = None
        return self._act_whole(invoke, incoming, now)

    def _act_whole(self, invoke: int, incoming: IncomingBlocks, now: float) -> bytes:
        first = incoming.request
        if isinstance(first, action.ActionRequestWithFirstPblock):
            return self._act_response(invoke, self._act_one(first.method, incoming.octets, now))
        if isinstance(first, action.ActionRequestWithListAndFirstPblock):
            try:
                return self._act_list(invoke, first.methods, _values(incoming.octets), now)
            except DecodeError:
                pass
        refusal = action.ActionOutcome(ActionResult.TYPE_UNMATCHED)
        return action.ActionResponseNormal(invoke=invoke, outcome=refusal).encode()
