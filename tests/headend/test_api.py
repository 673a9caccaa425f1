"""What pages and floors above may ask of a head end."""

import time

import numpy as np
import pytest

from headend.headends import keep_day
from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.headend.api import UnknownMeterError
from meterway.store.readings import Reading


def at(monkeypatch, day, seconds):
    monkeypatch.setattr(time, "time", lambda: day * 86400 + seconds)


def test_a_meter_that_nobody_registered_is_unknown_and_a_broken_store_is_not(views, idle, monkeypatch):
    with pytest.raises(UnknownMeterError, match="no meter 'X'"):
        views.device("X")
    idle.store.session.change("DROP TABLE device")
    with pytest.raises(StoreError) as caught:
        views.device("A")
    assert not isinstance(caught.value, UnknownMeterError)


def test_a_register_keeps_all_its_digits(views, idle):
    reading = Reading(device=1, obis=Obis(1, 0, 1, 8, 0), time_ms=0, value=12345678901, scaler=-3, unit=30)
    idle.store.readings.add_many([reading], now_ms=0)
    register = views.registers(1)[0]
    assert (register.value, register.unit, register.time) == ("12345678.901", "Wh", "1970-01-01T00:00:00Z")


def test_gaps_end_with_now(views, idle, monkeypatch):
    at(monkeypatch, 20_000, 3600)
    slots = np.arange(96)
    keep_day(idle.store, 1, 20_000, (slots < 2) | (slots > 50))
    day = np.datetime64(20_000, "D").item()
    tomorrow = np.datetime64(20_001, "D").item()
    assert [(gap.from_time[11:16], gap.to_time[11:16]) for gap in views.gaps("A", day, tomorrow)] == [
        ("00:30", "01:15")
    ]


def test_looking_at_a_meter_never_loads_it_for_calling(views, idle):
    views.meter("A")
    assert not idle.fleet._entries


@pytest.mark.covers("SEC-10")
def test_the_audit_names_meters_by_serial(views, idle):
    idle.store.audit.append("anna", "set", time_ms=0, result="ok", device=2, detail="clock")
    idle.store.audit.append("anna", "import", time_ms=0, result="ok")
    assert [(row.action, row.serial) for row in views.audit()] == [("import", ""), ("set", "B")]
    assert views.audit_verified() == 2
