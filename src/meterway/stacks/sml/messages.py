"""SML messages: the opening, the lists of values, the closing (SML 1.04, SML messages).

Meters in the field differ from the norm in ways that leave no doubt about what is meant; those are read and named:
``kermit-crc`` (as in ``transport``) and ``bare-time`` (a time without its choice, which is a seconds index).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from meterway.base.crc import kermit, x25
from meterway.base.errors import DecodeError
from meterway.base.obis import Obis
from meterway.base.octets import Reader
from meterway.stacks.sml.values import END_OF_MESSAGE, SmlUnsigned, SmlValue, encode_value, read_value

__all__ = ["MESSAGES", "SmlEntry", "SmlList", "SmlMessage", "SmlTime", "decode_file", "encode_file", "list_of"]

MESSAGES: Final[dict[int, str]] = {
    0x0100: "public-open-request",
    0x0101: "public-open-response",
    0x0200: "public-close-request",
    0x0201: "public-close-response",
    0x0300: "get-profile-pack-request",
    0x0301: "get-profile-pack-response",
    0x0400: "get-profile-list-request",
    0x0401: "get-profile-list-response",
    0x0500: "get-proc-parameter-request",
    0x0501: "get-proc-parameter-response",
    0x0600: "set-proc-parameter-request",
    0x0601: "set-proc-parameter-response",
    0x0700: "get-list-request",
    0x0701: "get-list-response",
    0x0800: "get-cosem-request",
    0x0801: "get-cosem-response",
    0xFF01: "attention-response",
}
GET_LIST_RESPONSE: Final = 0x0701
_SECONDS_INDEX, _TIMESTAMP, _LOCAL_TIMESTAMP = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SmlMessage:
    """One message: ``tag`` says which (see MESSAGES), ``body`` its values as they were sent."""

    transaction: bytes
    group: int
    abort_on_error: int
    tag: int
    body: SmlValue
    quirks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The message's name in the norm."""
        return MESSAGES.get(self.tag, f"message-{self.tag:04x}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmlTime:
    """A time: seconds on a clock that began somewhen (``seconds_index``), or a point of time in UTC."""

    seconds_index: int | None = None
    time: datetime | None = None
    is_bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmlEntry:
    """One value of a list: ``value`` unscaled, ``unit`` a DLMS unit code, ``scaler`` the power of ten."""

    name: bytes
    value: SmlValue
    status: int | None = None
    time: SmlTime | None = None
    unit: int | None = None
    scaler: int = 0
    signature: bytes | None = None

    @property
    def obis(self) -> Obis | None:
        """The name as a code, if it is one."""
        return Obis(*self.name) if len(self.name) == 6 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmlList:
    """A get-list response: who sent it, when by its own clock, and the values."""

    server: bytes
    entries: tuple[SmlEntry, ...]
    client: bytes | None = None
    name: bytes | None = None
    sensor_time: SmlTime | None = None
    gateway_time: SmlTime | None = None


# -- files ------------------------------------------------------------------------------------------------------------


def decode_file(octets: bytes, *, base: int = 0, is_whole: bool = True) -> tuple[SmlMessage, ...]:
    """All messages of an SML file; DecodeError (crc, end, message and those of ``read_value``).

    ``is_whole=False`` accepts that the last message is broken off; what came before it is given.
    """
    reader = Reader(octets, base=base)
    messages: list[SmlMessage] = []
    while reader.remaining:
        if reader.peek() == END_OF_MESSAGE:
            reader.u8()  # fill octets where the transport did not count them
            continue
        try:
            messages.append(_message(reader))
        except DecodeError as error:
            if is_whole or error.kind != "truncated" or not messages:
                raise
            break
    return tuple(messages)


def _message(reader: Reader) -> SmlMessage:
    start = reader.offset
    if reader.u8("SML message") != 0x76:
        raise reader.fail("an SML message is a list of six", "message", back=1)
    transaction, group, abort, choice = (read_value(reader) for _ in range(4))
    end = reader.offset
    sent = read_value(reader)
    quirks = _checked(reader, reader.data[start:end], sent)
    if reader.u8("end of SML message") != END_OF_MESSAGE:
        raise reader.fail("an SML message ends in 00", "end", back=1)
    if not isinstance(group, int) or not isinstance(abort, int):
        raise reader.fail("group and abort-on-error of an SML message are numbers", "message")
    tag, body = _choice(choice, reader)
    known = transaction if isinstance(transaction, bytes) else b""
    return SmlMessage(transaction=known, group=group, abort_on_error=abort, tag=tag, body=body, quirks=quirks)


def _checked(reader: Reader, covered: bytes, sent: SmlValue) -> tuple[str, ...]:
    """The CRC, which is sent with its low octet first in a number whose leading zeros may be left out."""
    for check, quirks in ((x25, ()), (kermit, ("kermit-crc",))):
        value = check(covered)
        if sent == (value & 0xFF) << 8 | value >> 8:
            return quirks
    raise reader.fail("the CRC of an SML message does not match", "crc")


def _choice(value: SmlValue, reader: Reader) -> tuple[int, SmlValue]:
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[0], int):
        raise reader.fail("the body of an SML message is a tag and a value", "message")
    return value[0], value[1]


def encode_file(messages: tuple[SmlMessage, ...]) -> bytes:
    """The octets of an SML file, each message with its CRC."""
    return b"".join(_encoded(message) for message in messages)


def _encoded(message: SmlMessage) -> bytes:
    body: SmlValue = (SmlUnsigned(message.tag), message.body)
    parts = (message.transaction, SmlUnsigned(message.group), SmlUnsigned(message.abort_on_error), body)
    covered = b"\x76" + b"".join(map(encode_value, parts))
    return covered + b"\x63" + x25(covered).to_bytes(2, "little") + b"\x00"


# -- lists ------------------------------------------------------------------------------------------------------------


def list_of(message: SmlMessage) -> SmlList:
    """What a get-list response says; DecodeError(message) if its body is none."""
    body = message.body
    if message.tag != GET_LIST_RESPONSE or not isinstance(body, tuple) or len(body) != 7:
        raise DecodeError(f"{message.name} is no list of values", 0, "message")
    client, server, name, sensor_time, entries, _, gateway_time = body
    if not isinstance(entries, tuple):
        raise DecodeError("the values of an SML list are a list", 0, "message")
    return SmlList(
        client=_octets(client),
        server=_octets(server) or b"",
        name=_octets(name),
        sensor_time=_time(sensor_time),
        entries=tuple(_entry(entry) for entry in entries),
        gateway_time=_time(gateway_time),
    )


def _octets(value: SmlValue) -> bytes | None:
    if value is not None and not isinstance(value, bytes):
        raise DecodeError("an octet string was expected in an SML list", 0, "message")
    return value


def _whole(value: SmlValue) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise DecodeError("a number was expected in an SML list", 0, "message")
    return value


def _entry(value: SmlValue) -> SmlEntry:
    if not isinstance(value, tuple) or len(value) != 7:
        raise DecodeError("an entry of an SML list has seven elements", 0, "message")
    name, status, time, unit, scaler, content, signature = value
    return SmlEntry(
        name=_octets(name) or b"",
        status=_whole(status),
        time=_time(time),
        unit=_whole(unit),
        scaler=_whole(scaler) or 0,
        value=content,
        signature=_octets(signature),
    )


def _time(value: SmlValue) -> SmlTime | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return SmlTime(seconds_index=value, is_bare=True)
    if not isinstance(value, tuple) or len(value) != 2:
        raise DecodeError("an SML time is a choice of two", 0, "time")
    kind, moment = value
    if kind == _SECONDS_INDEX and isinstance(moment, int):
        return SmlTime(seconds_index=moment)
    if kind == _LOCAL_TIMESTAMP and isinstance(moment, tuple) and moment:
        moment = moment[0]  # the point of time is UTC; offset and season say how to show it
    elif kind != _TIMESTAMP:
        raise DecodeError(f"{kind!r} is no kind of SML time", 0, "time")
    if not isinstance(moment, int):
        raise DecodeError("an SML timestamp is a number of seconds", 0, "time")
    return SmlTime(time=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment & 0xFFFFFFFF))
