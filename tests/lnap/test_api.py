"""What upper floors may ask: meters as they stand, orders, the rows of a registry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from lnap_town import NOON, Air, RadioMeter, listed, settings
from meterway.base.errors import ConfigError
from meterway.lnap.api import (
    Fate,
    Lnap,
    accept,
    meters,
    order_valve,
    profile_of,
    registry_rows,
    registry_rows_of,
    replay,
    rotate_key,
    serve_lnap,
)
from meterway.mapping.mbus_cosem import companion_of
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


@pytest.mark.covers("E-LNAP")
def test_a_gateway_that_lived_through_the_past_starts_with_its_readings(tmp_path: Path) -> None:
    meter = RadioMeter()
    config = settings(tmp_path, meters=(listed(meter),))
    hours = [NOON + 3600 * hour for hour in range(4)]
    told = [(time_s - 20, "radio", meter.telegram(100.0 + place), "T1") for place, time_s in enumerate(hours)]
    assert replay(config, told, until_s=hours[-1] + 5) == 4  # type: ignore[arg-type]

    async def live() -> None:
        async with serve_lnap(config, unix=lambda: hours[-1] + 60) as lnap:
            (view,) = meters(lnap)
            assert view.values[0].age_s == 80
            bound = lnap.gateway.channel(1)
            rows = lnap.ledger.rows(bound, view.values[0].obis, 0, hours[-1])
            assert [row.time_s for row in rows] == hours
            assert len({row.raw for row in rows}) == 4
            assert lnap.gateway.receive(told[0][2], link="radio", now=hours[-1] + 70).fate is not Fate.STORED

    asyncio.run(live())


@pytest.mark.covers("IF-G1")
@pytest.mark.parametrize("kind", [0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x0A, 0x1A, 0x1B, 0x00, 0xFF])
def test_gateway_and_head_end_read_a_meter_by_the_same_profile(kind: int) -> None:
    meter = RadioMeter().bound()
    meter.kind = kind
    assert profile_of(meter) == companion_of(kind).profile
    load_profile(profile_of(meter))
