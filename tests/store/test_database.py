"""Opening a store, and what happens when that or the disk fails."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from meterway.base.errors import StoreError
from meterway.base.obis import Obis
from meterway.store import sqlite
from meterway.store.block import DAY_S, Block, Channel, Column
from meterway.store.blocks import NewBlock
from meterway.store.database import Store, open_store
from meterway.store.devices import NewDevice
from meterway.store.packing import pack

DAY = 20_000


def day(device: int, number: int) -> NewBlock:
    values = np.random.default_rng(number).integers(0, 60_000, 96)
    column = Column(obis=Obis(1, 0, 1, 29, 0), unit=30)
    block = Block(start_s=number * DAY_S, interval_s=900, channels=(Channel.of(column, values),))
    return NewBlock(device=device, packed=pack(block))


def test_a_store_is_made_on_first_opening_and_found_again(url: str) -> None:
    with open_store(url) as store:
        store.settings.put("town", "Aldorf")
    with open_store(url) as store:
        assert store.settings.get("town") == "Aldorf"


def test_many_may_open_a_new_store_at_once(url: str) -> None:
    def use(number: int) -> None:
        with open_store(url) as store:
            store.settings.put(str(number), "")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(use, range(3)))
    with open_store(url) as store:
        assert len(store.settings.all()) == 3


def test_a_store_of_a_newer_version_is_refused_untouched(url: str) -> None:
    with open_store(url) as store:
        store.session.change("UPDATE alembic_version SET version_num = 'r9999'")
    with pytest.raises(StoreError, match=r"newer version .schema r9999"):
        open_store(url)


def test_a_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE device (name TEXT)")
    other.close()
    with pytest.raises(StoreError, match="another program"):
        open_store(f"sqlite:///{path}")


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere does not exist"):
        open_store(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_a_file_that_is_no_database_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(f"sqlite:///{tmp_path}")
    path = tmp_path / "letter.txt"
    path.write_text("Dear meter, " * 100)
    with pytest.raises(StoreError, match=r"letter\.txt is not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear meter")


def test_an_address_of_another_kind_is_refused_without_showing_its_password() -> None:
    with pytest.raises(StoreError) as caught:
        open_store("mysql://me:secret@host/name")
    assert "secret" not in str(caught.value)


@pytest.mark.needs("postgres")
def test_a_server_that_does_not_answer_is_named_without_the_password(cluster: str) -> None:
    folder = cluster.partition("host=")[2]
    with pytest.raises(StoreError) as caught:
        open_store(f"postgresql://me:secret@/nothing?host={folder}/nowhere")
    assert "secret" not in str(caught.value)
    assert "cannot be reached" in str(caught.value)


def test_a_full_disk_refuses_the_whole_batch_and_keeps_what_was_there(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        device = store.devices.add(NewDevice(serial="M1"), now_ms=0).id
        store.blocks.upsert_many([day(device, DAY)], now_ms=1)
        with store.session.connection() as connection:
            (pages,) = connection.cursor().execute("PRAGMA page_count").fetchone()  # type: ignore[attr-defined]
            connection.cursor().execute(f"PRAGMA max_page_count = {pages + 4}")
        many = [day(device, DAY + 1 + number) for number in range(300)]
        with pytest.raises(StoreError, match="no space is left"):
            store.blocks.upsert_many(many, now_ms=2)
        assert [each.day for each in store.blocks.read_range(device, DAY, DAY + 400)] == [DAY]
        # The connection that failed is gone; with room again the same batch goes in.
        assert store.blocks.upsert_many(many, now_ms=3).new == 300


def test_a_database_that_stays_locked_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.db"
    with open_store(f"sqlite:///{path}"):
        pass
    monkeypatch.setattr(sqlite, "BUSY_S", 0.0)
    holder = sqlite3.connect(path, isolation_level=None)
    with open_store(f"sqlite:///{path}") as store:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.settings.put("a", "1")
        assert store.settings.get("a") == ""
        holder.execute("ROLLBACK")
        store.settings.put("a", "1")
    holder.close()


def test_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_store(f"sqlite:///{path}") as store:
        device = store.devices.add(NewDevice(serial="M1"), now_ms=0).id
        store.blocks.upsert_many([day(device, DAY + number) for number in range(50)], now_ms=1)
    octets = bytearray(path.read_bytes())
    for at in range(4096, len(octets)):
        octets[at] = 0xA5
    path.write_bytes(octets)
    with pytest.raises(StoreError, match=r"damaged|not a database"), open_store(f"sqlite:///{path}") as store:
        store.blocks.read_range(device, DAY, DAY + 50)


WRITER = """
import sys
from importlib import util
spec = util.spec_from_file_location("given", sys.argv[2])
given = util.module_from_spec(spec)
spec.loader.exec_module(given)
with given.open_store(sys.argv[1]) as store:
    device = store.devices.by_serial("M1").id
    for number in range(0, 100000, 5):
        store.blocks.upsert_many([given.day(device, given.DAY + number + each) for each in range(5)], now_ms=1)
        print(number, flush=True)
"""


@pytest.mark.covers("UC-BI-01")
def test_a_killed_writer_loses_nothing_it_acknowledged_and_doubles_nothing(url: str, store: Store) -> None:
    device = store.devices.add(NewDevice(serial="M1"), now_ms=0).id
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url, __file__], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(12)]
    writer.kill()
    acknowledged += [int(line) for line in writer.stdout.read().splitlines() if line]
    writer.wait()
    writer.stdout.close()
    with open_store(url) as reopened:
        days = [each.day - DAY for each in reopened.blocks.read_range(device, DAY, DAY + 40_000)]
        assert days == list(range(len(days)))
        assert len(days) % 5 == 0
        assert len(days) >= acknowledged[-1] + 5
        again = [day(device, DAY + number) for number in range(acknowledged[-1] + 5)]
        assert reopened.blocks.upsert_many(again, now_ms=2).unchanged == len(again)
