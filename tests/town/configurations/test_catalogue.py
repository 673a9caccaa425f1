"""Every configuration comes up, carries traffic on the interfaces it declares, and takes the same use cases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.interfaces import INTERFACES
from meterway.town.configurations.catalogue import CONFIGURATIONS, configuration_of
from meterway.town.configurations.gateways import HOUSED_SAP
from meterway.town.configurations.running import Running
from meterway.town.configurations.shape import NotApplicable, UseCase
from town.configurations.driving import DRIVEN, TOTALS, VALVE, Driven, running

NOT_DRIVEN = {
    "P10": {UseCase.ON_DEMAND: "one way", UseCase.COMMAND: "one way"},
    "P13": {UseCase.COMMAND: "nothing that is switched"},
    "P11": {UseCase.COMMAND: "nothing that is switched"},
}
"""What no configuration but these leaves out, and the word of its reason."""


@pytest.mark.covers(
    "IF-H1",
    "IF-H2",
    "IF-M",
    "IF-G1",
    "IF-I",
    "UC-BI-01",
    "UC-BI-02",
    "UC-BI-05",
    "UC-EV-02",
    "E-HES-2",
    "E-HES-6",
    "P1",
    "P2",
    "P3",
    "P4",
    "P5",
    "P6",
    "P7",
    "P8",
    "P9",
    "P10",
    "P11",
    "P12",
    "P13",
    "P14",
    "P15",
)
@pytest.mark.parametrize("label", CONFIGURATIONS)
def test_a_configuration_takes_every_use_case_it_has(tmp_path: Path, label: str) -> None:
    async def live() -> None:
        async with running(label, tmp_path) as at:
            summary = await at.first_collection()
            assert (summary.read, summary.failures) == (summary.meters, {})
            assert {row.label for row in summary.interfaces} == set(at.configuration.interfaces)
            assert all(row.entities > 0 and row.octets > 0 for row in summary.interfaces)
            for case in UseCase:
                how = at.configuration.cases[case]
                if isinstance(how, NotApplicable):
                    assert NOT_DRIVEN[label][case] in how.reason
                else:
                    assert case not in NOT_DRIVEN.get(label, {})
                    await DRIVEN[case](Driven(at, how, summary))

    asyncio.run(live())


def test_only_interfaces_of_the_figure_are_declared() -> None:
    letters = {row.label for row in INTERFACES}
    for configuration in CONFIGURATIONS.values():
        assert configuration.interfaces
        assert set(configuration.interfaces) <= letters


def test_a_configuration_is_found_by_its_label() -> None:
    assert configuration_of("p3").label == "P3"
    with pytest.raises(ConfigError, match="P99"):
        configuration_of("P99")


@pytest.mark.covers("E-LNAP", "SEC-04", "E-LNAP-7")
def test_a_party_reads_what_it_may_and_commands_nothing(tmp_path: Path) -> None:
    async def live() -> None:
        async with running("P15", tmp_path, meters=2) as at:
            summary = await at.first_collection()
            gas = Driven(at, "gas", summary)
            supplier = at.head_ends["supplier"]
            own, theirs = gas.head_end.store, supplier.store
            kept = {one.obis: one.value for one in own.readings.latest(gas.device)}
            other = theirs.devices.by_serial(gas.serial)
            also = {one.obis: one.value for one in theirs.readings.latest(other.id)}
            assert abs(kept[TOTALS[gas.kind]] - also[TOTALS[gas.kind]]) < 5
            close = Command(obis=VALVE, class_id=70, method="remote_disconnect")
            assert (await supplier.act(gas.serial, close, actor="supplier")).refusal == "read-write-denied"
            assert (await gas.facts())["connected"] == 1
            assert own.devices.by_serial(gas.serial).keys != other.keys

    asyncio.run(live())


@pytest.mark.covers("E-LNAP", "SEC-04", "E-LNAP-7", "PRI-08")
def test_operators_that_share_a_gateway_see_their_own_meters_only(tmp_path: Path) -> None:
    async def live() -> None:
        async with running("P12", tmp_path, meters=2) as at:
            await at.first_collection()
            seen = {name: _utilities(at, name) for name in at.head_ends}
            assert seen == {"gas head end": {"gas"}, "water head end": {"water"}}

    asyncio.run(live())


def _utilities(at: Running, name: str) -> set[str]:
    return {one.utility for one in at.head_ends[name].store.devices.all()} - {"gateway"}


@pytest.mark.covers("E-LNAP", "IF-M", "IF-I")
def test_a_gateway_in_a_meter_shares_its_port_and_is_listed_there(tmp_path: Path) -> None:
    async def live() -> None:
        async with running("P5", tmp_path, meters=5) as at:
            await at.first_collection()
            (head_end,) = at.head_ends.values()
            devices = {one.serial: one for one in head_end.store.devices.all()}
            meter, gateway = devices["M0001"], devices["LNAP0001"]
            assert (gateway.parent, gateway.port, gateway.sap) == (meter.id, meter.port, HOUSED_SAP)
            behind = [one for one in devices.values() if one.parent == gateway.id]
            assert sorted(one.sap for one in behind) == [HOUSED_SAP + channel for channel in (1, 2, 3, 4)]
            assert {one.port for one in behind} == {meter.port}
            listed = await head_end.read("M0001", Command(obis=Obis(0, 0, 41, 0, 0), class_id=17), actor="test")
            assert isinstance(listed.value, list)
            assert [row["sap"] for row in listed.value if isinstance(row, dict)] == [1, *range(17, 22)]

    asyncio.run(live())
