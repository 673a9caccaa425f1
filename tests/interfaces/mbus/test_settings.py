"""Settings of receivers and of listed meters say what they mean, and what is wrong is named."""

from __future__ import annotations

import pytest

from lnap_town import RadioMeter, listed
from meterway.base.errors import ConfigError
from meterway.interfaces.mbus.meters import Profile
from meterway.interfaces.mbus.settings import MeterConfig, RadioConfig, address_of, ident_of
from meterway.links.receivers.amber import AmberCodec
from meterway.links.receivers.imst import ImstCodec
from meterway.links.receivers.lines import LineCodec
from meterway.links.receivers.radiocrafts import RadiocraftsCodec


def test_each_receiver_has_its_codec_its_speed_and_its_way() -> None:
    found = {
        name: RadioConfig(receiver=name, serial="/dev/x", mode="S2" if name != "rc1180" else "S1")  # type: ignore[arg-type]
        for name in ("im871a", "amb8465", "rc1180", "lines")
    }
    kinds = [type(radio.codec()) for radio in found.values()]
    assert kinds == [ImstCodec, AmberCodec, RadiocraftsCodec, LineCodec]
    assert [radio.speed for radio in found.values()] == [57600, 9600, 19200, 115200]
    assert found["im871a"].way == "/dev/x"
    assert RadioConfig(receiver="lines", program=("rtl_433", "-F", "json")).way == "rtl_433"
    assert RadioConfig(port=5).way == "127.0.0.1:5"


def test_a_meter_is_bound_as_listed() -> None:
    meter = RadioMeter()
    bound = listed(meter, 4, security="D").bound()
    assert (bound.address, bound.channel, bound.keys, bound.security) == (meter.address, 4, (meter.key,), Profile.D)
    with pytest.raises(ConfigError, match="wants a key"):
        MeterConfig(address=str(meter.address), channel=1).bound()


@pytest.mark.parametrize("text", ["", "MWY-1-01-03", "MWY-10000001-01", "mwy-10000001-01-03", "MWY-1000000X-01-03"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        address_of(text)


def test_an_address_comes_back_from_its_text() -> None:
    assert address_of(str(RadioMeter().address)) == RadioMeter().address


def test_each_serial_has_digits_of_its_own() -> None:
    found = {ident_of(f"NNAP{number:04d}") for number in range(500)}
    assert len(found) == 500
    assert all(len(one) == 8 and one.isdigit() for one in found)
