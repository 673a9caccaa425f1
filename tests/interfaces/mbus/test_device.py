"""What becomes of a telegram: who is known, what verifies, what was seen before, what is plausible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnap_town import GAS, NOON, WATER, RadioMeter
from meterway.base.errors import ConfigError
from meterway.base.obis import Obis
from meterway.interfaces.mbus.device import Fate, Gateway
from meterway.interfaces.mbus.events import Code
from meterway.interfaces.mbus.meters import Bound, KeyStatus, Link, Profile
from meterway.interfaces.mbus.mirror import OrderState, Quality
from meterway.mapping.drivers.registry import drivers_of, read_drivers
from meterway.stacks.mbus.records.record import make_record
from meterway.stacks.mbus.telegram import sender_of

VOLUME = Obis(7, 0, 3, 0, 0)


def gateway(*meters: Bound) -> Gateway:
    found = Gateway()
    for meter in meters:
        found.bind(meter, NOON)
    found.events.clear()
    return found


def codes(found: Gateway) -> list[Code]:
    return [event.code for event in found.events]


@pytest.mark.covers("IF-M", "F1a", "SEC-05")
@pytest.mark.parametrize("mode", [0, 5, 7, 8, 9, 10])
def test_a_bound_meter_is_mirrored_in_every_security_mode(mode: int) -> None:
    meter = RadioMeter(mode=mode)
    found = gateway(meter.bound())
    heard = found.receive(meter.telegram(12.345), link="radio", now=NOON, mode="T1")
    assert heard.fate is Fate.STORED
    value = found.mirror.get(1, VOLUME)
    assert value is not None
    assert (value.raw, value.scaler, value.unit, value.quality) == (12345, -3, 13, 0)
    assert found.mirror.age_s(1, NOON + 90) == 90


@pytest.mark.covers("SEC-13")
def test_a_meter_that_is_not_on_the_white_list_leaves_no_trace() -> None:
    stranger = RadioMeter(ident="99999999")
    found = gateway(RadioMeter().bound())
    heard = found.receive(stranger.telegram(1), link="radio", now=NOON)
    assert heard.fate is Fate.FOREIGN
    assert found.proposals == {}
    assert found.events == []


@pytest.mark.covers("SEC-04")
def test_a_replayed_telegram_changes_nothing_and_is_logged() -> None:
    meter = RadioMeter()
    found = gateway(meter.bound())
    old, new = meter.telegram(1), meter.telegram(2)
    found.receive(old, link="radio", now=NOON)
    found.receive(new, link="radio", now=NOON + 60)
    assert found.receive(new, link="radio", now=NOON + 61).fate is Fate.DUPLICATE
    assert found.receive(old, link="radio", now=NOON + 4000).fate is Fate.REFUSED
    assert codes(found) == [Code.REPLAY]
    shown = found.mirror.get(1, VOLUME)
    assert shown is not None
    assert shown.raw == 2000


@pytest.mark.covers("SEC-05", "E-LNAP-1")
@pytest.mark.parametrize(("sent", "key", "code"), [(0, b"", Code.NOT_PROTECTED), (7, b"k" * 16, Code.NOT_AUTHENTIC)])
def test_less_protection_or_another_key_is_refused(sent: int, key: bytes, code: Code) -> None:
    meter = RadioMeter()
    found = gateway(meter.bound())
    liar = RadioMeter(mode=sent, key=key or meter.key)
    assert found.receive(liar.telegram(9), link="radio", now=NOON).fate is Fate.REFUSED
    assert codes(found) == [code]
    assert found.mirror.get(1, VOLUME) is None


@given(st.integers(0, 60), st.integers(1, 255))
def test_an_altered_telegram_never_becomes_a_value(place: int, mask: int) -> None:
    meter = RadioMeter(mode=10)
    found = gateway(meter.bound())
    octets = bytearray(meter.telegram(12.345))
    octets[place % len(octets)] ^= mask
    heard = found.receive(bytes(octets), link="radio", now=NOON)
    assert all(value.raw == 12345 for value in heard.values)


@pytest.mark.covers("UC-IN-01", "E-LNAP-1")
def test_installation_proposes_and_somebody_decides() -> None:
    meter = RadioMeter(control=0x46)
    found = gateway()
    assert found.receive(meter.telegram(1), link="radio", now=NOON).fate is Fate.FOREIGN
    found.install(NOON + 600, NOON)
    assert found.receive(meter.telegram(1), link="radio", now=NOON + 1).fate is Fate.PROPOSED
    bound = found.accept(meter.address, keys=[meter.key], now=NOON + 2)
    assert bound.channel == 1
    assert found.receive(meter.telegram(1), link="radio", now=NOON + 3).fate is Fate.STORED
    with pytest.raises(ConfigError, match="not proposed"):
        found.reject(meter.address)


def test_a_channel_takes_one_meter_and_a_meter_one_channel() -> None:
    meter, other = RadioMeter(), RadioMeter(ident="10000002")
    found = gateway(meter.bound(1))
    with pytest.raises(ConfigError, match="bound to channel 1"):
        found.bind(meter.bound(2), NOON)
    with pytest.raises(ConfigError, match="channel 1 is taken"):
        found.bind(other.bound(1), NOON)
    found.unbind(1, NOON)
    assert found.receive(meter.telegram(1), link="radio", now=NOON).fate is Fate.FOREIGN


@pytest.mark.covers("SEC-05")
def test_a_new_key_is_in_use_when_the_meter_speaks_under_it() -> None:
    meter = RadioMeter()
    bound = meter.bound()
    found = gateway(bound)
    found.receive(meter.telegram(1), link="radio", now=NOON)
    old, meter_new = meter.key, b"n" * 16
    found.set_key(1, meter_new, NOON)
    assert found.receive(meter.telegram(2), link="radio", now=NOON + 1).fate is Fate.STORED
    meter.key = meter_new
    assert found.receive(meter.telegram(3), link="radio", now=NOON + 2).fate is Fate.STORED
    assert bound.keys == (meter_new,)
    assert bound.key_status is KeyStatus.IN_USE
    meter.key = old
    assert found.receive(meter.telegram(4), link="radio", now=NOON + 3).fate is Fate.REFUSED


@pytest.mark.covers("F6a")
def test_a_register_that_falls_is_shown_as_suspect_and_said_once() -> None:
    meter = RadioMeter(kind=WATER)
    found = gateway(meter.bound())
    for step, value in enumerate((100, 50, 51)):
        found.receive(meter.telegram(value), link="radio", now=NOON + step)
    shown = found.mirror.get(1, Obis(8, 0, 1, 0, 0))
    assert shown is not None
    assert shown.quality == Quality.SUSPECT
    assert codes(found) == [Code.REGISTER_FELL]
    found.trust(1)
    found.receive(meter.telegram(52), link="radio", now=NOON + 9)
    shown = found.mirror.get(1, Obis(8, 0, 1, 0, 0))
    assert shown is not None
    assert shown.quality == Quality.GOOD


def test_a_low_battery_and_a_long_silence_are_events() -> None:
    meter = RadioMeter(status=0x04)
    found = gateway(meter.bound())
    found.receive(meter.telegram(1), link="radio", now=NOON)
    found.channels[1].silent = True
    found.receive(meter.telegram(1), link="radio", now=NOON + 60)
    assert codes(found) == [Code.REPLACE_BATTERY, Code.COMMUNICATION_OK]


@pytest.mark.covers("UC-BI-05")
def test_only_an_answer_that_verifies_settles_an_order() -> None:
    meter = RadioMeter(kind=GAS)
    found = gateway(meter.bound())
    order = found.order(1, "valve", b"x", now=NOON, valid_s=3600, detail="disconnect")
    assert found.receive(meter.telegram(1), link="radio", now=NOON).answerable
    assert found.mailbox.next(1, NOON) is order
    forged = RadioMeter(mode=0)
    found.receive(forged.telegram(1, control=0x08), link="radio", now=NOON + 1)
    assert order.state is OrderState.SENT
    position = make_record(b"\xfd\x1a", 0, 1)
    found.receive(meter.telegram(1, position, control=0x08), link="radio", now=NOON + 2)
    assert order.state is OrderState.DONE
    assert found.channels[1].valve == 0
    assert Code.REMOTE_DISCONNECTION in codes(found)


def test_a_profile_that_is_too_weak_is_named() -> None:
    meter = RadioMeter(mode=5)
    found = gateway(meter.bound(security=Profile.D))
    assert found.receive(meter.telegram(1), link="radio", now=NOON).why == "policy"


@given(st.binary(max_size=300), st.sampled_from(["radio", "wired"]))
def test_no_octets_end_the_gateway(octets: bytes, link: str) -> None:
    found = gateway(RadioMeter().bound())
    found.install(NOON + 60, NOON)
    heard = found.receive(octets, link=link, now=NOON)  # type: ignore[arg-type]
    assert heard.fate in (Fate.MALFORMED, Fate.FOREIGN, Fate.PROPOSED)


@given(st.data())
def test_no_mutation_of_a_plain_telegram_ends_the_gateway(data: st.DataObject) -> None:
    meter = RadioMeter(mode=0)
    found = gateway(meter.bound())
    octets = bytearray(meter.telegram(12.345, make_record(b"\x5a", 21.5, 2)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(10, len(octets) - 1))
        octets[place] = data.draw(st.integers(0, 255))
    found.receive(bytes(octets), link="radio", now=NOON)
    assert found.counts.total() == 1


def sent_by(name: str) -> tuple[bytes, tuple[bytes, ...], dict[str, float]]:
    """The octets of a driver's vector, its keys, and the numbers it holds for the present."""
    path = Path(__file__).parent.parent.parent / "vectors" / "mbus" / "drivers.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    row = next(one for one in rows if one["driver"] == name)
    keys = (bytes.fromhex(row["key"]),) if row.get("key") else ()
    present = {what: value for what, value, _, storage in reversed(row["values"]) if not storage}
    return bytes.fromhex(row["hex"]), keys, present


@pytest.mark.covers("IF-M", "F1a")
@pytest.mark.parametrize(
    ("driver", "link", "what", "code", "factor"),
    [
        ("diehl_prios", "radio", "volume", "8-0:1.0.0", 1000),
        ("apator_162", "radio", "volume", "8-0:1.0.0", 1000),
        ("apator_eitn40", "radio", "heat cost units", "4-0:1.0.0", 1),
        ("ime", "wired", "active energy, import", "1-0:1.8.0", 1),
        ("eltako_dsz", "wired", "voltage, phase 1", "1-0:32.7.0", 1000),
        ("kamstrup_heat", "radio", "energy", "6-0:1.0.0", 1),
    ],
)
def test_a_meter_that_needs_a_driver_is_mirrored_with_it(
    driver: str, link: Link, what: str, code: str, factor: int
) -> None:
    octets, keys, told = sent_by(driver)
    sender = sender_of(octets, link=link)
    assert sender is not None
    found = gateway(Bound(address=sender, channel=1, link=link, security=Profile.PLAIN, keys=keys))
    heard = found.receive(octets, link=link, now=NOON)
    assert heard.fate is Fate.STORED, heard
    value = found.mirror.get(1, Obis.parse(code))
    assert value is not None
    assert value.raw * 10.0**value.scaler * 1000 == pytest.approx(told[what] * 1000)
    assert found.channels[1].device_type != found.channels[1].address.device_type or driver != "diehl_prios"


def test_a_driver_of_ones_own_comes_before_the_packages(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        "title = 'water meter of our own'\n[[match]]\nmanufacturer = ['APA']\n"
        "[[block]]\nplace = 'manufacturer data'\n"
        "[[block.field]]\nname = 'volume'\ntype = 'uint'\nat = 0\nsize = 1\nscale = 1\nunit = 'm³'\n"
    )
    octets, _, _ = sent_by("apator_162")
    sender = sender_of(octets, link="radio")
    assert sender is not None
    found = Gateway(drivers=drivers_of(read_drivers(str(tmp_path))))
    found.bind(Bound(address=sender, channel=1, security=Profile.PLAIN), NOON)
    found.receive(octets, link="radio", now=NOON)
    value = found.mirror.get(1, Obis(8, 0, 1, 0, 0))
    assert value is not None
    assert value.raw == 1000


@pytest.mark.covers("SEC-11", "IF-C")
@pytest.mark.parametrize("control", [0x40, 0x43, 0x53, 0x73, 0x5A, 0x5B, 0x7B, 0x06])
def test_what_another_says_to_a_meter_is_not_taken_for_the_meter(control: int) -> None:
    """A recorded order, under the meter's key and a counter far ahead, would shut the meter's own telegrams out."""
    meter = RadioMeter(counter=5_000_000)
    found = gateway(meter.bound())
    assert found.receive(meter.telegram(9.0, control=control), link="radio", now=NOON).fate is Fate.FOREIGN
    meter.counter = 0
    assert found.receive(meter.telegram(1.0), link="radio", now=NOON + 1).fate is Fate.STORED
