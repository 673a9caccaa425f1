"""Devices from a CSV file."""

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headend.headends import VAULT
from meterway.base.errors import ConfigError
from meterway.headend.gateway_keys import MASTER, keys_behind
from meterway.headend.registry import Imported, import_csv
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice

HEAD = "serial,host,port,guek,gak,profile,transport\n"
GOOD = f"M1,127.0.0.1,4059,{'00' * 16},{'11' * 16},idis,tcp\n"


@pytest.fixture
def load(store: Store) -> Callable[[str | bytes], Imported]:
    def work(text: str | bytes) -> Imported:
        octets = text.encode() if isinstance(text, str) else text
        file = io.TextIOWrapper(io.BytesIO(octets), encoding="utf-8", newline="")
        return import_csv(file, name="m.csv", store=store, vault=VAULT, now_ms=5)

    return work


@pytest.mark.covers("UC-IN-01", "E-HES-1")
def test_devices_are_registered_with_sealed_keys_and_due_at_once(
    load: Callable[[str | bytes], Imported], store: Store
) -> None:
    assert load(HEAD + GOOD).added == 1
    device = store.devices.by_serial("M1")
    assert VAULT.open_all("M1", device.keys) == {"guek": bytes(16), "gak": b"\x11" * 16}
    assert bytes(16) not in (device.keys or b"")
    assert [task.due_ms for task in store.tasks.of_device(device.id)] == [5]


@pytest.mark.covers("E-HES-1")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("M1,h,1,,,,", "line 3: serial M1 is already in line 2"),
        (",h,1,,,,", "line 3, serial: 1 to 64 printable characters"),
        ("M\x002,h,1,,,,", "line 3, serial"),
        ("M2,,1,,,,", "line 3, host"),
        ("M2,a\x00b,1,,,,", "line 3, host"),
        ("M2,h,,,,,", "line 3, port: a whole number from 1 to 65535, not ''"),
        ("M2,h,70000,,,,", "line 3, port"),
        ("M2,h,-1,,,,", "line 3, port"),
        ("M2,h,١,,,,", "line 3, port"),
        ("M2,h,1,00,,,", r"line 3, guek: 16 octets as hex are wanted \(2 characters given\)"),
        ("M2,h,1,,,nowhere,", "line 3, profile: there is no profile 'nowhere'"),
        ("M2,h,1,,,a\x00.toml,", "line 3, profile"),
        ("M2,h,1,,,,pigeon", "line 3, transport: tcp or hdlc, not 'pigeon'"),
        ("M2,h,1,,,,,extra,more", "line 3: more fields than the header has columns"),
        ('M2,"h"x,1,,,,', "line 3: "),
        ("M2," + "h" * 200_000 + ",1,,,,", "line 3: field larger than field limit"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_taken(
    load: Callable[[str | bytes], Imported], line: str, said: str
) -> None:
    done = load(f"{HEAD}{GOOD}{line}\nM3,h,1,,,,\n")
    assert done.added == 2
    (error,) = done.errors
    assert error.startswith("m.csv line 3")
    import re

    assert re.search(said, error)


def test_a_serial_that_is_registered_already_is_said(load: Callable[[str | bytes], Imported]) -> None:
    load(HEAD + GOOD)
    done = load(HEAD + "M2,h,1,,,,\n" + GOOD)
    assert (done.added, done.errors) == (1, ["m.csv line 3: serial M1 is already in the registry"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no header line"),
        ("serial,host\nM1,h\n", "line 1: column 'port' is missing"),
        ("serial,host,port,colour\n", "line 1: unknown column 'colour'"),
        ("serial,host,port,port\n", "line 1: column 'port' is there twice"),
        (HEAD.encode() + b"M\xff,h,1,,,,\n", "not UTF-8"),
        (b"\xff\xfe\x00", "line 1 or after: not UTF-8"),
        ('"serial', "line 1"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(
    load: Callable[[str | bytes], Imported], store: Store, text: str | bytes, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load(text)
    assert store.devices.count() == 0


def test_a_byte_order_mark_and_spaces_are_no_part_of_the_header(load: Callable[[str | bytes], Imported]) -> None:
    assert load("\ufeffserial, host, port\nM1, h, 1\n").added == 1


def test_addresses_levels_and_secrets_are_kept(load: Callable[[str | bytes], Imported], store: Store) -> None:
    head = "serial,host,port,mechanism,client,physical,secret,system_title\n"
    done = load(head + "M1,h,1,1,2,17,0x0102,4d57590000000001\nM2,h,1,2,,,,\nM3,h,1,1,,,0xzz,\nM4,h,1,,,,,4d\n")
    assert done.added == 1
    assert [error.partition(",")[2].partition(":")[0].strip() for error in done.errors] == [
        "mechanism", "secret", "system_title",
    ]  # fmt: skip
    device = store.devices.by_serial("M1")
    assert device.flags == {"mechanism": 1, "client": 2, "physical": 17}
    assert device.system_title == bytes.fromhex("4d57590000000001")
    assert VAULT.open_all("M1", device.keys) == {"secret": b"\x01\x02"}


@given(st.text(alphabet=st.sampled_from('M1,"\n\r\0;\ufeffé0x a.'), max_size=200) | st.text(max_size=100))
@settings(max_examples=60)
def test_no_text_at_all_brings_anything_but_a_clear_refusal(text: str) -> None:
    with open_store("sqlite:///:memory:") as store:
        try:
            done = import_csv(io.StringIO(HEAD + text, newline=""), name="m.csv", store=store, vault=VAULT, now_ms=1)
        except ConfigError:
            return
        assert done.added == store.devices.count()
        assert all(error.startswith("m.csv line") for error in done.errors)


def test_the_reader_takes_quoted_fields(load: Callable[[str | bytes], Imported], store: Store) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["serial", "host", "port"], ["a,b", "h", "1"]])
    assert load(text.getvalue()).added == 1
    assert store.devices.by_serial("a,b").port == 1


@pytest.mark.covers("E-LNAP", "IF-G1")
def test_a_gateway_is_registered_with_the_secret_all_keys_there_derive_from(store: Store) -> None:
    text = io.StringIO("serial,profile,host,port,secret,party\nL1,lnap,::1,1,0x" + "11" * 16 + ",supplier\n")
    assert import_csv(text, name="g.csv", store=store, vault=VAULT, now_ms=0).added == 1
    gateway = store.devices.by_serial("L1")
    master = bytes.fromhex("11" * 16)
    assert (gateway.utility, gateway.flags["party"]) == ("gateway", "supplier")
    keys = VAULT.open_all("L1", gateway.keys)
    assert keys == {**keys_behind(master, "supplier", "L1", "L1"), MASTER: master}


@pytest.mark.covers("E-HES-1", "IF-H3")
def test_a_device_that_was_found_is_given_its_keys_and_stays_what_it_was_found_as(
    load: Callable[[str | bytes], Imported], store: Store
) -> None:
    nnap = store.devices.add(NewDevice(serial="N1", utility="gateway", profile="nnap"), now_ms=1)
    found = NewDevice(serial="M1", profile="home", utility="home", host="h", port=7, parent=nnap.id)
    device = store.devices.add(found, now_ms=1)
    assert (load(HEAD + "M1,127.0.0.1,4059,,,,\n").completed, store.devices.get(device.id).keys) == (0, None)
    done = load(HEAD + GOOD)
    assert (done.added, done.completed, done.errors) == (0, 1, [])
    now = store.devices.get(device.id)
    assert VAULT.open_all("M1", now.keys) == {"guek": bytes(16), "gak": b"\x11" * 16}
    assert (now.profile, now.utility, now.port, now.parent) == ("home", "home", 7, nnap.id)
    assert [task.due_ms for task in store.tasks.of_device(device.id)] == [5]
    again = load(HEAD + GOOD)
    assert again.completed == 0
    assert "already in the registry" in again.errors[0]


def test_what_has_the_place_of_a_concentrator_is_behind_it_and_not_due_yet(
    load: Callable[[str | bytes], Imported], store: Store
) -> None:
    rows = ("M1,idis,h,1", "N1,nnap,h,1", "M2,idis,h,2")
    assert load("serial,profile,host,port\n" + "".join(f"{row}\n" for row in rows)).added == 3
    assert load("serial,profile,host,port\nM3,idis,h,1\n").added == 1
    due = {row[:2]: len(store.tasks.of_device(store.devices.by_serial(row[:2]).id)) for row in (*rows, "M3")}
    assert due == {"M1": 0, "N1": 1, "M2": 1, "M3": 0}
