"""A line from the field, lent to one session after another."""

from __future__ import annotations

import asyncio
from typing import Any

from meterway.headend.called_line import CalledLine


class Real(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Session(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.lost = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


def test_what_one_session_closes_the_next_one_gets() -> None:
    async def work() -> None:
        first: list[bytes] = []
        gone: list[CalledLine] = []
        line, real = CalledLine(lambda _, data: first.append(data), gone.append), Real()
        line.connection_made(real)
        line.data_received(b"hello")
        one, two = Session(), Session()
        line.lend(one)
        one.transport.write(b"a")
        line.data_received(b"1")
        one.transport.close()
        one.transport.close()
        await asyncio.sleep(0)
        assert one.transport.is_closing()
        one.transport.write(b"late")
        line.lend(two)
        line.data_received(b"2")
        assert (first, one.heard, two.heard, real.written) == ([b"hello"], b"1", b"2", b"a")
        assert (one.lost, two.lost, real.closed, line.is_open) == (1, 0, False, True)
        line.connection_lost(None)
        assert (two.lost, line.is_open, gone) == (1, False, [line])

    asyncio.run(work())
