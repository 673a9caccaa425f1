"""A concentrator on the simulated air: it hears, and is heard again after the hub was away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lnap_town import NOON, RadioMeter
from meterway.interfaces.mbus.settings import RadioConfig
from meterway.links.medium.air import Station
from meterway.links.medium.client import RadioClient
from meterway.links.medium.hub import RadioHub
from meterway.mapping.neighbourhood import HEARD_SAP
from meterway.nnap.hearing import collector_of, receptions
from meterway.nnap.serve import Nnap
from meterway.stacks.mbus.wireless.modes import MODES
from nnap_network import Caller, until
from nnap_radio import PARTY, Mast, settings

pytestmark = pytest.mark.covers("E-NNAP", "IF-C")


def test_nothing_is_made_where_nothing_is_to_be_heard(tmp_path: Path) -> None:
    mast = Mast(settings(tmp_path, RadioMeter()))
    bare = settings(tmp_path, collector=None)
    assert collector_of(bare, mast.nnap.site, mast.nnap.ledger.vault, lambda: NOON) is None
    assert list(receptions(bare, mast.collector, lambda: NOON)) == []
    mast.kill()


def test_a_meter_on_the_air_in_mode_n_is_read_through_the_concentrator(tmp_path: Path) -> None:
    asyncio.run(_heard_on_the_air(tmp_path))


async def _heard_on_the_air(tmp_path: Path) -> None:
    hub, meter = RadioHub(MODES), RadioMeter()
    port = await hub.open()
    radio = RadioConfig(port=port, station="mast", place=(0.0, 0.0, 2.0), retry_s=0.1)
    nnap = Nnap(settings(tmp_path, meter, radios=(radio,)))
    await nnap.start()
    speaker = RadioClient()
    await speaker.connect(port)
    voice = speaker.join(Station(name="gas", place=(400.0, 0.0, 0.0), hears=frozenset(("N1a",))))
    try:
        assert nnap.collector is not None
        await until(lambda: nnap.collector.places.airings)
        voice.send(meter.telegram(7.5), mode="N1a")
        await until(lambda: nnap.collector.gateway.mirror.of(1))
        name = str(meter.address)
        async with Caller(nnap.port, server=HEARD_SAP + 1, party=PARTY, name=name) as caller:
            answer = await caller.get(3, "7-0:3.0.0")
        assert int.from_bytes(answer[-4:], "big") == 7500
        assert nnap.collector.gateway.channels[1].mode == "N1a"
    finally:
        speaker.close()
        await nnap.stop()
        await hub.close()
