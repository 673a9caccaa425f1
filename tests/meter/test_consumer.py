"""What the consumer port tells."""

from collections.abc import Callable

import pytest

from meterway.meter.consumer import p1_telegram, p1_values
from meterway.meter.device import Meter
from meterway.meter.load import LoadKind
from meterway.stacks.dlms.classes.disconnect_control import Mover, Supply
from meterway.stacks.p1 import telegram

Make = Callable[..., Meter]


@pytest.mark.covers("IF-H1", "F6a", "F6c")
@pytest.mark.parametrize("dialect", ["dsmr5", "emucs", "sweden"])
@pytest.mark.parametrize("kind", list(LoadKind))
def test_a_telegram_of_every_dialect_carries_the_energies(make: Make, now: float, dialect: str, kind: LoadKind) -> None:
    meter = make(kind=kind)
    octets = p1_telegram(meter, dialect, now)
    found = telegram.decode(octets)
    assert telegram.encode(found) == octets
    register = found.find("1-0:1.8.0" if dialect == "sweden" else "1-0:1.8.1")
    assert register is not None
    wh = meter.energy_at(now)[0] if dialect == "sweden" else meter.rates_at(now)[0]
    assert register.parts[0].startswith(f"{wh / 1000:.3f}".rjust(len(register.parts[0].split("*")[0]), "0"))


@pytest.mark.covers("F6a")
def test_phases_share_the_power_and_the_peak_is_the_one_of_the_month(make: Make, now: float) -> None:
    meter = make()
    values = p1_values(meter, now)
    assert sum(phase.power_in_w for phase in values.phases) == pytest.approx(values.power_in_w, abs=2)
    assert values.peak is not None
    assert values.peak.power_w == meter.demand_max(meter.zone.month_start(now), now)[0]
    assert sum(values.energy_in_wh) == meter.energy_at(now)[0]


def test_an_open_switch_shows(make: Make, now: float) -> None:
    meter = make()
    meter.move(Mover.REMOTE, Supply.OFF, now)
    values = p1_values(meter, now + 60)
    assert (values.breaker, values.power_in_w) == (0, 0)
