"""What upper floors may ask: meters as they stand, orders, the rows of a registry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from lnap_town import NOON, Air, RadioMeter, listed, settings
from meterway.base.errors import ConfigError
from meterway.lnap.api import Lnap, accept, meters, order_valve, registry_rows, registry_rows_of, rotate_key, serve_lnap
from meterway.mapping.profile import load_profile
from meterway.stacks.mbus.telegram import decode


def serving(tmp_path: Path, work: Callable[[Lnap, Air], None], *given: RadioMeter) -> None:
    async def run() -> None:
        config = settings(tmp_path, meters=tuple(listed(one, n) for n, one in enumerate(given, 1)))
        async with serve_lnap(config, unix=lambda: NOON + 30) as lnap:
            air = Air()
            lnap.attach(air)
            work(lnap, air)

    asyncio.run(run())


@pytest.mark.covers("E-LNAP", "F1a")
def test_meters_are_shown_with_the_age_of_their_values(tmp_path: Path) -> None:
    meter = RadioMeter()

    def work(lnap: Lnap, air: Air) -> None:
        air.say(meter.telegram(1.5), NOON)
        (row,) = meters(lnap)
        assert (row.channel, row.address, row.medium, row.telegrams) == (1, str(meter.address), "gas", 1)
        (value,) = row.values
        assert (value.value, value.unit, value.age_s, value.quality) == (1.5, "m³", 30, 0)
        order_valve(lnap, 1, connect=False)
        assert meters(lnap)[0].orders == 1

    serving(tmp_path, work, meter)


@pytest.mark.covers("SEC-05", "IF-M")
def test_a_key_is_rotated_while_the_meter_sleeps(tmp_path: Path) -> None:
    meter = RadioMeter()
    fresh = b"f" * 16

    def work(lnap: Lnap, air: Air) -> None:
        air.say(meter.telegram(1), NOON)
        rotate_key(lnap, 1, fresh)
        air.say(meter.telegram(2), NOON + 10)
        octets, _, _ = air.sent.pop()
        (record,) = decode(octets, keys=[meter.key], allow_plain=False).records
        assert record.head.vif == "FD19"
        meter.key = fresh
        air.say(meter.telegram(2, control=0x08), NOON + 11)
        assert lnap.gateway.channel(1).keys == (fresh,)
        assert meters(lnap)[0].orders == 0

    serving(tmp_path, work, meter)


@pytest.mark.covers("UC-IN-01")
def test_a_proposal_is_accepted_by_its_name(tmp_path: Path) -> None:
    meter = RadioMeter(control=0x46)

    def work(lnap: Lnap, air: Air) -> None:
        lnap.gateway.install(NOON + 600, NOON)
        air.say(meter.telegram(1), NOON)
        assert accept(lnap, str(meter.address), key=meter.key) == 1
        air.say(meter.telegram(1), NOON + 1)
        assert meters(lnap)[0].telegrams == 1
        with pytest.raises(ConfigError):
            accept(lnap, str(meter.address), key=meter.key)

    serving(tmp_path, work)


def test_every_row_of_a_registry_has_a_profile_and_keys_of_its_own(tmp_path: Path) -> None:
    kinds = [RadioMeter(kind=kind, ident=f"1000000{kind}") for kind in (2, 3, 4, 6, 7, 8)]

    def work(lnap: Lnap, air: Air) -> None:
        rows = registry_rows(lnap, "operator")
        assert len({row["guek"] for row in rows}) == len({row["system_title"] for row in rows}) == 7
        assert [row["sap"] for row in rows] == [str(number) for number in range(1, 8)]
        assert registry_rows_of(lnap.config, "operator") == [{**row, "port": "0"} for row in rows]
        for row in rows:
            load_profile(row["profile"])
        with pytest.raises(ConfigError, match="nobody"):
            registry_rows(lnap, "nobody")
        lnap.ports.clear()
        with pytest.raises(ConfigError, match="no port"):
            registry_rows(lnap, "operator")

    serving(tmp_path, work, *kinds)
