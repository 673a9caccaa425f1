"""A load controller, a concentrator and a head end meet on sockets: commands end to end, orders by broadcast."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from home_loads import home_config
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig, WebConfig
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.groups import Group, OrderWanted, keep
from meterway.headend.serve import HeadEnd
from meterway.home.api import HomeNodes
from meterway.mapping.home import LOAD_ORDER, RELAY_ALL
from meterway.nnap.api import Nnap, NodeConfig
from meterway.store.devices import GATEWAY, NewDevice
from nnap_network import BROADCAST_KEYS, PARTY, LoopCarrier, nnap_config, until
from stacks.neighbourhood.toy_station import ToyStation

pytestmark = pytest.mark.covers("IF-H3", "F5b", "F5c", "F5e", "UC-DR-02", "UC-DR-05")

STATE = Command(obis=RELAY_ALL, class_id=70, attribute="output_state")
SECRET = bytes.fromhex(PARTY.secret)


def head_end(path: Path) -> HeadEnd:
    return HeadEnd(
        HeadEndConfig(
            store=str(path / "head.sqlite"), master_key=str(path / "head.key"), push=PushConfig(enabled=False),
            collect=CollectConfig(enabled=False, history_days=2), web=WebConfig(port=0),
        )
    )  # fmt: skip


def register(head: HeadEnd, port: int, homes: HomeNodes) -> None:
    keys = keys_behind(SECRET, "operator", "NNAP0001", "NNAP0001") | {
        MASTER: SECRET, "gbek": BROADCAST_KEYS.encryption, "gbak": BROADCAST_KEYS.authentication,
    }  # fmt: skip
    nnap = NewDevice(
        serial="NNAP0001", utility=GATEWAY, profile="nnap", host="127.0.0.1", port=port,
        keys=head.vault.seal_all("NNAP0001", keys),
    )  # fmt: skip
    head.store.devices.add(nnap, now_ms=1)
    for serial, device in homes.devices.items():
        own = {"guek": device.keys.guek, "gak": device.keys.gak}
        sealed = head.vault.seal_all(serial, own)
        given = NewDevice(serial=serial, profile="home", host="127.0.0.1", port=port, keys=sealed)
        head.store.devices.add(given, now_ms=1)


async def order(head: HeadEnd, wanted: OrderWanted) -> tuple[str, int, int]:
    begun = await head.orders.begin("loads", wanted, actor="t")
    await until(lambda: head.orders.report(begun.id).state not in ("waiting", "running"), 60.0)
    (part,) = head.orders.report(begun.id).parts
    return part.way, part.sampled, part.confirmed


def test_a_head_end_commands_loads_by_themselves_and_by_broadcast(tmp_path: Path) -> None:
    async def work(head: HeadEnd, homes: HomeNodes) -> None:
        await head.collect_now("NNAP0001")
        answered = await head.set(
            "H1", Command(obis=LOAD_ORDER, class_id=1, attribute="value", value=[7, 0, 0, 0, 2, 0, 0, 0]), actor="t"
        )
        assert answered.refusal == ""
        assert (await head.read("H1", STATE, actor="t")).value is False
        assert (await head.read("H1", Command(obis=Obis(1, 0, 1, 7, 0)), actor="t")).value == 0
        assert (await head.read("H2", STATE, actor="t")).value is True
        await until(lambda: homes.devices["H1"].closed == [True, True])
        keep(head.store, Group(name="loads", profile="home"))
        wanted = OrderWanted(kind="load-off", value={"duration_s": 600, "offset_s": 2}, settle_s=2.5)
        assert await order(head, wanted) == ("broadcast", 2, 2)
        assert await order(head, OrderWanted(kind="load-on")) == ("broadcast", 2, 2)
        for device in homes.devices.values():
            device.agree(consent=False, now=time.time())
        assert await order(head, OrderWanted(kind="load-off")) == ("broadcast", 2, 0)
        emergency = OrderWanted(kind="load-off", value={"duration_s": 600, "emergency": True})
        assert await order(head, emergency) == ("broadcast", 2, 2)

    async def live() -> None:
        carrier = LoopCarrier()
        homes = HomeNodes(carrier, ToyStation)
        configs = [home_config(serial, offset_s=0) for serial in ("H1", "H2")]
        for config in configs:
            config.keys.gbek, config.keys.gbak = BROADCAST_KEYS.encryption, BROADCAST_KEYS.authentication
            homes.add(config)
        listed = tuple(
            NodeConfig(eui=one.title.hex(), serial=one.serial, role="home", profile="home") for one in configs
        )
        nnap = Nnap(
            nnap_config(tmp_path, nodes=listed),
            port=carrier.join(0, 0),
            station=lambda eui, admit: ToyStation(eui, admit=admit),
        )
        await nnap.start()
        for number, config in enumerate(configs, 1):
            homes.place(config.serial, lambda number=number: carrier.join(number))  # type: ignore[misc]
        head = head_end(tmp_path)
        register(head, nnap.port, homes)
        await head.start()
        try:
            await until(lambda: all(node.is_member for node in homes.nodes.values()))
            await work(head, homes)
        finally:
            await head.stop()
            await nnap.stop()
            homes.close()

    asyncio.run(live())
