from __future__ import annotations

from pathlib import Path

from meterway.headend.config import CollectConfig, HeadEndConfig, PushConfig
from meterway.headend.gateway_keys import MASTER
from meterway.headend.serve import HeadEnd
from meterway.town.configurations.messages import Way
from meterway.town.configurations.registering import register

SECRET = bytes(range(32))


def head_end(folder: Path) -> HeadEnd:
    return HeadEnd(
        HeadEndConfig(
            store=str(folder / "store.sqlite"),
            master_key=str(folder / "key"),
            push=PushConfig(enabled=False),
            collect=CollectConfig(enabled=False),
        )
    )


def way(serial: str, **more: object) -> Way:
    given = {"head_end": "h", "part": "p", "system_title": "4d57590000000001", "utility": "electricity"}
    return Way(**{**given, "serial": serial, "profile": "idis", "port": 4059, **more})  # type: ignore[arg-type]


def test_a_gateway_counts_with_what_is_found_behind_it(tmp_path: Path) -> None:
    head = head_end(tmp_path)
    ways = [
        way("M1", transport="hdlc", physical=17),
        way("L1", utility="gateway", profile="lnap", party="operator", gateway="L1", finds=3),
    ]
    assert register(head, ways, SECRET) == 5
    meter, gateway = (head.store.devices.by_serial(serial) for serial in ("M1", "L1"))
    assert meter.flags == {"physical": 17, "address_size": 2}
    assert set(head.vault.open_all("M1", meter.keys)) == {"guek", "gak", "kek"}
    assert MASTER in head.vault.open_all("L1", gateway.keys)
    assert head.store.tasks.counts() == {"due": 2}
    head.store.close()


def test_meters_of_a_gateway_that_is_not_theirs_to_see_are_put_behind_it(tmp_path: Path) -> None:
    head = head_end(tmp_path)
    meter = way("G1", utility="gas", profile="mbus-gas", party="supplier", gateway="L1", sap=2, client=2)
    assert register(head, [meter], SECRET) == 1
    gateway = head.store.devices.by_serial("L1")
    assert head.store.devices.by_serial("G1").parent == gateway.id
    assert (gateway.keys, head.store.tasks.of_device(gateway.id)) == (None, [])
    head.store.close()
