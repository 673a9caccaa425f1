"""The ACTION service: calling methods (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from meterway.base.octets import Reader
from meterway.stacks.dlms.axdr import encode_length, read_length
from meterway.stacks.dlms.xdlms.parts import (
    BlockCarrier,
    BlockNumber,
    DataBlock,
    MethodDescriptor,
    decode_value,
    encode_value,
    read_data,
    read_optional_data,
)
from meterway.stacks.dlms.xdlms.results import ActionResult, DataAccessResult

__all__ = [
    "ActionOutcome",
    "ActionRequestNextPblock",
    "ActionRequestNormal",
    "ActionRequestWithFirstPblock",
    "ActionRequestWithList",
    "ActionRequestWithListAndFirstPblock",
    "ActionRequestWithPblock",
    "ActionResponseNextPblock",
    "ActionResponseNormal",
    "ActionResponseWithList",
    "ActionResponseWithPblock",
]


class ActionOutcome(NamedTuple):
    """What a method gave: its result and, if any, what it returned (encoded data or a refusal)."""

    result: ActionResult
    returned: bytes | DataAccessResult | None = None

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Result and optional return parameters."""
        result = ActionResult(reader.u8("action result"))
        flag = reader.u8("return parameters")
        if flag > 1:
            raise reader.fail(f"a presence flag is 0 or 1, not {flag}", back=1)
        return cls(result, decode_value(reader) if flag else None)

    def encode(self) -> bytes:
        """Result and optional return parameters."""
        tail = b"\x00" if self.returned is None else b"\x01" + encode_value(self.returned)
        return bytes((self.result,)) + tail


def _methods(reader: Reader) -> tuple[MethodDescriptor, ...]:
    return tuple(MethodDescriptor.read(reader) for _ in range(read_length(reader)))


def _encode_methods(methods: tuple[MethodDescriptor, ...]) -> bytes:
    return encode_length(len(methods)) + b"".join(method.encode() for method in methods)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestNormal:
    """Call one method; ``parameters`` is encoded data or None."""

    TAG: ClassVar[bytes] = b"\xc3\x01"
    invoke: int
    method: MethodDescriptor
    parameters: bytes | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, method = reader.u8("invoke id"), MethodDescriptor.read(reader)
        return cls(invoke=invoke, method=method, parameters=read_optional_data(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        tail = b"\x00" if self.parameters is None else b"\x01" + self.parameters
        return self.TAG + bytes((self.invoke,)) + self.method.encode() + tail


class ActionRequestNextPblock(BlockNumber):
    """Ask for the answer's block after ``block_number``."""

    __slots__ = ()
    TAG = b"\xc3\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithList:
    """Call several methods; one parameter each (null-data where there is none)."""

    TAG: ClassVar[bytes] = b"\xc3\x03"
    invoke: int
    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[bytes, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, methods = reader.u8("invoke id"), _methods(reader)
        parameters = tuple(read_data(reader) for _ in range(read_length(reader)))
        return cls(invoke=invoke, methods=methods, parameters=parameters)

    def encode(self) -> bytes:
        """The whole APDU."""
        parameters = encode_length(len(self.parameters)) + b"".join(self.parameters)
        return self.TAG + bytes((self.invoke,)) + _encode_methods(self.methods) + parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithFirstPblock:
    """Begin a call whose parameters are long."""

    TAG: ClassVar[bytes] = b"\xc3\x04"
    invoke: int
    method: MethodDescriptor
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, method = reader.u8("invoke id"), MethodDescriptor.read(reader)
        return cls(invoke=invoke, method=method, block=DataBlock.read(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + self.method.encode() + self.block.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithListAndFirstPblock:
    """Begin calls of several methods whose parameters are long together."""

    TAG: ClassVar[bytes] = b"\xc3\x05"
    invoke: int
    methods: tuple[MethodDescriptor, ...]
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke, methods = reader.u8("invoke id"), _methods(reader)
        return cls(invoke=invoke, methods=methods, block=DataBlock.read(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + _encode_methods(self.methods) + self.block.encode()


class ActionRequestWithPblock(BlockCarrier):
    """Go on with the parameters of a call."""

    __slots__ = ()
    TAG = b"\xc3\x06"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseNormal:
    """What the method gave."""

    TAG: ClassVar[bytes] = b"\xc7\x01"
    invoke: int
    outcome: ActionOutcome

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        return cls(invoke=reader.u8("invoke id"), outcome=ActionOutcome.read(reader))

    def encode(self) -> bytes:
        """The whole APDU."""
        return self.TAG + bytes((self.invoke,)) + self.outcome.encode()


class ActionResponseWithPblock(BlockCarrier):
    """A piece of a long answer."""

    __slots__ = ()
    TAG = b"\xc7\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseWithList:
    """What each method gave, in order."""

    TAG: ClassVar[bytes] = b"\xc7\x03"
    invoke: int
    outcomes: tuple[ActionOutcome, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """From after the tag."""
        invoke = reader.u8("invoke id")
        return cls(invoke=invoke, outcomes=tuple(ActionOutcome.read(reader) for _ in range(read_length(reader))))

    def encode(self) -> bytes:
        """The whole APDU."""
        outcomes = b"".join(outcome.encode() for outcome in self.outcomes)
        return self.TAG + bytes((self.invoke,)) + encode_length(len(self.outcomes)) + outcomes


class ActionResponseNextPblock(BlockNumber):
    """A block of parameters was taken; the next may come."""

    __slots__ = ()
    TAG = b"\xc7\x04"
