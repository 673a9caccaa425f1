"""Configuration parameters of LBP, in the protected channel of EAP-PSK: address and group key for who joins."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Self

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader

__all__ = ["Grant", "Parameter", "ParameterId", "ParameterResult", "read_parameters", "read_result", "write_result"]

EXTENSION: Final = b"\x02"
"""The extension type of the protected channel that announces parameters."""
_GMK_SIZE: Final = 16
_FORBIDDEN_SHORT: Final = 0xFFFE


class ParameterId(IntEnum):
    """What a parameter is."""

    SHORT_ADDRESS = 7
    GMK = 9
    GMK_ACTIVATION = 10
    GMK_REMOVAL = 11
    RESULT = 12


class ParameterResult(IntEnum):
    """What a device says of the parameters it got."""

    SUCCESS = 0
    MISSING = 1
    INVALID = 2
    UNKNOWN = 3


# Those that all devices of the network share have the PAN bit.
_OF_THE_PAN: Final = frozenset({ParameterId.GMK, ParameterId.GMK_ACTIVATION, ParameterId.GMK_REMOVAL})


def first_octet(number: int) -> int:
    """How a parameter begins: number, whether it is of the PAN, and the bit that tells it from an EAP packet."""
    return number << 2 | (number in _OF_THE_PAN) << 1 | 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; ``number`` as of ``ParameterId``, or an unknown one."""

    number: int
    value: bytes = field(repr=False)

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read one; DecodeError kinds: ``truncated``, ``parameter``."""
        head = reader.u8("parameter")
        if not head & 1:
            raise reader.fail(f"{head:#04x} is no parameter", "parameter", back=1)
        return cls(number=head >> 2, value=reader.take(reader.u8("parameter length"), "parameter"))

    def encode(self) -> bytes:
        """Its octets."""
        return bytes([first_octet(self.number), len(self.value)]) + self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a device gets: its short address, group keys by index (0 or 1), and which of them to use."""

    short: int
    keys: dict[int, bytes] = field(repr=False)
    active: int

    @classmethod
    def decode(cls, extension: bytes | None) -> Self:
        """From the protected channel; DecodeError kinds: ``truncated``, ``parameter``, ``missing``, ``invalid``."""
        short = active = None
        keys: dict[int, bytes] = {}
        for parameter in read_parameters(extension):
            value = parameter.value
            if parameter.number == ParameterId.SHORT_ADDRESS and len(value) == 2:
                short = int.from_bytes(value, "big")
            elif parameter.number == ParameterId.GMK and len(value) == 1 + _GMK_SIZE and value[0] < 2:
                keys[value[0]] = value[1:]
            elif parameter.number == ParameterId.GMK_ACTIVATION and len(value) == 1:
                active = value[0]
            else:
                raise DecodeError(f"parameter {parameter.number} is not known or wrong", 0, "invalid")
        if short is None or active is None:
            raise DecodeError("a short address and a key to use must be given", 0, "missing")
        if short >= _FORBIDDEN_SHORT or active not in keys:
            raise DecodeError("the short address or the key to use cannot be", 0, "invalid")
        return cls(short=short, keys=keys, active=active)

    def encode(self) -> bytes:
        """The extension of the protected channel, type included."""
        parameters = [Parameter(number=ParameterId.SHORT_ADDRESS, value=self.short.to_bytes(2, "big"))]
        parameters += [Parameter(number=ParameterId.GMK, value=bytes([at]) + key) for at, key in self.keys.items()]
        parameters.append(Parameter(number=ParameterId.GMK_ACTIVATION, value=bytes([self.active])))
        return EXTENSION + b"".join(parameter.encode() for parameter in parameters)


def read_parameters(extension: bytes | None) -> list[Parameter]:
    """The parameters in an extension; DecodeError kinds: ``truncated``, ``parameter``, ``missing``."""
    if extension is None or extension[:1] != EXTENSION:
        raise DecodeError("no configuration parameters in the protected channel", 0, "missing")
    reader = Reader(extension, 1)
    parameters = []
    while reader.remaining:
        parameters.append(Parameter.decode(reader))
    return parameters


def write_result(result: ParameterResult, number: int = 0) -> bytes:
    """The extension by which a device says what became of the parameters; ``number``: of which, 0 of none."""
    value = bytes([result, first_octet(number) if number else 0])
    return EXTENSION + Parameter(number=ParameterId.RESULT, value=value).encode()


def read_result(extension: bytes | None) -> ParameterResult | None:
    """The first result that is no success, or success; None if there is no result at all. DecodeError as above."""
    results = [
        parameter.value[0]
        for parameter in read_parameters(extension)
        if parameter.number == ParameterId.RESULT and len(parameter.value) == 2
    ]
    if not results:
        return None
    worst = max(results)
    if worst > ParameterResult.UNKNOWN:
        raise DecodeError(f"a parameter result of {worst}", 0, "parameter")
    return ParameterResult(worst)
