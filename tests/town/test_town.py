import asyncio
import urllib.request

import pytest

from meterway.base.errors import LinkError
from meterway.headend.control import Request, ask, socket_path
from meterway.town.plan import TownPlan
from meterway.town.town import Town


@pytest.mark.covers("IF-I", "IF-H1", "UC-BI-01", "UC-BI-02", "UC-CU-01", "E-HES-2", "F6a", "F6d", "P1", "P10")
def test_a_town_is_read_shown_and_commanded(tmp_path):
    async def live() -> None:
        town = Town(TownPlan(meters=6, displays=2), tmp_path)
        try:
            await town.start()
            await town.start_pages()
            seen: list[int] = []
            summary = await town.first_collection(lambda done, total, values: seen.append(done))
            assert (summary.meters, summary.read, summary.failures) == (6, 6, {})
            assert seen[-1] == 6
            page = await asyncio.to_thread(_fetch, town.page_address)
            assert "6" in page
            assert "Meterway" in page
            answer = await ask(socket_path(town.config.store_url), Request(action="read", serial="M0002", obis="1.8.0"))
            assert answer["ok"]
            assert answer["unit"] == "Wh"
            async with asyncio.timeout(20):
                for display in town.displays:
                    async for view in display.changes():
                        if view.telegrams:
                            break
        finally:
            await town.stop()

    asyncio.run(live())


def _fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as response:
        return response.read().decode()


def test_the_settings_file_of_a_town_is_one_that_commands_can_load(tmp_path):
    from meterway.headend.config import load_config

    async def make() -> None:
        town = Town(TownPlan(meters=1, displays=0), tmp_path)
        (tmp_path / "headend.toml").write_text(town.settings_file())
        loaded = load_config(tmp_path / "headend.toml")
        assert loaded.store == town.config.store
        assert loaded.title == town.config.title
        await town.stop()

    asyncio.run(make())


def test_a_process_of_the_town_that_is_killed_is_told_and_ends_the_first_collection(tmp_path):
    async def live() -> None:
        town = Town(TownPlan(meters=2, displays=0), tmp_path)
        try:
            await town.start()
            town.head_end.collector.progress.devices = set()  # as if nobody had been called yet
            town._children[0].process.kill()
            with pytest.raises(LinkError, match="street's process has ended"):
                town.streets = [*town.streets, *town.streets]  # and more were to come
                await town.first_collection()
            assert any("street's process" in one.text for one in town.head_end.live.recent)
        finally:
            await town.stop()

    asyncio.run(live())
