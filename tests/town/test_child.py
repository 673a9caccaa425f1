"""A process that is asked by lines and ended by closing its input."""

import asyncio

import msgspec
import pytest

from meterway.base.errors import LinkError
from meterway.town import child as module
from meterway.town.child import Child

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
DEAF = "import time; time.sleep(60)"


class Order(msgspec.Struct):
    name: str


def played(code, play, monkeypatch):
    async def run():
        start = asyncio.create_subprocess_exec

        async def other(program, *_, **given):
            return await start(program, "-c", code, **given)

        monkeypatch.setattr(module.asyncio, "create_subprocess_exec", other)
        child = Child("echo")
        try:
            await child.start("echo")
            return await play(child)
        finally:
            await child.end(0.2)
            assert child.process.returncode is not None

    return asyncio.run(run())


def test_each_line_is_answered_by_its_own_however_many_ask_at_once(monkeypatch):
    async def play(child):
        return await asyncio.gather(*(child.ask(Order(str(number)), 10.0) for number in range(20)))

    assert played(ECHO, play, monkeypatch) == [b'{"name":"%d"}\n' % number for number in range(20)]


@pytest.mark.parametrize(("code", "reason"), [(DEAF, "within 0.2 s"), ("", "echo's process")])
def test_one_that_does_not_answer_or_has_ended_is_an_error_and_one_that_does_not_end_is_killed(
    code, reason, monkeypatch
):
    async def play(child):
        with pytest.raises(LinkError, match=reason):
            await child.ask(Order("x"), 0.2 if code else 10.0)

    played(code, play, monkeypatch)


def test_what_was_never_started_cannot_be_asked_and_ends_at_once():
    async def run():
        child = Child("echo")
        with pytest.raises(LinkError, match="there is no echo"):
            await child.ask(Order("x"), 1.0)
        await child.end(1.0)

    asyncio.run(run())
