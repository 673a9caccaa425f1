"""The drivers of the package read what their meters send; drivers of a user come before them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.ciphers import aes_cbc_encrypt
from meterway.base.errors import ConfigError, MeterwayError
from meterway.mapping.dlms import DlmsKeys
from meterway.mapping.drivers.registry import Drivers, bundled_drivers, drivers_of, read_drivers
from meterway.mapping.telegram import Refused, decode_telegram
from meterway.model.telegram import DecodedTelegram
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.records.compact import Formats
from meterway.stacks.mbus.telegram import decode

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "vectors" / "mbus" / "drivers.jsonl").read_text("utf-8").splitlines()
]
MINE = 'title = "Mine"\n[[match]]\nmanufacturer = "TCH"\nversion = 0x76\n'


def answer(octets: bytes, drivers: Drivers | None = None, key: str = "") -> DecodedTelegram:
    keys = DlmsKeys(keys=(bytes.fromhex(key),) if key else ())
    found = decode_telegram(octets, keys, drivers=drivers)
    assert isinstance(found, DecodedTelegram), found
    return found


@pytest.mark.covers("IF-M", "F1a")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_bundled_driver_reads_its_meter(vector: dict[str, object]) -> None:
    found = answer(bytes.fromhex(str(vector["hex"])), key=str(vector.get("key", "")))
    assert found.device["driver"] == vector["driver"]
    rows = [[one.name, one.value, one.unit, one.storage] for one in found.readings]
    wanted = vector["values"]
    assert isinstance(wanted, list)
    assert [row for row in wanted if row not in rows] == []
    assert all(one.value is not None or one.quality for one in found.readings)


def test_every_bundled_driver_is_shown_by_a_telegram_or_is_asked_for_by_name() -> None:
    shown = {vector["driver"] for vector in VECTORS}
    assert {driver.name for driver in bundled_drivers().drivers} <= shown
    assert len(shown) >= 20


def test_a_driver_of_the_user_comes_first_and_may_replace_one_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "techem_tsd2.toml").write_text(MINE, "utf-8")
    (tmp_path / "notes.txt").write_text("no driver", "utf-8")
    drivers = drivers_of(read_drivers(str(tmp_path)))
    assert [driver.title for driver in drivers.drivers if driver.name == "techem_tsd2"] == ["Mine"]
    meter = Address(manufacturer=0x5068, ident="12345678", version=0x76, device_type=0xF0)
    found = drivers.find(meter, 0xA0)
    assert found is not None
    assert found.title == "Mine"


def test_a_folder_or_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_drivers(str(tmp_path / "nowhere"))
    (tmp_path / "mine.toml").write_text('title = "x"', "utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml, match: is missing"):
        read_drivers(str(tmp_path))
    (tmp_path / "mine.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_drivers(str(tmp_path))


def test_a_name_that_no_driver_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no driver 'nobody'"):
        drivers_of(named=["nobody"])


def test_a_meter_that_breaks_the_2f2f_rule_is_read_only_when_its_driver_was_asked_for() -> None:
    key, head = bytes(range(16)), bytes.fromhex("440C2E7856341201027A2A001005")
    plain = bytes.fromhex("609B" + "0C7834120000" + "0403E8030000" + "2F2F")
    vector = bytes.fromhex("0C2E785634120102") + b"\x2a" * 8
    octets = bytes((len(head) + 16,)) + head + aes_cbc_encrypt(key, vector, plain)
    refused = decode_telegram(octets, DlmsKeys(keys=(key,)))
    assert isinstance(refused, Refused)
    assert refused.kind == "2F2F"
    found = answer(octets, drivers_of(named=["sanxing_s34"]), key.hex())
    assert [one.value for one in found.readings] == ["00001234", 1000]
    assert (found.quirks, found.security["checks"]) == (("begins-with-609B",), ["2F2F"])
    wrong = decode_telegram(octets, DlmsKeys(keys=(bytes(16),)), drivers=drivers_of(named=["sanxing_s34"]))
    assert isinstance(wrong, Refused)


def test_formats_of_compact_frames_come_with_the_drivers() -> None:
    known = bundled_drivers().seed(Formats())
    assert bytes.fromhex("030F430F0314426C022D01FF21") in known.known.values()


def test_a_meter_without_a_driver_is_read_as_ever() -> None:
    octets = bytes.fromhex("1444AE4C7856341201077A0100000004130A000000")
    found = answer(octets)
    assert "driver" not in found.device
    assert found == answer(octets, Drivers())


@given(st.sampled_from(VECTORS), st.data())
def test_no_damage_to_a_telegram_breaks_a_driver(vector: dict[str, object], data: st.DataObject) -> None:
    octets = bytearray(bytes.fromhex(str(vector["hex"])))
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(10, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        telegram = decode(bytes(octets), dialects=bundled_drivers().dialect)
    except MeterwayError:
        return
    for reading in bundled_drivers().decoded(telegram, keys=[bytes(8)]).readings:
        assert reading.value is not None or reading.quality
