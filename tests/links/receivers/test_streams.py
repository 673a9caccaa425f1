"""Files, pipes and programs as receivers: what is appended is heard, the end and its reason are told."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from meterway.base.errors import LinkError
from meterway.links.radio import Reception
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.port import ReceiverPort
from meterway.links.receivers.streams import open_file_receiver, open_program_receiver

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes of this kind")
BODY = "442D2C785634120107780C1378563412"
LINE = f"T1;1;1;2026-11-23 12:00:00.000;99;110;12345678;0x{len(BODY) // 2:02X}{BODY}\n"


def hearing(port: ReceiverPort) -> asyncio.Queue[Reception]:
    heard: asyncio.Queue[Reception] = asyncio.Queue()
    port.listen(heard.put_nowait)
    return heard


async def one(heard: asyncio.Queue[Reception]) -> Reception:
    async with asyncio.timeout(10):
        return await heard.get()


@pytest.mark.covers("IF-M")
def test_only_what_is_appended_to_a_file_is_heard_also_after_it_was_put_anew(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text(LINE)

    async def play() -> None:
        lost: asyncio.Queue[str] = asyncio.Queue()
        port = await open_file_receiver(LineCodec(), str(path), on_lost=lost.put_nowait, clock=lambda: 7.0)
        heard = hearing(port)
        with path.open("a") as file:
            file.write(LINE)
        assert (await one(heard)).time_s == 7.0
        assert heard.empty()
        (tmp_path / "next").write_text(LINE)
        (tmp_path / "next").replace(path)
        await one(heard)
        path.write_text("")
        await asyncio.sleep(0.5)
        path.write_text(LINE)
        await one(heard)
        path.unlink()
        async with asyncio.timeout(10):
            assert "cannot be read" in await lost.get()
        assert not port.connected

    asyncio.run(play())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="not-there"):
        asyncio.run(open_file_receiver(LineCodec(), str(tmp_path / "not-there")))
    with pytest.raises(LinkError, match="serial"):
        asyncio.run(open_file_receiver(LineCodec(), "/dev/null"))


@pytest.mark.covers("IF-M")
def test_a_program_is_heard_and_ends_with_the_port_and_all_it_started(tmp_path: Path) -> None:
    marker = tmp_path / "child"

    async def play() -> None:
        lost: asyncio.Queue[str] = asyncio.Queue()
        script = f"sleep 0.3; printf '%s' '{LINE}'; sleep 60 & echo $! > {marker}; wait"
        port = await open_program_receiver(LineCodec(), ("sh", "-c", script), on_lost=lost.put_nowait)
        await one(hearing(port))
        while not marker.exists() or not marker.read_text().strip():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        port.close()
        async with asyncio.timeout(10):
            assert "ended with status" in await lost.get()

    asyncio.run(play())
    child = Path(f"/proc/{marker.read_text().strip()}")
    for _ in range(100):
        if not child.exists() or "Z" in (child / "stat").read_text().split()[2]:
            break
        asyncio.run(asyncio.sleep(0.02))
    else:
        pytest.fail("the child outlived the port")


def test_a_program_that_is_not_there_is_named_and_one_that_fails_says_why() -> None:
    async def play() -> str:
        with pytest.raises(LinkError, match="no-such-program cannot be started"):
            await open_program_receiver(LineCodec(), ("no-such-program",))
        lost: asyncio.Queue[str] = asyncio.Queue()
        await open_program_receiver(
            LineCodec(), ("sh", "-c", "echo first >&2; echo last >&2; exit 4"), on_lost=lost.put_nowait
        )
        async with asyncio.timeout(10):
            return await lost.get()

    assert asyncio.run(play()) == "sh ended with status 4: last"
