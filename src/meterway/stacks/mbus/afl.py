"""The authentication and fragmentation layer (EN 13757-7): message counter, MAC, and messages in several frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from meterway.base.errors import DecodeError, LocalProtocolError, RemoteProtocolError

__all__ = ["AFL_CI", "Afl", "Reassembly", "decode_afl", "fragment"]

AFL_CI: Final = 0x90
MAC_LENGTHS: Final[dict[int, int]] = {3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12}
"""Octets of the MAC by authentication type: 3 to 7 AES-CMAC, 8 AES-GMAC."""

_MF, _MCL, _ML, _MCR, _MAC, _KI = (1 << bit for bit in (14, 13, 12, 11, 10, 9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Afl:
    """One header of the layer; a field that is None is not there.

    ``message_control`` (MCL) names type of authentication and what is authenticated, ``key_information`` (KI) key
    and derivation, ``counter`` (MCR) is the message counter, ``message_length`` (ML) the octets of the whole message.
    """

    fragment_id: int = 0
    more_fragments: bool = False
    message_control: int | None = None
    key_information: int | None = None
    counter: int | None = None
    mac: bytes | None = None
    message_length: int | None = None

    @property
    def mac_length(self) -> int:
        """Octets of the MAC that the message control field announces; 0 if none."""
        return MAC_LENGTHS.get((self.message_control or 0) & 15, 0)

    @property
    def _flags(self) -> int:
        flags = _MF if self.more_fragments else 0
        present = (
            (_MCL, self.message_control),
            (_ML, self.message_length),
            (_MCR, self.counter),
            (_MAC, self.mac),
            (_KI, self.key_information),
        )
        for bit, value in present:
            if value is not None:
                flags |= bit
        return flags | self.fragment_id

    def encode(self) -> bytes:
        """The header with its CI."""
        body = self._flags.to_bytes(2, "little")
        if self.message_control is not None:
            body += bytes((self.message_control,))
        if self.key_information is not None:
            body += self.key_information.to_bytes(2, "little")
        if self.counter is not None:
            body += self.counter.to_bytes(4, "little")
        if self.mac is not None:
            body += self.mac
        if self.message_length is not None:
            body += self.message_length.to_bytes(2, "little")
        return bytes((AFL_CI, len(body))) + body

    def authenticated_prefix(self) -> bytes:
        """What the MAC covers before the transport layer: MCL, MCR and, if announced, ML."""
        control = self.message_control or 0
        out = bytes((control,)) + (self.counter or 0).to_bytes(4, "little")
        if self.message_length is not None and control & 0x40:
            out += self.message_length.to_bytes(2, "little")
        return out


class _Fields:
    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data, self.place, self.end = data, start, end

    def take(self, count: int, what: str) -> bytes:
        place, self.place = self.place, self.place + count
        if self.place > self.end:
            raise DecodeError(f"{what} is cut off", place, "truncated")
        return self.data[place : self.place]

    def number(self, count: int, what: str) -> int:
        return int.from_bytes(self.take(count, what), "little")


def decode_afl(data: bytes, start: int, known: Afl | None = None) -> tuple[Afl, int]:
    """The header that begins at ``start`` (its CI) and the offset after it.

    ``known`` is the first fragment's header: a later fragment may carry the MAC without the message control field.
    """
    if start + 4 > len(data):
        raise DecodeError("the authentication and fragmentation layer is cut off", start, "truncated")
    end = start + 2 + data[start + 1]
    if end > len(data):
        raise DecodeError("the authentication and fragmentation layer is cut off", start, "truncated")
    fields = _Fields(data, start + 2, end)
    flags = fields.number(2, "the fragmentation control field")
    message_control = fields.number(1, "the message control field") if flags & _MCL else None
    key_information = fields.number(2, "the key information") if flags & _KI else None
    counter = fields.number(4, "the message counter") if flags & _MCR else None
    mac = None
    if flags & _MAC:
        control = message_control if message_control is not None else (known.message_control if known else None)
        length = MAC_LENGTHS.get((control or 0) & 15)
        if length is None:
            length = end - fields.place - (2 if flags & _ML else 0)
        mac = fields.take(max(length, 0), "the MAC")
    message_length = fields.number(2, "the message length") if flags & _ML else None
    if fields.place != end:
        raise DecodeError("the authentication and fragmentation layer has octets left over", fields.place, "trailing")
    header = Afl(
        fragment_id=flags & 0xFF,
        more_fragments=bool(flags & _MF),
        message_control=message_control,
        key_information=key_information,
        counter=counter,
        mac=mac,
        message_length=message_length,
    )
    return header, end


class Reassembly:
    """Joins the fragments of one sender's message.

    ``add`` gives the whole message with a merged header when the last fragment is in, else None. A fragment that does
    not continue the message starts anew if it is a first one and is refused otherwise.
    """

    __slots__ = ("_header", "_parts", "_size", "limit")

    def __init__(self, limit: int = 16384) -> None:
        self.limit = limit
        self._forget()

    def _forget(self) -> None:
        self._parts: list[bytes] = []
        self._header: Afl | None = None
        self._size = 0

    @property
    def header(self) -> Afl | None:
        """The fields known so far, merged; None between messages."""
        return self._header

    def add(self, header: Afl, payload: bytes) -> tuple[Afl, bytes] | None:
        """Take one fragment; RemoteProtocolError if it is out of order, too much, or ends short of its length."""
        if not header.more_fragments and self._header is None and header.fragment_id <= 1:
            return header, payload
        if header.fragment_id <= 1:
            self._forget()
        elif self._header is None or header.fragment_id != self._header.fragment_id + 1:
            self._forget()
            raise RemoteProtocolError(f"fragment {header.fragment_id} does not continue the message")
        self._header = _merged(self._header, header)
        self._parts.append(payload)
        self._size += len(payload)
        if self._size > self.limit:
            self._forget()
            raise RemoteProtocolError(f"the fragmented message has more than {self.limit} octets")
        return None if header.more_fragments else self._finish()

    def _finish(self) -> tuple[Afl, bytes]:
        header, message = self._header, b"".join(self._parts)
        self._forget()
        if header is None:
            raise RemoteProtocolError("no fragment was received")
        if header.message_length is not None and header.message_length != len(message):
            raise RemoteProtocolError(f"the message has {len(message)} octets, {header.message_length} were announced")
        return header, message


def _merged(first: Afl | None, then: Afl) -> Afl:
    if first is None:
        return then

    def pick(old: int | None, new: int | None) -> int | None:
        return old if new is None else new

    return replace(
        then,
        message_control=pick(first.message_control, then.message_control),
        key_information=pick(first.key_information, then.key_information),
        counter=pick(first.counter, then.counter),
        mac=first.mac if then.mac is None else then.mac,
        message_length=pick(first.message_length, then.message_length),
    )


def fragment(header: Afl, message: bytes, size: int) -> list[bytes]:
    """Cut a message into frames of at most ``size`` octets, each with its header; MAC and length go in the first.

    LocalProtocolError if a header leaves no room or there are more than 255 fragments.
    """
    first = replace(header, fragment_id=1, more_fragments=True, message_length=len(message))
    room = size - len(first.encode())
    later = size - len(Afl().encode())
    if room < 1:
        raise LocalProtocolError(f"{size} octets have no room for a fragment")
    if len(message) <= size - len(header.encode()):
        return [header.encode() + message]
    parts = [message[:room], *(message[place : place + later] for place in range(room, len(message), later))]
    if len(parts) > 255:
        raise LocalProtocolError("a message has at most 255 fragments")
    heads = [
        first,
        *(Afl(fragment_id=number, more_fragments=number < len(parts)) for number in range(2, len(parts) + 1)),
    ]
    return [head.encode() + part for head, part in zip(heads, parts, strict=True)]
