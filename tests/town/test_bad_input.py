"""What a meter, a line or a disk can do wrong: a clear word, a count, and nobody else notices."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from meterway.base.errors import ConfigError, MeterwayError, StoreError
from meterway.base.obis import Obis
from meterway.headend.commands import Command
from meterway.headend.config import HeadEndConfig, PushConfig
from meterway.headend.contact import Outcome
from meterway.headend.rules import CAUSES
from meterway.headend.serve import HeadEnd
from meterway.links import tcp
from meterway.meter.api import Fault, inject
from meterway.stacks.dlms.client.session import SessionDone
from meterway.stacks.dlms.security.counter import ReceivedCounter
from meterway.store import sqlite
from meterway.store.database import open_store
from meterway.store.driver import Row
from meterway.store.session import Session
from meterway.store.vault import Vault
from town.towns import MASTER, Time, Town, town, until

NAME = Command(obis=Obis(0, 0, 42, 0, 0))
FAULTS = [
    (Fault.HANG, "timeout"),
    (Fault.CLOSE_MID_FRAME, "link"),
    (Fault.WRONG_INVOKE_ID, "protocol"),
    (Fault.WRONG_KEY, "authentication"),
    (Fault.ENDLESS_BLOCKS, "protocol"),
    (Fault.CLOCK_YEARS_OFF, "clock"),
]


@pytest.mark.covers("SEC-11", "SEC-12", "UC-BI-01")
@pytest.mark.parametrize(("fault", "cause"), FAULTS)
def test_a_faulty_meter_is_counted_by_its_cause_and_the_others_are_read(
    tmp_path: Path, fault: Fault, cause: str
) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", "M3", scheduled=True, response_timeout_s=1.5, retry_longest_s=60.0) as at:
            inject(at.host, "M2", fault)
            progress = at.head_end.collector.progress
            await until(lambda: progress.causes[cause] >= 1 and len(progress.read) >= 2)
            bad = at.device("M2")
            assert bad not in progress.read
            assert at.store.readings.latest(bad) == []
            assert at.store.blocks.read_range(bad, 20_000, 40_000) == []
            (contact, *_) = at.store.contacts.of_device(bad)
            assert contact.result == cause
            assert contact.error
            assert at.store.devices.get(bad).state == "failing"
            assert cause in CAUSES

    asyncio.run(work())


@pytest.mark.covers("UC-IN-02", "F2b")
def test_a_clock_years_off_is_set_and_then_its_readings_are_taken(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            inject(at.host, "M1", Fault.CLOCK_YEARS_OFF)
            first = await at.collect("M1")
            assert first["cause"] == "clock"
            assert "days off" in str(first["error"])
            assert first["values"] == 0
            assert abs(at.host.meters["M1"].clock_error_s(clock())) < 2
            assert (await at.collect("M1"))["cause"] == "ok"
            stored = at.store.blocks.read_range(at.device("M1"), 0, 30_000)
            assert {each.day for each in stored} <= set(range(int(clock()) // 86400 - 4, int(clock()) // 86400 + 1))

    asyncio.run(work())


@pytest.mark.covers("UC-IN-02")
def test_a_clock_is_left_alone_when_the_settings_say_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", set_clock=False) as at:
            inject(at.host, "M1", Fault.CLOCK_YEARS_OFF)
            assert [(await at.collect("M1"))["cause"] for _ in range(2)] == ["clock", "clock"]
            assert at.host.meters["M1"].clock_offset_s < -1e8
            assert at.store.events.recent() == []

    asyncio.run(work())


@pytest.mark.covers("UC-IN-02")
def test_a_clock_minutes_off_is_set_and_its_readings_are_kept(tmp_path: Path, clock: Time) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            at.host.meters["M1"].clock_offset_s = 200.0
            assert (await at.collect("M1"))["cause"] == "ok"
            assert at.contact("M1")["clock_offset_s"] == pytest.approx(200, abs=3)
            assert abs(at.host.meters["M1"].clock_error_s(clock())) < 2

    asyncio.run(work())


@pytest.mark.covers("SEC-05", "SEC-11")
def test_a_meter_that_repeats_an_invocation_counter_is_refused(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            entry = await at.head_end.collector.in_thread(lambda: at.head_end.fleet.by_serial("M1"))
            entry.received = ReceivedCounter(0xFFFFFFF0)
            done = await at.collect("M1")
            assert (done["cause"], done["values"]) == ("counter", 0)
            assert "replayed" in str(done["error"])

    asyncio.run(work())


class Relay(asyncio.Protocol):
    """Between head end and meter; ``spoil`` sees each piece that the meter sends, with its number."""

    def __init__(self, port: int, spoil: Callable[[int, bytes], bytes | None]) -> None:
        self.port, self.spoil, self.number = port, spoil, 0
        self.up: asyncio.Transport | None = None
        self.down: asyncio.Transport | None = None
        self.waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.down = transport  # type: ignore[assignment]
        self.dialling = asyncio.get_running_loop().create_task(self.dial())

    async def dial(self) -> None:
        relay = self

        class Up(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                relay.up = transport  # type: ignore[assignment]
                relay.up.write(relay.waiting)  # type: ignore[union-attr]

            def data_received(self, data: bytes) -> None:
                relay.number += 1
                spoilt = relay.spoil(relay.number, data)
                if relay.down is not None:
                    relay.down.write(spoilt) if spoilt is not None else relay.down.close()

        await asyncio.get_running_loop().create_connection(Up, "127.0.0.1", self.port)

    def data_received(self, data: bytes) -> None:
        if self.up is None:
            self.waiting += data
        else:
            self.up.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.up is not None:
            self.up.close()


async def with_relay(at: Town, serial: str, spoil: Callable[[int, bytes], bytes | None]) -> dict[str, int | str]:
    """One collection through a line that spoils what the meter says."""
    endpoint = next(each for each in at.host.endpoints if each.serial == serial)
    listener = await tcp.listen("127.0.0.1", 0, lambda: Relay(endpoint.port, spoil))
    at.store.devices.update(at.device(serial), {"port": listener.port}, now_ms=2)
    at.head_end.fleet.forget(at.device(serial))
    try:
        return await at.collect(serial)
    finally:
        listener.close()
        at.store.devices.update(at.device(serial), {"port": endpoint.port}, now_ms=2)
        at.head_end.fleet.forget(at.device(serial))


@pytest.mark.covers("SEC-11")
@pytest.mark.parametrize("number", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("way", ["cut", "flip", "flip-head", "twice", "endless"])
def test_a_spoilt_answer_is_an_outcome_and_the_next_collection_is_whole(tmp_path: Path, number: int, way: str) -> None:
    def spoil(piece: int, data: bytes) -> bytes | None:
        if piece != number:
            return None if way == "cut" and piece > number else data
        if way == "cut":
            return data[: len(data) // 2]
        if way == "twice":
            return data + data
        if way == "endless":
            return data[:6] + b"\xff\xff" + data[8:]
        at = 9 if way == "flip-head" else len(data) - 3
        return data[:at] + bytes((data[at] ^ 0x41,)) + data[at + 1 :]

    async def work() -> None:
        async with town(tmp_path, "M1", response_timeout_s=0.4) as at:
            spoilt = await with_relay(at, "M1", spoil)
            assert spoilt["cause"] in {"ok", *CAUSES} - {"internal"}
            assert spoilt["cause"] == "ok" or spoilt["error"]
            assert spoilt["cause"] != "ok" or way == "twice"
            assert (await at.collect("M1"))["cause"] == "ok"

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01")
def test_a_session_that_breaks_off_keeps_what_it_had(tmp_path: Path) -> None:
    def cut_at(limit: int) -> Callable[[int, bytes], bytes | None]:
        return lambda piece, data: data if piece < limit else None

    async def work() -> None:
        async with town(tmp_path, "M1", response_timeout_s=0.5) as at:
            assert (await at.collect("M1"))["cause"] == "ok"
            kept = len(at.store.readings.latest(at.device("M1")))
            broken = await with_relay(at, "M1", cut_at(5))
            assert broken["cause"] == "link"
            assert broken["values"] == kept
            detail = at.store.contacts.of_device(at.device("M1"))[0]
            assert (detail.result, detail.values_read) == ("link", kept)

    asyncio.run(work())


class FullDisk:
    """A disk that takes nothing while ``full`` (of the tables named)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.tables: tuple[str, ...] = ("",)
        real_many, real_change = Session.write_many, Session.change

        def write_many(session: Session, sql: str, rows: Iterable[Row]) -> int:
            self.check(session, sql)
            return real_many(session, sql, rows)

        def change(session: Session, sql: str, params: Any = None) -> int:
            self.check(session, sql)
            return real_change(session, sql, params)

        monkeypatch.setattr(Session, "write_many", write_many)
        monkeypatch.setattr(Session, "change", change)

    def check(self, session: Session, sql: str) -> None:
        if self.full and any(table in sql for table in self.tables):
            error = sqlite3.OperationalError("database or disk is full")
            raise sqlite.explain(error, session.dialect.where) from error


@pytest.mark.covers("UC-BI-01", "E-HES-2")
def test_nothing_is_half_written_on_a_full_disk_and_collection_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)

    async def work() -> None:
        async with town(tmp_path, "M1", "M2", scheduled=True, retry_longest_s=0.1) as at:
            disk.full = True
            progress = at.head_end.collector.progress
            await until(lambda: progress.causes["store"] >= 1)
            assert "no space is left" in progress.store_error
            assert at.store.blocks.read_range(at.device("M1"), 20_000, 40_000) == []
            assert at.store.tasks.counts().get("done") is None
            assert progress.read == set()
            disk.full = False
            await until(lambda: len(progress.read) == 2)
            assert at.store.tasks.counts()["done"] == 2
            assert progress.store_error == ""

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01")
def test_a_disk_that_fills_up_while_storing_leaves_no_row_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    disk.tables = ("INTO event", "UPDATE event")

    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            disk.full = True
            done = await at.collect("M1")
            assert (done["cause"], done["values"]) == ("store", 0)
            device = at.device("M1")
            assert at.store.blocks.read_range(device, 20_000, 40_000) == []
            assert at.store.readings.latest(device) == []
            assert "read:1-0:99.1.0*255" not in at.store.counters.all(device)
            disk.full = False
            assert (await at.collect("M1"))["cause"] == "ok"
            assert at.store.blocks.read_range(device, 20_000, 40_000)

    asyncio.run(work())


@pytest.mark.covers("UC-BI-01")
def test_a_row_that_the_store_refuses_keeps_no_other_meter_out(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", "M3", scheduled=True, retry_longest_s=60.0) as at:
            progress = at.head_end.collector.progress
            await until(lambda: len(progress.read) == 3)
            device = at.device("M2")
            at.store.session.change(
                "UPDATE interval_block SET octets = :junk WHERE device = :device",
                {
                    "junk": b"junk",
                    "device": device,
                },
            )
            at.store.session.change("DELETE FROM counter WHERE name LIKE 'read:%'")
            at.store.session.change("UPDATE device_task SET due_ms = 1 WHERE state = 'due'")
            progress.read.clear()
            at.head_end.collector.wake()
            await until(lambda: len(progress.read) == 2 and progress.causes["store"] >= 1)
            assert device not in progress.read
            contact = at.store.contacts.of_device(device)[0]
            assert contact.result == "store"
            assert f"device {device}" in contact.error
            assert at.store.tasks.of_device(device)[0].state == "due"

    asyncio.run(work())


@pytest.mark.covers("SEC-07")
def test_bad_registry_rows_fail_alone_with_a_clear_cause(tmp_path: Path) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", "M3", "M4", "M5", "M6", retry_longest_s=60.0) as at:
            other = Vault(bytes(32))
            changes: dict[str, dict[str, object]] = {
                "M1": {"profile": "nowhere"},
                "M2": {"keys": other.seal_all("M2", {"guek": bytes(16), "gak": bytes(16)})},
                "M3": {"flags": {"client": "many"}},
                "M4": {"host": "a\0b"},
                "M5": {"keys": None},
            }
            for serial, change in changes.items():
                at.store.devices.update(at.device(serial), change, now_ms=2)
            await at.schedule()
            progress = at.head_end.collector.progress
            await until(lambda: progress.contacts >= 6)
            assert progress.read == {at.device("M6")}
            results = {serial: at.store.contacts.of_device(at.device(serial))[0].result for serial in (*changes, "M6")}
            assert results == {"M1": "config", "M2": "key", "M3": "config", "M4": "config", "M5": "key", "M6": "ok"}

    asyncio.run(work())


@pytest.mark.covers("E-HES-5")
def test_a_port_that_is_taken_is_said_and_nothing_is_left_open(tmp_path: Path) -> None:
    async def work() -> None:
        listener = await tcp.listen("127.0.0.1", 0, asyncio.Protocol)
        head_end = HeadEnd(
            HeadEndConfig(push=PushConfig(port=listener.port)),
            store=open_store(f"sqlite:///{tmp_path / 'store.db'}"),
            vault=Vault(MASTER),
        )
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{listener.port}"):
            await head_end.start()
        await head_end.stop()
        listener.close()

    asyncio.run(work())


def test_a_fault_of_this_program_ends_one_call_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with town(tmp_path, "M1", "M2", retry_longest_s=60.0) as at:
            real = at.head_end.caller.call

            async def call(entry: Any, script: Any) -> Outcome[Any]:
                if entry.device.serial == "M1":
                    script.close()
                    raise RuntimeError("a slip of ours")
                done: Outcome[Any] = await real(entry, script)
                assert isinstance(done.report, SessionDone)
                return done

            monkeypatch.setattr(at.head_end.caller, "call", call)
            await at.schedule()
            progress = at.head_end.collector.progress
            await until(lambda: progress.contacts >= 2)
            assert progress.causes == {"internal": 1, "ok": 1}

    asyncio.run(work())


@pytest.mark.covers("UC-BI-02", "E-HES-10")
def test_a_command_that_cannot_be_put_on_record_is_not_carried_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    disk.tables = ("INTO audit",)

    async def work() -> None:
        async with town(tmp_path, "M1") as at:
            disk.full = True
            before = at.host.meters["M1"].control_state
            switch = Command(obis=Obis(0, 0, 96, 3, 10), method="remote_disconnect", class_id=70)
            with pytest.raises(StoreError, match="no space"):
                await at.head_end.act("M1", switch, actor="me")
            assert at.host.meters["M1"].control_state is before
            with pytest.raises(MeterwayError):
                await at.head_end.read("M1", NAME, actor="me")

    asyncio.run(work())
