"""What every hub and every client of one does, shown on a board that hands each note to all."""

import asyncio
import time

import msgspec
import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.links.medium.hubs import Hub, HubClient
from meterway.links.medium.messages import Closed, MessageEngine


class Hang(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    number: int
    text: str


class Shown(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    text: str


DECODER = msgspec.msgpack.Decoder(Hang | Shown | Closed)


class Board(Hub):
    """Shows each note to everyone a little later; takes it down when its client has gone."""

    name = "board"

    def __init__(self):
        super().__init__(time.time)
        self.hanging = {}
        self.due = []

    def _engine(self):
        return MessageEngine(DECODER, "the board")

    def _ask(self, line, message):
        if not isinstance(message, Hang):
            return False
        line.stations[message.number] = message.text
        self.hanging[message.text] = line
        now = time.time()
        self.due.append((now + 0.01, message.text))
        self._arm(now)
        return True

    def _part(self, key):
        del self.hanging[key]

    def _next_due(self):
        return self.due[0][0] if self.due else None

    def _settle(self, now):
        while self.due and self.due[0][0] <= now:
            _, text = self.due.pop(0)
            for line in self._lines:
                self._tell(line, Shown(text))


class Reader(HubClient):
    name = "board"

    def __init__(self, on_lost=None):
        super().__init__(MessageEngine(DECODER, "the board"), on_lost)
        self.seen = []

    def hang(self, number, text):
        self._tell(Hang(number, text))

    def _told(self, message):
        if isinstance(message, Shown):
            self.seen.append(message.text)
        return isinstance(message, Shown)


def play(scene):
    async def run():
        board = Board()
        port = await board.open()
        try:
            async with asyncio.timeout(20):
                await scene(board, port)
        finally:
            await board.close()

    asyncio.run(run())


async def until(condition):
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def test_all_lines_are_told_when_something_is_due_and_what_a_client_had_goes_with_it():
    async def scene(board, port):
        readers = [Reader(), Reader()]
        for reader in readers:
            await reader.connect(port)
        await until(lambda: len(board._lines) == 2)
        readers[0].hang(1, "a")
        readers[1].hang(1, "b")
        await until(lambda: [sorted(reader.seen) for reader in readers] == [["a", "b"]] * 2)
        readers[0].close()
        await until(lambda: set(board.hanging) == {"b"})
        assert readers[1].connected

    play(scene)


def test_who_says_what_only_a_hub_says_is_cut_off_and_told_why_the_line_ended(caplog):
    async def scene(board, port):
        lost = []
        reader = Reader(lost.append)
        await reader.connect(port)
        reader._tell(Shown("I am the hub"))
        await until(lambda: lost)
        assert not reader.connected
        with pytest.raises(LinkError, match="the board is not there"):
            reader.hang(1, "late")

    play(scene)
    assert "is cut off" in caplog.text


def test_a_port_that_is_taken_is_named_and_a_closed_hub_frees_it():
    async def scene(board, port):
        with pytest.raises(ConfigError, match=str(port)):
            await Board().open(port=port)
        await board.close()
        again = Board()
        assert await again.open(port=port) == port
        await again.close()

    play(scene)
