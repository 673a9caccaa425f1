"""What upper floors may ask of a concentrator."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from meterway.base.errors import ConfigError
from meterway.headend.registry import COLUMNS
from meterway.nnap import api
from meterway.nnap.events import Code
from meterway.nnap.store import Store
from nnap_network import PARTY, meter_config, nnap_config, street, until

pytestmark = pytest.mark.covers("E-NNAP")


def test_the_nodes_as_they_stand(tmp_path):
    async def work():
        async with street(tmp_path, meters=3) as (nnap, _):
            await until(lambda: all(node.turn.read_s for node in nnap.ledger.roll))
            views = api.nodes(nnap)
            assert [(view.serial, view.is_member, view.rows) for view in views] == [
                (f"M0000{number}", True, 96) for number in (1, 2, 3)
            ]

    asyncio.run(work())


@pytest.mark.covers("E-NNAP", "E-NNAP-3", "F2a")
def test_the_concentrator_judges_yesterday_by_itself_from_what_it_read(tmp_path):
    async def work():
        plan, balance = api.PlanConfig(every_s=3600.0, first_days=2.2), api.BalanceConfig(every_s=0.2)
        async with street(tmp_path, meters=3, plan=plan, balance=balance) as (nnap, nodes):
            nnap.ledger.roll.by_serial("M00003").role = "supervision"
            yesterday = int(nnap.now()) // 86400 * 86400 - 86400

            def whole():
                return [one for one in api.balances(nnap) if one.day == yesterday and one.complete == 96]

            await until(whole)
            (found,) = whole()
            slot = yesterday // 900
            spent = [node.meter.energy_slots(slot, 97) for node in nodes]
            brought = [[int(one[96, place] - one[0, place]) for place in (0, 1)] for one in spent]
            given = brought[2][0] + brought[0][1] + brought[1][1]
            taken = brought[2][1] + brought[0][0] + brought[1][0]
            assert (found.given, found.taken, found.missing) == (given, taken, ())

    asyncio.run(work())


@pytest.mark.covers("E-NNAP", "E-NNAP-9")
def test_a_standby_takes_the_network_over_with_the_copied_state(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()

    async def primary():
        async with street(tmp_path / "a") as (nnap, _):
            await until(lambda: all(node.turn.read_s for node in nnap.ledger.roll))
            nnap.save()
            api.copy_state(nnap.config, tmp_path / "b" / "nnap.sqlite")
            return nnap.device._counter.next

    async def standby():
        async with street(tmp_path / "b") as (nnap, _):
            assert [view.rows for view in api.nodes(nnap)] == [96, 96]
            await until(lambda: all(node.turn.next_s > nnap.now() for node in nnap.ledger.roll))
            assert Code.TAKEN_OVER in [event.code for event in nnap.store.events()]
            return nnap.device._counter.next

    used = asyncio.run(primary())
    (tmp_path / "b" / "nnap.key").write_text((tmp_path / "a" / "nnap.key").read_text())
    (tmp_path / "b" / "nnap.key").chmod(0o600)
    api.take_over(nnap_config(tmp_path / "b"))
    assert asyncio.run(standby()) > used


def test_state_is_copied_once_and_only_if_there_is_any(tmp_path):
    config = nnap_config(tmp_path)
    with pytest.raises(ConfigError, match="no state"):
        api.copy_state(config, tmp_path / "copy")
    Store(config.store).close()
    api.copy_state(config, tmp_path / "copy")
    with pytest.raises(ConfigError, match="already"):
        api.copy_state(config, tmp_path / "copy")
    assert Path(tmp_path / "copy").exists()


def test_the_rows_for_a_head_end(tmp_path):
    own, meter = api.registry_rows_of(nnap_config(tmp_path, [meter_config(1)]), "operator")
    assert list(own) == list(meter)
    assert (own["profile"], own["client"], own["secret"]) == ("nnap", "1", "0x" + PARTY.secret)
    assert len(bytes.fromhex(own["gbek"])) == 16
    assert meter["serial"] == "M00001"
    assert bytes.fromhex(meter["guek"]) == meter_config(1).keys.guek
    assert set(own) <= set(COLUMNS)
    with pytest.raises(ConfigError):
        api.registry_rows_of(nnap_config(tmp_path), "nobody")
    assert msgspec.structs.asdict(nnap_config(tmp_path))["serial"] == "NNAP0001"
