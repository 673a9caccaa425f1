"""Concentrators behind one another (N) and a head end: the lower one is a node of the upper one's network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from meterway.headend.api import Views
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.serve import HeadEnd
from meterway.nnap.api import Nnap, NodeConfig
from meterway.nnap.cascade import Uplink
from meterway.store.devices import GATEWAY, NewDevice
from nnap_network import PARTY, LoopCarrier, nnap_config, street, until
from pairs.test_interface_g2 import ENERGY, head_end
from stacks.neighbourhood.toy_station import ToyStation

pytestmark = pytest.mark.covers("IF-N", "IF-G2", "IF-C", "E-NNAP", "P8")

SECRET = bytes.fromhex(PARTY.secret)
LOWER, UPPER = "NNAP0001", "NNAP0009"
EUI = b"CASCADED"


def register(head: HeadEnd, port: int, meter: Any) -> None:
    """Both concentrators and the meter with their keys; only the upper one's place is known."""
    for serial in (UPPER, LOWER):
        keys = keys_behind(SECRET, "operator", serial, serial) | {MASTER: SECRET}
        place = {"host": "127.0.0.1", "port": port} if serial == UPPER else {}
        sealed = head.vault.seal_all(serial, keys)
        head.store.devices.add(
            NewDevice(serial=serial, utility=GATEWAY, profile="nnap", keys=sealed, **place),  # type: ignore[arg-type]
            now_ms=1,
        )
    keys = {"guek": meter.keys.guek, "gak": meter.keys.gak}
    sealed = head.vault.seal_all(meter.serial, keys)
    head.store.devices.add(NewDevice(serial=meter.serial, profile="idis", keys=sealed), now_ms=1)


def test_a_head_end_reads_a_meter_behind_the_second_concentrator_over_both_networks(tmp_path: Path) -> None:
    async def live() -> None:
        (tmp_path / "below").mkdir()
        (tmp_path / "above").mkdir()
        async with street(tmp_path / "below", meters=1) as (below, nodes):
            carrier = LoopCarrier()
            listed = NodeConfig(eui=EUI.hex(), serial=LOWER, title=below.site.title(0).hex(), role="nnap")
            config = nnap_config(tmp_path / "above", nodes=(listed,), serial=UPPER)
            above = Nnap(config, port=carrier.join(0, 0), station=lambda eui, admit: ToyStation(eui, admit=admit))
            await above.start()
            below.attach_uplink(Uplink(ToyStation(EUI), carrier.join(5), carrier, below._device, below.carry))
            head = head_end(tmp_path)
            register(head, above.port, nodes[0].meter.config)
            await head.start()
            try:
                await until(lambda: above.device.station.members and below.ledger.roll.by_serial("M00001").turn.read_s)
                async with asyncio.timeout(60):
                    for serial in (UPPER, LOWER):
                        while (await head.collect_now(serial))["cause"] != "ok":  # noqa: ASYNC110  the next try is the event
                            await asyncio.sleep(0.1)
                    while (await head.collect_now("M00001"))["cause"] != "ok":
                        await head.collect_now(LOWER)
                answered = await head.read("M00001", ENERGY, actor="t")
                truth = nodes[0].meter.energy_slots(int(below.now()) // 900, 1)[0, 0]
                assert abs(int(answered.value) - int(truth)) < 2000
                chain = [step.serial for step in Views(head).meter("M00001").chain]
                assert chain == [UPPER, LOWER, "M00001"]
                assert above.device.carried > 0
            finally:
                await head.stop()
                await above.stop()

    asyncio.run(live())
