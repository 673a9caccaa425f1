import asyncio

from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.stacks.mbus.wireless.modes import MODES
from meterway.town.configurations.frames import FrameCount


def test_what_is_said_on_the_air_is_counted() -> None:
    async def live() -> None:
        hub, air, count = RadioHub(MODES), RadioClient(), FrameCount()
        assert count.carried() == []
        port = await hub.open()
        try:
            await count.start(port, 1)
            await air.connect(port)
            air.join(Station(name="1", place=(0.0, 0.0, 0.0), hears=frozenset())).send(bytes(range(12)), mode="T1")
            async with asyncio.timeout(5):
                while not count.frames:  # noqa: ASYNC110  what is waited for has no event
                    await asyncio.sleep(0.01)
            (row,) = count.carried()
            assert (row.label, row.entities, row.sessions, row.octets) == ("M", 1, 1, 12)
        finally:
            count.stop()
            air.close()
            await hub.close()

    asyncio.run(live())
