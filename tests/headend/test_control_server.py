import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from meterway.base.errors import ConfigError, LinkError
from meterway.headend.commands import Answered
from meterway.headend.control import Request, ask, socket_path
from meterway.headend.control_server import ControlSocket, perform


class HeadEnd:
    """Answers as a head end would, and remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.config = SimpleNamespace(store_url=url)
        self.asked: list[tuple[str, str, Any, str]] = []

    async def read(self, serial, command, *, actor):
        self.asked.append(("read", serial, command, actor))
        if serial == "gone":
            raise LinkError("nobody there")
        return Answered(obis=command.obis, class_id=3, attribute="value", value=5, unit="Wh")

    async def collect_now(self, serial):
        return {"cause": "timeout", "error": "no answer", "values": 0}


@pytest.fixture
def head_end(tmp_path):
    return HeadEnd(f"sqlite:///{tmp_path / 's.sqlite'}")


def over_the_socket(head_end, *requests):
    async def talk():
        socket = ControlSocket(head_end)
        await socket.start()
        try:
            path = socket_path(head_end.config.store_url)
            assert path.stat().st_mode & 0o077 == 0
            return [await ask(path, request) for request in requests]
        finally:
            await socket.stop()

    return asyncio.run(talk())


@pytest.mark.covers("UC-BI-02", "E-HES-3")
def test_a_command_reaches_the_head_end_with_who_asked(head_end):
    (answer,) = over_the_socket(head_end, Request(action="read", serial="M1", obis="1.8.0", actor="ann"))
    assert answer["value"] == 5
    assert answer["serial"] == "M1"
    assert head_end.asked[0][:2] == ("read", "M1")
    assert head_end.asked[0][3] == "ann"


def test_what_goes_wrong_is_an_answer_not_a_lost_line(head_end):
    answers = over_the_socket(
        head_end,
        Request(action="read", serial="gone", obis="1.8.0"),
        Request(action="read", serial="M1", obis="no-such-name"),
        Request(action="dance", serial="M1"),
    )
    assert [answer["ok"] for answer in answers] == [False, False, False]
    assert answers[0]["error"]["message"] == "nobody there"
    assert answers[1]["error"]["kind"] == "usage"
    assert "read, set, act" in answers[2]["error"]["message"]


def test_a_collection_that_failed_says_so(head_end):
    answer = asyncio.run(perform(head_end, Request(action="collect", serial="M1")))
    assert answer == {"ok": False, "cause": "timeout", "error": "no answer", "values": 0}


def test_octets_that_are_no_request_are_answered(head_end):
    async def talk():
        socket = ControlSocket(head_end)
        await socket.start()
        reader, writer = await asyncio.open_unix_connection(socket_path(head_end.config.store_url))
        writer.write(b"nonsense\n")
        answer = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        await socket.stop()
        return answer

    assert asyncio.run(talk())["error"]["kind"] == "request"


def test_two_head_ends_on_one_store_are_refused_and_a_dead_socket_is_taken_over(head_end):
    async def both():
        first, second = ControlSocket(head_end), ControlSocket(head_end)
        path = socket_path(head_end.config.store_url)
        path.touch()
        await first.start()
        with pytest.raises(ConfigError, match="already runs"):
            await second.start()
        await second.stop()
        assert path.exists()
        await first.stop()
        assert not path.exists()

    asyncio.run(both())
