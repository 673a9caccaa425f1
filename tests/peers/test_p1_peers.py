"""dsmr_parser reads the telegrams we build, and its values are ours."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from dsmr_parser import telegram_specifications
from dsmr_parser.parsers import TelegramParser

from meterway.stacks.p1.build import ChannelValues, P1Values, PeakValues, PhaseValues, telegram_of
from meterway.stacks.p1.encrypted import encrypt
from meterway.stacks.p1.telegram import encode
from meterway.stacks.p1.values import value_of

pytestmark = [pytest.mark.peer, pytest.mark.covers("IF-H1", "F6a")]

NOW = datetime(2026, 7, 1, 10, 0, 7, tzinfo=UTC)
PEAK = PeakValues(
    power_w=3695, time=datetime(2026, 6, 23, 17, 15, tzinfo=UTC), period=datetime(2026, 6, 30, 22, tzinfo=UTC)
)
VALUES = P1Values(
    serial="MWY0001234567",
    time=NOW,
    energy_in_wh=(123_456_789, 1_000),
    energy_out_wh=(5, 42),
    reactive_in_varh=12,
    power_in_w=1_193,
    phases=tuple(
        PhaseValues(power_in_w=400 * n, power_out_w=n, reactive_in_var=7, current_a=n, sags=n, swells=n)
        for n in (1, 2, 3)
    ),
    tariff=2,
    power_failures=4,
    failure_log=((datetime(2026, 1, 8, 14, 24, 15, tzinfo=UTC), 240),),
    message="Hello",
    demand_w=2_351,
    peak=PEAK,
    peaks=(PEAK, PEAK),
    channels=(
        ChannelValues(channel=1, device_type=3, serial="G1", time=NOW, value=Decimal("112.384"), valve=1),
        ChannelValues(channel=2, device_type=7, serial="W1", time=NOW, value=7),
    ),
)
CODES = {
    "dsmr5": {
        "P1_MESSAGE_TIMESTAMP": "0-0:1.0.0",
        "ELECTRICITY_USED_TARIFF_1": "1-0:1.8.1",
        "ELECTRICITY_USED_TARIFF_2": "1-0:1.8.2",
        "ELECTRICITY_DELIVERED_TARIFF_1": "1-0:2.8.1",
        "CURRENT_ELECTRICITY_USAGE": "1-0:1.7.0",
        "VOLTAGE_SAG_L2_COUNT": "1-0:52.32.0",
        "VOLTAGE_SWELL_L3_COUNT": "1-0:72.36.0",
        "SHORT_POWER_FAILURE_COUNT": "0-0:96.7.21",
        "INSTANTANEOUS_VOLTAGE_L1": "1-0:32.7.0",
        "INSTANTANEOUS_CURRENT_L3": "1-0:71.7.0",
        "INSTANTANEOUS_ACTIVE_POWER_L2_POSITIVE": "1-0:41.7.0",
        "INSTANTANEOUS_ACTIVE_POWER_L3_NEGATIVE": "1-0:62.7.0",
    },
    "emucs": {
        "P1_MESSAGE_TIMESTAMP": "0-0:1.0.0",
        "ELECTRICITY_USED_TARIFF_1": "1-0:1.8.1",
        "BELGIUM_CURRENT_AVERAGE_DEMAND": "1-0:1.4.0",
        "BELGIUM_MAXIMUM_DEMAND_MONTH": "1-0:1.6.0",
        "INSTANTANEOUS_CURRENT_L2": "1-0:51.7.0",
        "ACTUAL_TRESHOLD_ELECTRICITY": "0-0:17.0.0",
        "FUSE_THRESHOLD_L1": "1-0:31.4.0",
        "ACTUAL_SWITCH_POSITION": "0-0:96.3.10",
    },
    "sweden": {  # not its time: the peer takes summer time from the date, where the meter says it is winter time
        "ELECTRICITY_IMPORTED_TOTAL": "1-0:1.8.0",
        "ELECTRICITY_EXPORTED_TOTAL": "1-0:2.8.0",
        "ELECTRICITY_REACTIVE_IMPORTED_TOTAL": "1-0:3.8.0",
        "INSTANTANEOUS_REACTIVE_POWER_L2_POSITIVE": "1-0:43.7.0",
        "INSTANTANEOUS_VOLTAGE_L3": "1-0:72.7.0",
    },
}
SPECIFICATIONS = {"dsmr5": "V5", "emucs": "BELGIUM_FLUVIUS", "sweden": "SWEDEN"}


def parsed(profile):
    ours = telegram_of(VALUES, profile)
    parser = TelegramParser(getattr(telegram_specifications, SPECIFICATIONS[profile]))
    return ours, parser.parse(encode(ours).decode("ascii"), throw_ex=True)


@pytest.mark.parametrize("profile", sorted(CODES))
def test_dsmr_parser_reads_the_values_we_wrote(profile):
    ours, theirs = parsed(profile)
    for name, code in CODES[profile].items():
        value = value_of(ours.find(code))
        assert getattr(theirs, name).value == value.value, name
        assert (getattr(theirs, name).unit or "").lower() == value.unit.lower(), name


@pytest.mark.parametrize(("profile", "code"), [("dsmr5", "24.2.1"), ("emucs", "24.2.3")])
def test_dsmr_parser_finds_the_meters_on_the_channels(profile, code):
    ours, theirs = parsed(profile)
    gas, water = theirs.MBUS_DEVICES
    value = value_of(ours.find(f"0-1:{code}"))
    assert (gas.MBUS_METER_READING.value, gas.MBUS_METER_READING.datetime) == (value.value, value.time)
    assert (gas.MBUS_DEVICE_TYPE.value, water.MBUS_DEVICE_TYPE.value) == (3, 7)


def test_dsmr_parser_reads_the_peak_history():
    ours, theirs = parsed("emucs")
    rows = value_of(ours.find("0-0:98.1.0")).entries
    assert [(peak.value, peak.occurred) for peak in theirs.BELGIUM_MAXIMUM_DEMAND_13_MONTHS] == [
        (row.value, row.time) for row in rows
    ]


def test_dsmr_parser_reads_the_failure_log():
    _, theirs = parsed("dsmr5")
    (failure,) = theirs.POWER_EVENT_FAILURE_LOG.buffer
    assert (failure.value, failure.datetime) == (240, VALUES.failure_log[0][0])


@pytest.mark.covers("SEC-04")
def test_dsmr_parser_opens_what_we_encrypted():
    ours = telegram_of(VALUES, "dsmr5")
    key = bytes(range(16))
    frame = encrypt(encode(ours), key, bytes(16), system_title=b"MWY\x00\x00\x00\x00\x01", counter=5)
    parser = TelegramParser({**telegram_specifications.V5, "general_global_cipher": True})
    theirs = parser.parse(frame.hex(), encryption_key=key.hex(), authentication_key=bytes(16).hex(), throw_ex=True)
    assert theirs.CURRENT_ELECTRICITY_USAGE.value == Decimal("1.193")
