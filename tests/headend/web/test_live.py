"""Live events for pages."""

import asyncio
import contextlib
import json

from meterway.headend.api import Views
from meterway.headend.live import Happening
from meterway.headend.traffic import InterfaceTraffic
from meterway.headend.web.live import messages, totals


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


async def first(head_end, event, **given):
    async with contextlib.aclosing(messages(head_end, Views(head_end), asyncio.Event(), tick_s=0.001, **given)) as told:
        return await anext(message async for message in told if message.event == event)


def test_a_page_is_told_what_happened_since_it_was_made_and_of_many_the_last(head_end):
    for number in range(60):
        head_end.live.tell(happening(number))
    message = asyncio.run(first(head_end, "happenings", after=57))
    assert [row["serial"] for row in json.loads(message.data)["rows"]] == ["M57", "M58", "M59"]
    assert message.id == "60"
    message = asyncio.run(first(head_end, "happenings", after=0))
    assert json.loads(message.data)["rows"][-1]["serial"] == "M59"
    assert len(json.loads(message.data)["rows"]) < 60


def test_messages_tell_totals_and_happenings_until_the_end(head_end):
    head_end.live.tell(happening(6))

    async def run():
        ending, told = asyncio.Event(), []
        async for message in messages(head_end, Views(head_end), ending, tick_s=0.001):
            told.append(message)
            if message.event == "totals":
                head_end.live.tell(happening(7))
            if message.event == "happenings":
                ending.set()
        return told

    told = asyncio.run(run())
    assert json.loads(told[0].data)["contacts"] == 0
    assert [row["serial"] for row in json.loads(told[-1].data)["rows"]] == ["M7"]


def test_a_silent_head_end_gives_a_sign_of_life(head_end):
    async def run():
        stream = messages(head_end, Views(head_end), asyncio.Event(), tick_s=0.001)
        await anext(stream)
        message = await anext(stream)
        await stream.aclose()
        return message

    assert asyncio.run(run()).comment
