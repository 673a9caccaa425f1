"""A place on the air is taken, heard at, and left again."""

from __future__ import annotations

from pathlib import Path

from lnap_town import NOON, Air, RadioMeter, ledger
from meterway.interfaces.mbus.places import Places
from meterway.interfaces.mbus.settings import RadioConfig, WindowConfig, own_address


def test_what_is_heard_at_any_place_goes_to_the_same_meters(tmp_path: Path) -> None:
    meter, airs = RadioMeter(), (Air(), Air())
    book = ledger(tmp_path, meter.bound())
    places = Places(book, own_address("MWY", "00000001"), lambda: 5.0)
    leave = places.taking(RadioConfig(port=1))(airs[0])
    windowed = RadioConfig(port=2, windows=(WindowConfig(every_s=3600, length_s=60, offset_s=0),))
    places.taking(windowed)(airs[1])
    airs[0].say(meter.telegram(1.0), NOON + 600)
    airs[1].say(meter.telegram(2.0), NOON + 600)
    (value,) = book.gateway.mirror.of(1)
    assert (value.raw, value.received_s) == (1000, NOON + 605), "the second place was not listening then"
    airs[1].say(meter.telegram(3.0), NOON + 3600)
    assert book.gateway.mirror.of(1)[0].raw == 3000
    leave()
    assert len(places.airings) == 1
    places.close()
    assert airs[1].listener is None
    book.spool.close()
