"""The file of a hand-held: whole, of this meter, and taken in once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.headend.collect import Collected, Raw
from meterway.headend.fleet import Entry
from meterway.headend.layout import DeviceLayout
from meterway.headend.local_reading import LocalReading, Sent, take_in
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.axdr import CosemDateTime
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice

pytestmark = pytest.mark.covers("P14", "E-LOCAL")
ENERGY = Obis(1, 0, 1, 8, 0)
NOW_S = 1_780_000_000.0


def collected(**more: object) -> Collected:
    layout = DeviceLayout({"0-0:96.1.0": "M1"}, {str(ENERGY): (0, 30)}, {})
    clock = CosemDateTime.decode(bytes.fromhex("07ea051c04080a0000ff880000"[:24]))
    given = {"layout": layout, "clock": clock, "clock_offset_s": 1.0}
    found = Collected(**{**given, **more})  # type: ignore[arg-type]
    found.registers.append(Raw(ENERGY, axdr.encode(axdr.u32(4711)), NOW_S))
    return found


def reading(**more: object) -> LocalReading:
    return LocalReading.of(
        collected(**more), who="fitter", at="127.0.0.1:4159", started_s=NOW_S, duration_s=2.0, octets=99
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


def entry(store: Store, serial: str) -> Entry:
    return Entry(store.devices.add(NewDevice(serial=serial), now_ms=0), {})


def test_a_reading_comes_back_from_its_file() -> None:
    before = reading()
    after = LocalReading.decode(before.encode())
    assert after == before
    assert after.encode().endswith(after.digest.encode() + b"\n")
    assert after.collected().registers == collected().registers


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_file_that_was_altered_is_refused(place: int, bits: int) -> None:
    octets = bytearray(reading().encode())
    octets[place % (len(octets) - 66)] ^= bits
    with pytest.raises(ConfigError):
        LocalReading.decode(bytes(octets))


@given(st.binary(max_size=200))
def test_what_is_no_file_is_refused(octets: bytes) -> None:
    with pytest.raises(ConfigError):
        LocalReading.decode(octets)


def test_another_format_and_damage_under_a_right_digest_are_refused() -> None:
    with pytest.raises(ConfigError, match="is not"):
        LocalReading.decode(msgspec.structs.replace(reading(), format="other").encode())
    with pytest.raises(ConfigError, match="clock"):
        msgspec.structs.replace(reading(), clock="zz").collected()
    with pytest.raises(ConfigError, match="damaged"):
        Sent(obis="1.8.0", data="0", received_s=0).raw()


def test_a_meter_that_does_not_say_who_it_is_gives_no_reading() -> None:
    with pytest.raises(ConfigError, match="serial"):
        reading(layout=None)
    with pytest.raises(ConfigError, match="time"):
        reading(clock_offset_s=None)


def test_what_is_taken_in_names_its_file_and_the_same_file_changes_nothing(store: Store) -> None:
    mine, meter = reading(), entry(store, "M1")
    taken = take_in(store, meter, mine, actor="clerk", now_ms=5)
    assert (taken.cause, taken.values) == ("ok", 1)
    (kept,) = store.readings.latest(meter.device.id)
    assert (kept.value, kept.time_ms) == (4711, int(NOW_S * 1000))
    assert msgspec.json.decode(kept.evidence) == {"source": "local", "who": "fitter", "sha256": mine.digest}
    take_in(store, meter, mine, actor="clerk", now_ms=6)
    assert [one.revision for one in store.readings.latest(meter.device.id)] == [1]
    assert [row.actor for row in store.audit.of_device(meter.device.id)] == ["clerk", "clerk"]
    assert {one.kind for one in store.contacts.of_device(meter.device.id)} == {"local"}


def test_a_reading_of_another_meter_is_refused_and_one_without_time_to_trust_is_not_stored(store: Store) -> None:
    with pytest.raises(ConfigError, match="of M1, not of M2"):
        take_in(store, entry(store, "M2"), reading(), actor="clerk", now_ms=5)
    meter = entry(store, "M1")
    taken = take_in(store, meter, reading(clock_offset_s=1e6), actor="clerk", now_ms=5)
    assert (taken.cause, taken.values) == ("clock", 0)
    assert store.readings.latest(meter.device.id) == []
