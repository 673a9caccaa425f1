import asyncio
import os
import signal

from meterway.cli.loop import run, until_ended


def test_a_coroutine_runs_to_its_end_and_gives_its_value():
    async def work():
        await asyncio.sleep(0)
        return 7

    assert run(work()) == 7


def test_sigterm_ends_in_order():
    async def work():
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        await until_ended()
        return "ended"

    assert run(work()) == "ended"
