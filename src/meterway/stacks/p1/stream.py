"""Telegrams out of a stream of octets: an engine that finds where each begins and ends.

The consumer port goes one way: this engine never has anything to send. It keeps at most one telegram of
``limit`` octets, throws away what stands between telegrams, and begins again at the next ``/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from meterway.base.engine import QueuingEngine
from meterway.base.errors import DecodeError, SecurityError
from meterway.stacks.p1.encrypted import PUBLIC_AUTH_KEY, Decrypted, decrypt, frame_length
from meterway.stacks.p1.telegram import Telegram, decode

__all__ = ["Noticed", "P1Stream", "TelegramReceived"]

_START: Final = re.compile(rb"[/\xaf\xdb]")
_MARK: Final = re.compile(rb"\n[!/\xaf]")
_END: Final = re.compile(rb"\n|(?=[/\xaf])")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramReceived:
    """A whole telegram came in; ``decrypted`` says how it was protected, None if it came in the clear."""

    telegram: Telegram
    octets: bytes
    decrypted: Decrypted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that is wrong but was survived.

    ``kind``: ``noise`` (octets between telegrams), ``cut`` (a telegram without its end), ``overlong``, ``encrypted``
    (no key is known), ``counter`` (a replayed telegram), ``tag`` and the other checks of SecurityError, ``crc`` and the
    other kinds of DecodeError.
    """

    kind: str
    message: str
    octets: bytes = b""


class P1Stream(QueuingEngine[TelegramReceived | Noticed]):
    """Cuts telegrams, plain or encrypted, out of the octets of a consumer port.

    ``counters`` holds the last invocation counter of each system title; who connects anew hands the same one over, so
    that a telegram of the past is refused. Only a telegram whose tag was right moves it.
    """

    def __init__(
        self,
        *,
        key: bytes = b"",
        auth_key: bytes = PUBLIC_AUTH_KEY,
        limit: int = 16384,
        idle_s: float = 5.0,
        counters: dict[bytes, int] | None = None,
    ) -> None:
        super().__init__()
        self._key = key
        self._auth_key = auth_key
        self._limit = limit
        self._idle_s = idle_s
        self._counters = {} if counters is None else counters
        self._buffer = bytearray()
        self._scanned = 0
        self._deadline: float | None = None

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line; empty data says that the line was closed."""
        for place in range(0, len(data), self._limit):
            self._buffer += data[place : place + self._limit]
            while self._step():
                pass
        if not data:
            self._give_up("the line was closed within a telegram")
        self._deadline = now + self._idle_s if self._buffer else None

    def next_timeout(self) -> float | None:
        """When a telegram that does not go on is given up, or None."""
        return self._deadline

    def handle_timeout(self, now: float) -> None:
        """Give up a telegram that did not go on."""
        if self._deadline is not None and now >= self._deadline:
            self._give_up("nothing followed")
            self._deadline = None

    def _step(self) -> bool:
        """Do one thing with what is there; False when more octets are needed."""
        if not self._buffer:
            return False
        if not _START.match(self._buffer):
            start = _START.search(self._buffer)
            self._skip(len(self._buffer) if start is None else start.start(), "noise", "octets between telegrams")
            return True
        return self._encrypted() if self._buffer[0] == 0xDB else self._plain()

    def _plain(self) -> bool:
        mark = _MARK.search(self._buffer, max(0, self._scanned - 1))
        if mark is None:
            return self._wait(len(self._buffer))
        if self._buffer[mark.start() + 1] != 0x21:
            self._skip(mark.start() + 1, "cut", "a telegram began before the last one had ended")
            return True
        end = _END.search(self._buffer, mark.end())
        if end is None:
            return self._wait(mark.start())
        self._emit(self._take(end.end()), None)
        return True

    def _encrypted(self) -> bool:
        try:
            length = frame_length(bytes(self._buffer[:16]))
        except DecodeError:
            length = self._limit + 1
        if length is not None and length > self._limit:
            self._skip(1, "noise", "octets between telegrams")
            return True
        if length is None or len(self._buffer) < length:
            return False
        self._open(self._take(length))
        return True

    def _wait(self, scanned: int) -> bool:
        self._scanned = scanned
        if len(self._buffer) <= self._limit:
            return False
        self._skip(1, "overlong", f"no end within {self._limit} octets")
        return True

    def _open(self, frame: bytes) -> None:
        if not self._key:
            self._events.append(Noticed(kind="encrypted", message="the telegram is encrypted, no key is known"))
            return
        try:
            opened = decrypt(frame, self._key, self._auth_key)
        except (SecurityError, DecodeError) as error:
            kind = error.check if isinstance(error, SecurityError) else error.kind
            self._events.append(Noticed(kind=kind, message=error.message, octets=frame))
            return
        if opened.verified:
            last = self._counters.get(opened.system_title, -1)
            if opened.counter <= last:
                said = f"invocation counter {opened.counter} is not above {last}: a telegram of the past"
                self._events.append(Noticed(kind="counter", message=said, octets=frame))
                return
            self._counters[opened.system_title] = opened.counter
        self._emit(opened.telegram, opened)

    def _emit(self, octets: bytes, decrypted: Decrypted | None) -> None:
        proven = decrypted is not None and decrypted.verified  # the tag proves more than the CRC
        try:
            event = TelegramReceived(telegram=decode(octets, crc=not proven), octets=octets, decrypted=decrypted)
        except DecodeError as error:
            self._events.append(Noticed(kind=error.kind, message=error.message, octets=octets))
        else:
            self._events.append(event)

    def _take(self, count: int) -> bytes:
        octets = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._scanned = 0
        return octets

    def _skip(self, count: int, kind: str, message: str) -> None:
        octets = self._take(count)
        if octets.strip(b"\r\n\0"):
            self._events.append(Noticed(kind=kind, message=message, octets=octets))

    def _give_up(self, message: str) -> None:
        """The last telegram may lack only the line end after its CRC."""
        mark = _MARK.search(self._buffer) if self._buffer[:1] != b"\xdb" else None
        if mark is not None and self._buffer[mark.start() + 1] == 0x21:
            self._emit(self._take(len(self._buffer)), None)
        elif self._buffer:
            self._skip(len(self._buffer), "cut", message)
