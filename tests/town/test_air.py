"""Who listens to the air counts every frame once, with those before."""

from __future__ import annotations

import asyncio

import pytest

from meterway.headend.overheard import Overheard
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.stacks.mbus.wireless.modes import MODES
from meterway.town.air import AirWatch
from town.towns import until


@pytest.mark.covers("IF-M")
def test_frames_and_octets_on_the_air_are_counted() -> None:
    async def live() -> None:
        hub, client, overheard = RadioHub(MODES), RadioClient(), Overheard()
        watch = AirWatch(overheard)
        port = await hub.open()
        await client.connect(port)
        sender = client.join(Station(name="meter", place=(0.0, 0.0, 0.0)))
        sender.send(bytes(20), mode="T1")
        await until(lambda: hub.figures().sent == 1 and hub.air.next_due() is None)
        await watch.start(port, 3)
        await until(lambda: watch.traffic()[0].sessions == 1)
        sender.send(bytes(30), mode="T1")
        await until(lambda: watch.frames == 1)
        (row,) = watch.traffic()
        assert (row.label, row.entities, row.sessions, row.octets) == ("M", 3, 2, 30)
        (frame,) = overheard.latest(10)
        assert (frame.interface, frame.station, frame.mode, frame.octets) == ("M", "meter", "T1", bytes(30))
        watch.stop()
        client.close()
        await hub.close()

    asyncio.run(live())


def test_who_never_began_to_watch_may_stop() -> None:
    watch = AirWatch(Overheard())
    watch.stop()
    assert watch.frames == 0
