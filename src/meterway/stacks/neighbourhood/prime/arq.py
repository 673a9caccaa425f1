"""Automatic repetition in a PRIME connection: numbered packets, a window, acknowledgements (selective repeat).

    subheader   M 1, FLUSH 1, PKTID 6; while M is 1, one more octet of information follows:
    ACK         M 0, 0, ACKID 6: all packets before ACKID have come
    NACK        M, 1, NACKID 6: this one has not
    WIN         M 1, 0, reserved 1, WINSIZE 5: how many packets from ACKID on there is room for; 1 until it is told

A packet without data has the number of the packet that is to be sent next. FLUSH asks for an acknowledgement at once.
The waiting times and the number of repetitions are settings: what the norm recommends for them is not known here.

Six bits of number are few on a medium that may hold frames back. So that no late frame is taken for a new one, a number
is used again only when its former packet, and every acknowledgement it caused, must be gone (``lifetime``).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

from meterway.base.errors import DecodeError

__all__ = ["MAX_SUBHEADER", "MAX_WINDOW", "ArqHeader", "ArqWindow"]

MAX_WINDOW: Final = 31
_MAX_NACKS: Final = 4
MAX_SUBHEADER: Final = 3 + _MAX_NACKS
"""The longest subheader sent: its first octet, WIN, four NACK, ACK."""
_NUMBERS: Final = 64
_MASK: Final = 0x3F
_NEVER: Final = (float("-inf"),) * _NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ArqHeader:
    """An ARQ subheader; what is None was not said."""

    number: int
    flush: bool = False
    acknowledged: int | None = None
    missing: tuple[int, ...] = ()
    window: int | None = None

    @staticmethod
    def decode(octets: bytes) -> tuple[ArqHeader, int]:
        """The subheader at the beginning of a packet, and its size; DecodeError kind: ``truncated``."""
        if not octets:
            raise DecodeError("no ARQ subheader", 0, "truncated")
        acknowledged, window, missing = None, None, []
        place, more = 1, octets[0] & 0x80
        while more:
            if place >= len(octets):
                raise DecodeError("the ARQ subheader ends too early", place, "truncated")
            octet = octets[place]
            place += 1
            more = octet & 0x80
            if octet & 0x40:
                missing.append(octet & _MASK)
            elif more:
                window = octet & 0x1F
            else:
                acknowledged = octet & _MASK
        header = ArqHeader(
            number=octets[0] & _MASK,
            flush=octets[0] & 0x40 != 0,
            acknowledged=acknowledged,
            missing=tuple(missing),
            window=window,
        )
        return header, place

    def encode(self) -> bytes:
        """The octets; information needs an acknowledgement to end with, else it is left out."""
        first = self.number | (0x40 if self.flush else 0)
        if self.acknowledged is None:
            return bytes((first,))
        middle = [] if self.window is None else [0x80 | self.window]
        return bytes((first | 0x80, *middle, *(0xC0 | number for number in self.missing), self.acknowledged))


class _Flying:
    """A packet that is not acknowledged yet."""

    __slots__ = ("again", "payload", "sent_at", "urgent")

    def __init__(self, payload: bytes, sent_at: float, *, urgent: bool) -> None:
        self.payload = payload
        self.sent_at = sent_at
        self.urgent = urgent
        self.again = False


class ArqWindow:
    """One end of a connection: what is to be sent and what came, both in order and once. Times are seconds."""

    __slots__ = (
        "_ack_due",
        "_attempts",
        "_buffer",
        "_deadline",
        "_expected",
        "_flying",
        "_held_until",
        "_last_sent",
        "_lifetime",
        "_peer_window",
        "_queue",
        "_repetitions",
        "_wait",
        "_window",
        "first",
        "is_lost",
        "next",
        "repeated",
    )

    def __init__(self, *, window: int, wait: float, repetitions: int, lifetime: float) -> None:
        self._window = min(window, MAX_WINDOW)
        self._wait = wait
        self._repetitions = repetitions
        self._lifetime = lifetime
        self._queue: list[tuple[bytes, bool]] = []
        self._flying: dict[int, _Flying] = {}
        self._last_sent = array("d", _NEVER)
        self._peer_window = 1
        self._deadline: float | None = None
        self._held_until: float | None = None
        self._attempts = 0
        self._expected = 0
        self._buffer: dict[int, bytes] = {}
        self._ack_due = False
        self.first = 0
        """The oldest packet of ours that is not acknowledged, counted from the beginning of the connection."""
        self.next = 0
        """The packet of ours that is to be sent next."""
        self.repeated = 0
        """How many packets came that had come before."""
        self.is_lost = False
        """Whether repetitions are used up."""

    @property
    def waiting(self) -> int:
        """How many packets wait to be sent for the first time."""
        return len(self._queue)

    @property
    def is_urgent(self) -> bool:
        """Whether what waits next is urgent."""
        return bool(self._queue) and self._queue[0][1]

    @property
    def is_flying(self) -> bool:
        """Whether packets are under way."""
        return bool(self._flying)

    def enqueue(self, payload: bytes, *, urgent: bool = False) -> int:
        """Take a packet to send; its number, counted from the beginning."""
        self._queue.append((payload, urgent))
        return self.next + len(self._queue) - 1

    def receive(self, octets: bytes, now: float) -> list[bytes]:
        """Take a packet with its subheader; the payloads that are in order now. DecodeError kind: ``truncated``."""
        header, size = ArqHeader.decode(octets)
        if header.window is not None:
            self._peer_window = max(1, header.window)
        if header.acknowledged is not None:
            self._acknowledge(header.acknowledged, now)
        for number in header.missing:
            self._missed(number, now)
        return self._collect(header, octets[size:]) if size < len(octets) else []

    def _acknowledge(self, number: int, now: float) -> None:
        count = (number - self.first) & _MASK
        if not 0 < count <= self.next - self.first:
            return  # nothing new, or an old acknowledgement that came late
        for settled in range(self.first, self.first + count):
            del self._flying[settled]
        self.first += count
        self._attempts = 0
        self._deadline = now + self._wait if self._flying else None

    def _missed(self, number: int, now: float) -> None:
        flying = self._flying.get(self.first + ((number - self.first) & _MASK))
        if flying is not None and now - flying.sent_at >= self._wait / 8:
            flying.again = True

    def _collect(self, header: ArqHeader, payload: bytes) -> list[bytes]:
        ahead = (header.number - self._expected) & _MASK
        number = self._expected + ahead
        self._ack_due = self._ack_due or header.flush or ahead > 0
        if ahead >= self._window or number in self._buffer:
            self.repeated += 1
            self._ack_due = True
            return []
        self._buffer[number] = payload
        ready = []
        while self._expected in self._buffer:
            ready.append(self._buffer.pop(self._expected))
            self._expected += 1
        return ready

    def outgoing(self, now: float, *, may_launch: bool = True) -> list[tuple[bytes, bool]]:
        """What is to go out now: packets with their subheaders, whether each is urgent; new ones only if they may."""
        numbers = [number for number, one in self._flying.items() if one.again]
        if may_launch:
            numbers.extend(self._launch(now))
        out = []
        for number in numbers:
            one = self._flying[number]
            one.again, one.sent_at = False, now
            self._last_sent[number & _MASK] = now
            out.append((self._header(number, flush=number == numbers[-1]) + one.payload, one.urgent))
        if numbers:
            self._deadline = now + self._wait * 2**self._attempts
        elif self._ack_due:
            out.append((self._header(self.next, flush=False), True))
        self._ack_due = False
        return out

    def _launch(self, now: float) -> list[int]:
        """Let packets fly that the window of the peer and the age of their numbers allow."""
        launched = []
        self._held_until = None
        while self._queue and self.next - self.first < self._peer_window:
            former = self.next + 1 + self._peer_window - _NUMBERS - 1
            if former >= 0 and (free := self._last_sent[former & _MASK] + 2 * self._lifetime) > now:
                self._held_until = free
                break
            payload, urgent = self._queue.pop(0)
            self._flying[self.next] = _Flying(payload, now, urgent=urgent)
            launched.append(self.next)
            self.next += 1
        return launched

    def _header(self, number: int, *, flush: bool) -> bytes:
        missing: list[int] = []
        if self._buffer:
            gaps = range(self._expected, max(self._buffer))
            missing = [one & _MASK for one in gaps if one not in self._buffer][:_MAX_NACKS]
        return ArqHeader(
            number=number & _MASK,
            flush=flush,
            acknowledged=self._expected & _MASK,
            missing=tuple(missing),
            window=self._window,
        ).encode()

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        times = [time for time in (self._deadline, self._held_until) if time is not None]
        return min(times, default=None)

    def handle_timeout(self, now: float) -> None:
        """The time has come: repeat what is not acknowledged, or be lost."""
        if self._deadline is None or now < self._deadline:
            return
        self._attempts += 1
        if self._attempts > self._repetitions:
            self.is_lost = True
            self._deadline = None
            return
        for one in self._flying.values():
            one.again = True
