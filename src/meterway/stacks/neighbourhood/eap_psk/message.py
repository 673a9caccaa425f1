"""EAP packets (RFC 3748) and the four messages of EAP-PSK in them (RFC 4764)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from meterway.base.errors import DecodeError
from meterway.base.octets import Reader

__all__ = [
    "EAX_HEADER",
    "First",
    "Eap",
    "EapCode",
    "Fourth",
    "Protected",
    "Result",
    "Sealed",
    "Second",
    "Third",
    "method",
]

TYPE: Final = 47
"""The EAP method type of EAP-PSK."""
EAX_HEADER: Final = 22
"""How much of a packet, from its first octet to the server's random number, the protected channel's tag covers."""
_RAND, _MAC, _HEADER, _EXTENSION = 16, 16, 4, 0x20


class EapCode(IntEnum):
    """What an EAP packet is."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class Result(IntEnum):
    """What a side says in the protected channel."""

    CONTINUE = 1
    SUCCESS = 2
    FAILURE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Eap:
    """One packet; ``data`` begins with the method type in requests and responses and is empty in the others."""

    code: EapCode
    identifier: int
    data: bytes = b""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a whole packet; DecodeError kinds: ``truncated``, ``code``, ``length``."""
        reader = Reader(octets)
        code, identifier, length = reader.u8("EAP code"), reader.u8("EAP identifier"), reader.u16("EAP length")
        if not EapCode.REQUEST <= code <= EapCode.FAILURE:
            raise DecodeError(f"EAP code {code}", 0, "code")
        if length != len(octets):
            raise DecodeError(f"EAP length {length}, but {len(octets)} octets are there", 2, "length")
        return cls(code=EapCode(code), identifier=identifier, data=reader.rest())

    def encode(self) -> bytes:
        """Its octets."""
        return bytes([self.code, self.identifier]) + (_HEADER + len(self.data)).to_bytes(2, "big") + self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """What the protected channel says; ``extension`` begins with its type octet, None if there is none."""

    result: Result
    extension: bytes | None = None

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read the plain octets; DecodeError kinds: ``truncated``, ``result``."""
        reader = Reader(octets)
        flags = reader.u8("protected channel")
        if not flags >> 6:
            raise DecodeError("a result of 0 in the protected channel", 0, "result")
        rest = reader.rest()
        return cls(result=Result(flags >> 6), extension=rest if flags & _EXTENSION else None)

    def encode(self) -> bytes:
        """The plain octets."""
        if self.extension is None:
            return bytes([self.result << 6])
        return bytes([self.result << 6 | _EXTENSION]) + self.extension


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The protected channel as it is sent."""

    nonce: int
    tag: bytes
    octets: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read to the end; DecodeError(``truncated``)."""
        nonce, tag = reader.u32("nonce"), reader.take(_MAC, "tag")
        if not reader.remaining:
            raise reader.fail("an empty protected channel", "truncated")
        return cls(nonce=nonce, tag=tag, octets=reader.rest())

    def encode(self) -> bytes:
        """Its octets."""
        return self.nonce.to_bytes(4, "big") + self.tag + self.octets


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """Server to peer: a random number, who asks."""

    rand_s: bytes
    id_s: bytes

    def encode(self) -> bytes:
        """The data of its packet."""
        return _head(0, self.rand_s) + self.id_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """Peer to server: its random number, proof that it has the key, who it is."""

    rand_s: bytes
    rand_p: bytes
    mac_p: bytes
    id_p: bytes

    def encode(self) -> bytes:
        """The data of its packet."""
        return _head(1, self.rand_s) + self.rand_p + self.mac_p + self.id_p


@dataclass(frozen=True, slots=True, kw_only=True)
class Third:
    """Server to peer: proof that it has the key, and the protected channel."""

    rand_s: bytes
    mac_s: bytes
    channel: Sealed

    def encode(self) -> bytes:
        """The data of its packet."""
        return _head(2, self.rand_s) + self.mac_s + self.channel.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fourth:
    """Peer to server: the protected channel."""

    rand_s: bytes
    channel: Sealed

    def encode(self) -> bytes:
        """The data of its packet."""
        return _head(3, self.rand_s) + self.channel.encode()


def method(eap: Eap) -> First | Second | Third | Fourth:
    """The EAP-PSK message in a request or response; DecodeError kinds: ``truncated``, ``type``, ``code``."""
    reader = Reader(eap.data, base=_HEADER)
    if eap.code > EapCode.RESPONSE:
        raise DecodeError(f"EAP code {eap.code} carries no method", 0, "code")
    kind = reader.u8("EAP type")
    if kind != TYPE:
        raise reader.fail(f"EAP type {kind} instead of EAP-PSK", "type", back=1)
    number = reader.u8("EAP-PSK flags") >> 6
    if (eap.code == EapCode.RESPONSE) != bool(number & 1):
        raise reader.fail(f"EAP-PSK message {number + 1} from the wrong side", "code", back=1)
    rand_s = reader.take(_RAND, "RAND_S")
    if number == 0:
        return First(rand_s=rand_s, id_s=reader.rest())
    if number == 1:
        rand_p, mac_p = reader.take(_RAND, "RAND_P"), reader.take(_MAC, "MAC_P")
        return Second(rand_s=rand_s, rand_p=rand_p, mac_p=mac_p, id_p=reader.rest())
    if number == 2:
        return Third(rand_s=rand_s, mac_s=reader.take(_MAC, "MAC_S"), channel=Sealed.decode(reader))
    return Fourth(rand_s=rand_s, channel=Sealed.decode(reader))


def _head(number: int, rand_s: bytes) -> bytes:
    return bytes([TYPE, number << 6]) + rand_s
