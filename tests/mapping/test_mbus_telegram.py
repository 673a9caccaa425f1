"""M-Bus telegrams, told from other octets and joined where one meter sends several frames."""

from __future__ import annotations

import pytest

from meterway.base.errors import DecodeError
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.drivers.registry import bundled_drivers
from meterway.mapping.mbus_telegram import decode_mbus_telegram, is_mbus
from meterway.model.telegram import DecodedTelegram

pytestmark = pytest.mark.covers("IF-M")

RADIO = bytes.fromhex("1344AE4C7856341201077A0100000002FF070500")


def wired(ident: str = "78563412", record: str = "0413e8030000") -> bytes:
    body = bytes.fromhex("080172" + ident + "ae4c010700000000" + record)
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


def decoded(octets: bytes) -> DecodedTelegram:
    return decode_mbus_telegram(octets, DlmsKeys(), None, bundled_drivers())


@pytest.mark.parametrize("octets", [wired(), b"\xe5", b"\x10\x40\x01\x41\x16", RADIO])
def test_m_bus_is_known_by_its_first_octets(octets: bytes) -> None:
    assert is_mbus(octets)


@pytest.mark.parametrize("octets", [b"", b"\xe5\xe5", b"\x10\x40\x01\x41\x17", b"\x7e\xa0\x08", b"\xff" * 20])
def test_other_octets_are_not(octets: bytes) -> None:
    assert not is_mbus(octets)


def test_frames_of_one_meter_are_joined_and_those_of_two_are_not() -> None:
    told = decoded(wired() + wired(record="0413d0070000"))
    assert [one.value for one in told.readings] == [1.0, 2.0]
    assert decoded(wired() + b"\x00").quirks == ("noise",)
    with pytest.raises(DecodeError) as caught:
        decoded(wired() + wired("11111111"))
    assert (caught.value.kind, caught.value.offset) == ("several", len(wired()))
