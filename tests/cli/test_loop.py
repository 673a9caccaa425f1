import asyncio
import os
import signal

import pytest

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


def test_work_that_waits_for_nothing_of_the_kind_is_cancelled_by_sigterm_and_tidies_up():
    tidied = []

    async def work():
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            tidied.append(True)

    with pytest.raises(SystemExit) as ended:
        run(work())
    assert ended.value.code == 128 + signal.SIGTERM
    assert tidied
