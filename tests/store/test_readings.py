"""Register readings."""

from dataclasses import replace

from meterway.base.obis import Obis
from meterway.store.database import Store
from meterway.store.readings import Reading

TOTAL, TARIFF = Obis(1, 0, 1, 8, 0), Obis(1, 0, 1, 8, 1)


def reading(device: int, time_ms: int = 1000, value: int = 5, obis: Obis = TOTAL) -> Reading:
    return Reading(device=device, obis=obis, time_ms=time_ms, value=value, scaler=-3, unit=30, evidence=b"contact 1")


def test_a_reading_comes_back_with_unit_and_evidence(store: Store, devices: list[int]) -> None:
    assert store.readings.add_many([reading(devices[0])], now_ms=2000) == 1
    (found,) = store.readings.read_range(devices[0], TOTAL, 1000, 1001)
    assert (found.value, found.scaler, found.unit, found.evidence) == (5, -3, 30, b"contact 1")
    assert (found.obis, found.revision, found.stored_ms) == (TOTAL, 1, 2000)


def test_the_same_again_is_known_and_a_changed_one_is_a_revision(store: Store, devices: list[int]) -> None:
    given = [reading(devices[0]), reading(devices[1])]
    store.readings.add_many(given, now_ms=1)
    assert store.readings.add_many(given, now_ms=2) == 0
    assert store.readings.add_many([reading(devices[0], value=6), given[1]], now_ms=3) == 1
    assert store.readings.add_many([replace(reading(devices[0], value=6), quality=1)], now_ms=4) == 1
    (found,) = store.readings.read_range(devices[0], TOTAL, 0, 5000)
    assert (found.value, found.quality, found.revision) == (6, 1, 3)
    assert store.session.read("SELECT count(*) FROM register_reading") == [(4,)]


def test_the_latest_of_every_code(store: Store, devices: list[int]) -> None:
    device = devices[1]
    store.readings.add_many(
        [reading(device, time_ms=time, value=time, obis=obis) for time in (1, 3, 2) for obis in (TARIFF, TOTAL)]
        + [reading(devices[2], time_ms=9)],
        now_ms=1,
    )
    store.readings.add_many([reading(device, time_ms=3, value=33)], now_ms=2)
    assert [(each.obis, each.value) for each in store.readings.latest(device)] == [(TOTAL, 33), (TARIFF, 3)]
    assert store.readings.latest(devices[0]) == []
    assert store.readings.add_many([], now_ms=1) == 0
