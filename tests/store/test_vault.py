"""Keys at rest."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterway.base.errors import ConfigError, SecurityError
from meterway.store.vault import Vault

MASTER = bytes(range(32))
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


@pytest.mark.covers("SEC-10")
def test_a_sealed_key_opens_for_its_device_and_name_only() -> None:
    vault = Vault(MASTER)
    sealed = vault.seal("M1", "guek", KEY)
    assert KEY not in sealed
    assert vault.open("M1", "guek", sealed) == KEY
    assert vault.seal("M1", "guek", KEY) != sealed
    for serial, name in (("M2", "guek"), ("M1", "gak"), ("M1g", "uek")):
        with pytest.raises(SecurityError):
            vault.open(serial, name, sealed)
    with pytest.raises(SecurityError):
        Vault(bytes(32)).open("M1", "guek", sealed)


@given(st.binary(max_size=80))
def test_altered_or_made_up_octets_do_not_open_and_nothing_shows_the_key(octets: bytes) -> None:
    vault = Vault(MASTER)
    with pytest.raises(SecurityError) as caught:
        vault.open("M1", "guek", octets)
    assert MASTER.hex() not in str(caught.value) + repr(vault)
    with pytest.raises(SecurityError):
        vault.open("M1", "guek", vault.seal("M1", "guek", KEY)[:-1] + octets + b"\x00")


def test_all_keys_of_a_device_are_one_value_of_its_row() -> None:
    vault = Vault(MASTER)
    keys = {"guek": KEY, "gak": KEY[::-1], "hls_secret": b""}
    sealed = vault.seal_all("M1", keys)
    assert vault.open_all("M1", sealed) == keys
    assert vault.open_all("M1", None) == {}
    for damaged in (b"\xff", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SecurityError):
            vault.open_all("M1", damaged)


@pytest.mark.covers("SEC-02", "SEC-10")
def test_the_master_key_is_made_at_random_and_for_its_owner_only(tmp_path: Path) -> None:
    path, other = tmp_path / "master.key", tmp_path / "other.key"
    sealed = Vault.from_file(path).seal("M1", "guek", KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Vault.from_file(path).open("M1", "guek", sealed) == KEY
    Vault.from_file(other)
    assert other.read_text() != path.read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["master.key", "other.key"]


def test_a_master_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    Vault.from_file(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Vault.from_file(path)


def test_a_master_key_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Vault(b"short")
    spoilt = tmp_path / "spoilt.key"
    spoilt.write_bytes(b"\xff\xfe")
    spoilt.chmod(0o600)
    with pytest.raises(ConfigError):
        Vault.from_file(spoilt)
    with pytest.raises(ConfigError):
        Vault.from_file(tmp_path / "no folder" / "master.key")
