"""A head end and gateways meet: it finds the meters behind them by itself, couples, decouples and gives new keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from lnap_town import SECRET, Air, RadioMeter, listed, settings
from meterway.base.errors import ConfigError, MeterwayError
from meterway.base.obis import Obis
from meterway.headend.api import Views
from meterway.headend.commands import Command
from meterway.headend.config import CollectConfig, HeadEndConfig
from meterway.headend.config import PushConfig as HeadEndPush
from meterway.headend.serve import HeadEnd
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.keys import PartyKeys, fingerprint
from meterway.lnap.api import Lnap, registry_rows, serve_lnap
from meterway.store.devices import GATEWAY, NewDevice

GAS = Obis(7, 0, 3, 0, 0)
Work = Callable[[HeadEnd, list[Lnap], list[Air]], Coroutine[Any, Any, None]]


def meet(tmp_path: Path, work: Work, *homes: tuple[RadioMeter, ...]) -> None:
    """Run ``work`` with a gateway for each home, its meters heard, and a head end that knows the gateways alone."""

    async def live() -> None:
        async with AsyncExitStack() as stack:
            lnaps, airs = [], []
            for number, meters in enumerate(homes, 1):
                folder = tmp_path / str(number)
                folder.mkdir()
                white = tuple(listed(meter, channel) for channel, meter in enumerate(meters, 1))
                config = settings(folder, serial=f"LNAP000{number}", meters=white)
                lnaps.append(await stack.enter_async_context(serve_lnap(config)))
                airs.append(Air())
                lnaps[-1].attach(airs[-1])
                for meter in meters:
                    airs[-1].say(meter.telegram(12.5), time.time())
            head = _head_end(tmp_path, lnaps)
            await head.start()
            stack.push_async_callback(head.stop)
            await work(head, lnaps, airs)

    asyncio.run(live())


def _head_end(tmp_path: Path, lnaps: list[Lnap]) -> HeadEnd:
    head = HeadEnd(
        HeadEndConfig(
            store=str(tmp_path / "store.sqlite"),
            master_key=str(tmp_path / "master.key"),
            push=HeadEndPush(enabled=False),
            collect=CollectConfig(enabled=False, history_days=2, response_timeout_s=5.0),
        )
    )
    for lnap in lnaps:
        (row,) = registry_rows(lnap, "operator", channels=(0,))
        keys = {"guek": bytes.fromhex(row["guek"]), "gak": bytes.fromhex(row["gak"]), "master": bytes.fromhex(SECRET)}
        head.store.devices.add(
            NewDevice(
                serial=row["serial"],
                utility=GATEWAY,
                profile="lnap",
                host=row["host"],
                port=int(row["port"]),
                keys=head.vault.seal_all(row["serial"], keys),
            ),
            now_ms=1,
        )
    return head


@pytest.mark.covers("IF-G1", "E-LNAP", "E-HES-2", "UC-BI-01", "F1a")
def test_a_head_end_finds_the_meters_behind_a_gateway_and_reads_them(tmp_path: Path) -> None:
    gas, water = RadioMeter(), RadioMeter(kind=7, ident="10000002")

    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        assert (await head.collect_now("LNAP0001"))["cause"] == "ok"
        for meter, utility in ((gas, "gas"), (water, "water")):
            device = head.store.devices.by_serial(str(meter.address))
            assert (device.utility, device.state) == (utility, "registered")
            assert (await head.collect_now(device.serial))["cause"] == "ok"
            kept = {reading.obis: reading for reading in head.store.readings.latest(device.id)}
            register = GAS if utility == "gas" else Obis(8, 0, 1, 0, 0)
            assert (kept[register].value, kept[register].scaler) == (12_500, -3)
        views = Views(head)
        page = views.meter("LNAP0001")
        assert [row.serial for row in page.behind] == [str(gas.address), str(water.address)]
        assert views.meter(str(gas.address)).row.parent == "LNAP0001"
        rows = {row.label: row for row in views.traffic()}
        assert (rows["I"].sessions, rows["G1"].sessions, rows["G1"].entities) == (0, 3, 1)
        assert rows["I"].octets == 0 < rows["G1"].octets
        assert "coupled to LNAP0001 as channel 1" in [event.title for event in views.events()]

    meet(tmp_path, work, (gas, water))


@pytest.mark.covers("IF-G1", "E-LNAP", "UC-BI-01")
def test_a_meter_that_moves_house_is_read_on_under_the_same_id(tmp_path: Path) -> None:
    gas = RadioMeter()

    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        serial = str(gas.address)
        await head.collect_now("LNAP0001")
        assert (await head.collect_now(serial))["cause"] == "ok"
        before = head.store.devices.by_serial(serial)
        assert (await head.decouple(serial, actor="test")).refusal == ""
        assert head.store.devices.get(before.id).state == "decoupled"
        with pytest.raises(ConfigError, match="behind no gateway"):
            await head.decouple(serial, actor="test")
        done = await head.couple("LNAP0002", 3, address=serial, key=gas.key, actor="test")
        assert done.refusal == ""
        airs[1].say(gas.telegram(99), time.time())
        assert (await head.collect_now(serial))["cause"] == "ok"
        after = head.store.devices.by_serial(serial)
        assert after.id == before.id
        assert after.parent == head.store.devices.by_serial("LNAP0002").id
        rows = head.store.readings.read_range(after.id, GAS, 0, int(time.time() * 1000) + 1)
        assert [row.value for row in rows] == [12_500, 99_000]
        said = [(entry.action, entry.result) for entry in head.store.audit.recent(limit=10)][::-1]
        assert said == [("decouple", "asked"), ("decouple", "ok"), ("couple", "asked"), ("couple", "ok")]

    meet(tmp_path, work, (gas,), ())


@pytest.mark.covers("SEC-05", "IF-G1", "IF-M")
def test_a_new_key_reaches_the_gateway_and_waits_for_the_meter_and_no_log_repeats_it(tmp_path: Path) -> None:
    gas, new = RadioMeter(), bytes(range(50, 66))

    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        serial = str(gas.address)
        await head.collect_now("LNAP0001")
        done = await head.transfer_key(serial, new=new, present=gas.key, actor="test")
        assert done.refusal == ""
        assert new in lnaps[0].gateway.channels[1].keys
        assert [order.kind for order in lnaps[0].gateway.mailbox.waiting(1)] == ["key"]
        assert head.topology.own_key(serial) == new
        gas.key = new
        airs[0].say(gas.telegram(13), time.time())
        assert lnaps[0].gateway.mirror.get(1, GAS).raw == 13_000  # type: ignore[union-attr]
        log = " ".join(entry.detail for entry in head.store.audit.recent(limit=10))
        assert new.hex() not in log

    meet(tmp_path, work, (gas,))


@pytest.mark.covers("SEC-04")
def test_a_key_written_through_any_command_stays_out_of_the_audit_log(tmp_path: Path) -> None:
    gas = RadioMeter()

    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        command = Command(obis=Obis(0, 1, 24, 1, 0), class_id=72, method="set_encryption_key", value="secret-of-16-oct")
        await head.act("LNAP0001", command, actor="test")
        assert "secret" not in " ".join(entry.detail for entry in head.store.audit.recent(limit=5))

    meet(tmp_path, work, (gas,))


@pytest.mark.covers("IF-G1", "SEC-05", "E-LNAP", "E-HES-2")
@pytest.mark.parametrize("behind", [False, True])
def test_the_keys_of_an_association_are_changed_and_outlive_the_gateway(tmp_path: Path, behind: bool) -> None:
    gas = RadioMeter()

    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        await head.collect_now("LNAP0001")
        serial, channel = (str(gas.address), 1) if behind else ("LNAP0001", 0)
        site = lnaps[0].site
        before = site.keys(site.parties[0], channel)
        for _ in range(2):
            assert (await head.change_keys(serial, actor="test")).refusal == ""
            assert (await head.collect_now(serial))["cause"] == "ok"
        now = site.keys(site.parties[0], channel)
        device = head.store.devices.by_serial(serial)
        keys = head.vault.open_all(serial, device.keys)
        assert (keys["guek"], keys["gak"]) == (now.guek, now.gak)
        assert not set(now[:2]) & set(before[:2])
        assert not any(name.endswith("-next") for name in keys)
        assert site.ledger.party_keys().popitem()[1] == now
        assert Code.PARTY_KEY_CHANGED in [event.code for event in site.ledger.events(channel, 0, 1e12)]

    meet(tmp_path, work, (gas,))


@pytest.mark.covers("IF-G1", "SEC-05")
@pytest.mark.parametrize("reached", [False, True])
def test_a_change_that_was_cut_short_is_settled_whichever_keys_are_in_force(tmp_path: Path, reached: bool) -> None:
    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        site = lnaps[0].site
        party = site.parties[0]
        kek, fresh = head.keys.begin("LNAP0001")
        assert kek == site.keys(party, 0).kek
        if reached:  # the gateway took them, and its answer was lost
            site.transferred[fingerprint(site.keys(party, 0))] = PartyKeys(fresh["guek"], fresh["gak"], kek)
        assert head.keys.is_open("LNAP0001")
        assert (await head.change_keys("LNAP0001", actor="test")).refusal == ""
        assert not head.keys.is_open("LNAP0001")
        assert (await head.collect_now("LNAP0001"))["cause"] == "ok"
        assert site.keys(party, 0).guek != fresh["guek"]

    meet(tmp_path, work, ())


@pytest.mark.covers("IF-G1", "SEC-05")
def test_an_answer_that_is_lost_leaves_no_doubt_if_the_gateway_is_there_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(head: HeadEnd, lnaps: list[Lnap], airs: list[Air]) -> None:
        site, party = lnaps[0].site, lnaps[0].site.parties[0]
        transfer_keys = type(site).transfer_keys

        def cut(*given: Any) -> bool:
            done = transfer_keys(*given)
            for line in tuple(lnaps[0]._lines):
                line.abort()
            return done

        monkeypatch.setattr(type(site), "transfer_keys", cut)
        with pytest.raises(MeterwayError):
            await head.change_keys("LNAP0001", actor="test")
        monkeypatch.undo()
        assert not head.keys.is_open("LNAP0001")
        assert (await head.collect_now("LNAP0001"))["cause"] == "ok"
        keys = head.vault.open_all("LNAP0001", head.store.devices.by_serial("LNAP0001").keys)
        assert keys["guek"] == site.keys(party, 0).guek
        assert site.transferred

    meet(tmp_path, work, ())
