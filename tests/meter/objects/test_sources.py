"""Where the rows of profiles come from."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.mapping.profile import load_profile
from meterway.meter.device import Meter
from meterway.meter.objects.sources import FAR, CalendarSource, LogSource, PeriodicSource, source_of

Make = Callable[..., Meter]
OBJECTS = load_profile("idis").objects
LOAD, BILLING, LOG = Obis(1, 0, 99, 1, 0), Obis(0, 0, 98, 1, 0), Obis(0, 0, 99, 98, 0)


@pytest.mark.parametrize(("obis", "kind"), [(LOAD, PeriodicSource), (BILLING, CalendarSource), (LOG, LogSource)])
def test_a_profile_has_the_source_its_period_and_log_say_and_entries_are_what_a_range_gives(
    make: Make, now: float, obis: Obis, kind: type
) -> None:
    meter = make(profile_days=2)
    source = source_of(OBJECTS[obis], rates=False)
    assert isinstance(source, kind)
    count = source.count(meter, now)
    assert 0 < count <= source.capacity(meter)
    every = source.between(meter, 0.0, FAR, now)
    assert len(every.times_s) == count
    some = source.entries(meter, slice(1, 2), now)
    assert some.times_s.tolist() == every.times_s[1:2].tolist()
    assert some.values.tolist() == every.values[1:2].tolist()


@pytest.mark.parametrize("changed", [{"static": {4: 1000}}, {"static": {4: 60}}, {"log": "diary"}])
def test_a_period_or_log_that_no_meter_has_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="load-profile"):
        source_of(replace(OBJECTS[LOAD], **changed), rates=False)  # type: ignore[arg-type]
