"""Devices in memory: keys, counters, layouts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from headend.headends import KEYS, LAYOUT, TITLE, VAULT, device, fleet_of
from meterway.base.errors import ConfigError, SecurityError, StoreError
from meterway.headend.fleet import Entry, Fleet
from meterway.stacks.dlms.client import ClientSettings
from meterway.stacks.dlms.security.context import Keys
from meterway.store.counters import Counters
from meterway.store.database import Store, open_store
from meterway.store.devices import GATEWAY, NewDevice
from meterway.store.nodes import Node
from meterway.store.vault import Vault


@pytest.fixture(autouse=True)
def registered(store: Store) -> None:
    store.devices.add_many([device("M1"), device("M2", transport="hdlc")], now_ms=1)


def test_an_entry_has_its_keys_opened_and_its_layout_read(store: Store) -> None:
    store.settings.put("layout:1", LAYOUT.encode())
    entry = fleet_of(store).by_serial("M1")
    assert (entry.keys().encryption, entry.keys().authentication) == (KEYS["guek"], KEYS["gak"])
    assert entry.layout == LAYOUT
    assert entry.cipher() is entry.cipher()
    with pytest.raises(StoreError, match="no device"):
        fleet_of(store).by_serial("M9")


def test_an_unreadable_layout_is_learnt_anew(store: Store) -> None:
    store.settings.put("layout:1", "{")
    assert fleet_of(store).of(1).layout is None


@pytest.mark.covers("SEC-07")
def test_keys_that_do_not_open_are_an_error_when_they_are_wanted(store: Store) -> None:
    entry = Fleet(store, Vault(bytes(32)), system_title=b"MWYHEAD1").of(1)
    for wanted in (entry.keys, entry.secret, entry.cipher):
        with pytest.raises(SecurityError, match="does not open") as error:
            wanted()
        assert error.value.check == "key"


def test_missing_keys_are_said(store: Store) -> None:
    store.devices.update(1, {"keys": None}, now_ms=2)
    entry = fleet_of(store).of(1)
    assert not entry.has_keys
    with pytest.raises(SecurityError, match="no keys of M1"):
        entry.keys()
    with pytest.raises(SecurityError, match="no password of M1"):
        entry.secret()


@pytest.mark.covers("SEC-05")
def test_counters_are_on_disk_before_they_are_used_and_never_come_back(store: Store) -> None:
    first = fleet_of(store)
    first.prepare([first.of(1), first.of(1)])
    sent = first.of(1).sent
    assert sent is not None
    assert sent.take() == 0
    assert store.counters.next(1, "sent") == 10_000
    again = fleet_of(store)
    again.prepare([again.of(1)])
    assert again.of(1).sent is not None
    assert again.of(1).sent.take() == 10_000  # type: ignore[union-attr]
    first.prepare([first.of(1)])
    assert first.of(1).sent.take() == 20_000  # type: ignore[union-attr]


@pytest.mark.covers("SEC-05")
def test_a_reservation_that_did_not_reach_the_disk_is_not_used(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = fleet_of(store)
    real = Counters.reserve

    def reserve(self: Counters, device: int, name: str, many: int, *, at_least: int = 0) -> range:
        if device == 2:
            raise StoreError("no space is left")
        return real(self, device, name, many, at_least=at_least)

    monkeypatch.setattr(Counters, "reserve", reserve)
    with pytest.raises(StoreError):
        fleet.prepare([fleet.of(1), fleet.of(2)])
    assert fleet.of(1).sent is None
    assert store.counters.next(1, "sent") == 0


@pytest.mark.covers("SEC-05")
def test_few_counters_left_are_refilled_and_received_ones_only_rise(store: Store) -> None:
    fleet = fleet_of(store)
    entry = fleet.of(1)
    fleet.prepare([entry])
    assert entry.sent is not None
    assert entry.received is not None
    entry.sent.raise_to(9000)
    entry.received.last = 77
    fleet.prepare([entry])
    assert entry.sent.next == 10_000
    assert entry.received.last == 77
    assert fleet.received_counters([entry]) == {(1, "received"): 78}
    store.counters.raise_to(1, "received", 500)
    fleet.prepare([entry])
    assert entry.received.last == 499


def test_a_device_has_one_entry_whichever_thread_asks(tmp_path: object) -> None:
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        store.devices.add(device("M1"), now_ms=1)
        fleet = fleet_of(store)
        with ThreadPoolExecutor(8) as pool:
            entries = {id(entry) for entry in pool.map(lambda _: fleet.of(1), range(64))}
        assert len(entries) == 1
        before = fleet.of(1)
        fleet.forget(1)
        assert fleet.by_serial("M1") is not before


def test_a_client_is_made_for_every_way_to_associate(store: Store) -> None:
    fleet = fleet_of(store)
    fleet.prepare([fleet.of(1), fleet.of(2)])
    for number in (1, 2):
        assert fleet.client(fleet.of(number), response_timeout_s=1.0).next_timeout() is None
    sealed = VAULT.seal_all("M3", {"secret": b"12345678"})
    store.devices.add_many([device("M4", flags={"mechanism": 0}), device("M5", flags={"client": "x"})], now_ms=1)
    store.devices.update(3, {"keys": sealed, "flags": {"mechanism": 0}}, now_ms=2)
    fleet.client(fleet.of(3), response_timeout_s=1.0)
    with pytest.raises(ConfigError, match="flag client must be a whole number"):
        fleet.client(fleet.of(4), response_timeout_s=1.0)


@pytest.mark.covers("SEC-05")
def test_how_to_associate_is_kept_until_the_device_or_its_counters_change(store: Store) -> None:
    entry = fleet_of(store).of(1)
    made: list[ClientSettings] = []

    def make(given: Entry, timeout_s: float) -> ClientSettings:
        made.append(ClientSettings(send_counter=given.sent, received=given.received, response_timeout_s=timeout_s))
        return made[-1]

    assert entry.settings(1.0, make) is entry.settings(1.0, make)
    entry.take_counters(range(5, 100), 3)
    assert entry.settings(1.0, make).send_counter is entry.sent
    assert entry.settings(2.0, make).response_timeout_s == 2.0
    entry.device = replace(entry.device, host="elsewhere")
    entry.settings(2.0, make)
    assert len(made) == 4


def test_a_head_end_needs_a_title_of_eight_octets(store: Store) -> None:
    with pytest.raises(ConfigError, match="8 octets, not 3"):
        Fleet(store, VAULT, system_title=b"abc")


@pytest.mark.covers("SEC-05")
def test_a_database_that_is_put_back_repeats_no_counter(store: Store) -> None:
    noon = 1_795_000_000.0
    running = Fleet(store, VAULT, system_title=TITLE, unix=lambda: noon)
    running.prepare([running.of(1)])
    used = running.of(1).sent
    assert used is not None
    last = max(used.take() for _ in range(500))
    store.counters.begin_anew(1, running.of(1).counter_names[0])  # as in a backup from before
    restored = Fleet(store, VAULT, system_title=TITLE, unix=lambda: noon + 86400)
    restored.prepare([restored.of(1)])
    fresh = restored.of(1).sent
    assert fresh is not None
    assert fresh.take() > last


def test_keys_that_were_imported_since_are_taken_when_the_device_is_called_next(store: Store) -> None:
    found = store.devices.add(NewDevice(serial="X1"), now_ms=1)
    fleet = fleet_of(store)
    entry = fleet.of(found.id)
    fleet.prepare([entry])
    assert not entry.has_keys
    store.devices.update(found.id, {"keys": VAULT.seal_all("X1", KEYS)}, now_ms=2)
    fleet.prepare([entry])
    assert entry.keys() == Keys(KEYS["guek"], KEYS["gak"])


@pytest.mark.covers("IF-H3")
def test_a_load_controller_is_asked_as_the_client_that_it_has(store: Store) -> None:
    nnap = store.devices.add(NewDevice(serial="N1", utility=GATEWAY, profile="nnap"), now_ms=1)
    fleet = Fleet(store, VAULT, system_title=TITLE, client=1, far_client=3)
    asked = {}
    for number, profile in enumerate(("home", "idis", "unheard-of"), 1):
        keys = VAULT.seal_all(f"D{number}", KEYS)
        behind = store.devices.add(NewDevice(serial=f"D{number}", profile=profile, parent=nnap.id, keys=keys), now_ms=1)
        store.nodes.put_many([Node(device=behind.id, nnap=nnap.id, eui=b"1234567%d" % number)])
        entry = fleet.of(behind.id)
        fleet.prepare([entry])
        asked[profile] = fleet._client_for(entry, is_managing=False)
    assert asked == {"home": 1, "idis": 3, "unheard-of": 3}


@pytest.mark.covers("SEC-05")
def test_a_short_use_costs_only_the_counters_it_used(store: Store) -> None:
    for turn in range(3):
        fleet = fleet_of(store)
        entry = fleet.of(1)
        fleet.prepare([entry, fleet.of(2)])
        assert entry.sent is not None
        assert [entry.sent.take() for _ in range(4)] == list(range(4 * turn, 4 * turn + 4))
        assert fleet.give_back() == 2
        assert entry.sent is None
    assert (store.counters.next(1, "sent"), store.counters.next(2, "sent")) == (12, 0)


@pytest.mark.covers("SEC-05")
def test_counters_that_somebody_has_reserved_behind_ours_are_not_given_back(store: Store) -> None:
    one, other = fleet_of(store), fleet_of(store)
    one.prepare([one.of(1)])
    other.prepare([other.of(1)])
    assert one.give_back() == 0
    ours = other.of(1).sent
    assert ours is not None
    assert ours.take() == 10_000
    assert other.give_back() == 1
    assert store.counters.next(1, "sent") == 10_001
