"""Reading octets with an exact place for every complaint."""

from __future__ import annotations

from meterway.base.errors import DecodeError

__all__ = ["Reader"]


class Reader:
    """A cursor over octets; big-endian unless the name says otherwise.

    ``base`` is added to every offset reported, so that a nested reader still names the place in
    the outermost buffer.
    """

    __slots__ = ("_base", "data", "end", "offset")

    def __init__(self, data: bytes, offset: int = 0, end: int | None = None, *, base: int = 0) -> None:
        self.data = data
        self.offset = offset
        self.end = len(data) if end is None else end
        self._base = base

    @property
    def remaining(self) -> int:
        """How many octets are left."""
        return self.end - self.offset

    @property
    def place(self) -> int:
        """The offset of the next octet in the outermost buffer."""
        return self._base + self.offset

    def fail(self, message: str, kind: str = "malformed", *, back: int = 0) -> DecodeError:
        """Return (not raise) an error that points ``back`` octets before the cursor."""
        return DecodeError(message, self.place - back, kind)

    def take(self, count: int, what: str = "octets") -> bytes:
        """Return the next ``count`` octets; DecodeError(truncated) names what is missing."""
        start = self.offset
        stop = start + count
        if count < 0 or stop > self.end:
            raise self.fail(f"{what}: {count} octets wanted, {self.remaining} left", "truncated")
        self.offset = stop
        return self.data[start:stop]

    def peek(self) -> int:
        """The next octet without moving, or -1 at the end."""
        return self.data[self.offset] if self.offset < self.end else -1

    def u8(self, what: str = "octet") -> int:
        """The next octet, 0 to 255."""
        if self.offset >= self.end:
            raise self.fail(f"{what}: nothing left", "truncated")
        value = self.data[self.offset]
        self.offset += 1
        return value

    def i8(self, what: str = "octet") -> int:
        """The next octet, -128 to 127."""
        value = self.u8(what)
        return value - 256 if value > 127 else value

    def uint(self, size: int, what: str = "unsigned") -> int:
        """An unsigned big-endian integer of ``size`` octets."""
        return int.from_bytes(self.take(size, what), "big")

    def u16(self, what: str = "unsigned16") -> int:
        """Two octets, unsigned, big-endian."""
        return int.from_bytes(self.take(2, what), "big")

    def u32(self, what: str = "unsigned32") -> int:
        """Four octets, unsigned, big-endian."""
        return int.from_bytes(self.take(4, what), "big")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.remaining)

    def sub(self, count: int, what: str = "octets") -> Reader:
        """A reader over the next ``count`` octets only; the cursor moves past them."""
        start = self.offset
        self.take(count, what)
        return Reader(self.data, start, start + count, base=self._base)

    def finish(self, what: str = "message") -> None:
        """Raise DecodeError(trailing) if octets are left over."""
        if self.offset != self.end:
            raise self.fail(f"{what}: {self.remaining} octets left over", "trailing")
