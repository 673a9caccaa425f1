"""Happenings."""

import asyncio

from meterway.headend.live import Happening, Live


def happening(text: str) -> Happening:
    return Happening("collected", "M1", text, 1.0, {})


def test_a_listener_hears_what_happens_from_now_on() -> None:
    async def work() -> None:
        live = Live()
        live.tell(happening("before"))
        heard = live.listen()
        waiting = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0)
        live.tell(happening("after"))
        assert (await waiting).text == "after"
        await heard.aclose()  # type: ignore[attr-defined]
        live.tell(happening("nobody listens"))
        assert live.counts["collected"] == 3
        assert [each.text for each in live.recent] == ["before", "after", "nobody listens"]

    asyncio.run(work())


def test_a_listener_that_does_not_keep_up_loses_the_oldest() -> None:
    async def work() -> None:
        live = Live()
        heard = live.listen()
        waiting = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0)
        for number in range(1000):
            live.tell(happening(str(number)))
        await waiting
        assert int((await anext(heard)).text) > 700

    asyncio.run(work())
