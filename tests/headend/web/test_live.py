"""Live events for pages."""

import asyncio
import json

from meterway.headend.api import Views
from meterway.headend.live import Happening
from meterway.headend.traffic import InterfaceTraffic
from meterway.headend.web.live import Gathering, messages, totals


def happening(number):
    return Happening("collected", f"M{number}", "24 values", 0.0, {})


def test_totals_hold_every_source_of_traffic(head_end):
    head_end.extra_traffic.append(
        lambda: [InterfaceTraffic(label="H1", between="meter – display", entities=4, sessions=4, octets=99)]
    )
    head_end.collector.progress.causes.update({"ok": 3, "timeout": 2})
    told = totals(head_end, Views(head_end))
    assert told["failed"] == 2
    assert [(row["label"], row["octets"]) for row in told["traffic"]] == [("I", 0), ("H1", 99)]


def test_of_many_happenings_the_last_are_kept_and_all_are_counted(head_end):
    async def run():
        async with Gathering(head_end.live) as fresh:
            for number in range(60):
                head_end.live.tell(happening(number))
                await asyncio.sleep(0)
            taken, count = fresh.take()
            assert count == 60
            assert taken[-1].serial == "M59"
            assert len(taken) < 60
            assert fresh.take() == ([], 0)
        assert not head_end.live._listeners

    asyncio.run(run())


def test_messages_tell_totals_and_happenings_until_the_end(head_end):
    async def run():
        ending, told = asyncio.Event(), []
        async for message in messages(head_end, Views(head_end), ending, tick_s=0.001):
            told.append(message)
            if message.event == "totals":
                head_end.live.tell(happening(7))
            if message.event == "happenings":
                ending.set()
        assert not head_end.live._listeners
        return told

    told = asyncio.run(run())
    assert json.loads(told[0].data)["contacts"] == 0
    assert json.loads(told[-1].data)["rows"][0]["serial"] == "M7"


def test_a_silent_head_end_gives_a_sign_of_life(head_end):
    async def run():
        stream = messages(head_end, Views(head_end), asyncio.Event(), tick_s=0.001)
        await anext(stream)
        message = await anext(stream)
        await stream.aclose()
        return message

    assert asyncio.run(run()).comment
