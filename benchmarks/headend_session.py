"""A whole session over loopback TCP: connect, HLS5-GMAC association, clock, a 96-row load profile, release.

Suite 0, authenticated encryption. Every client and the meter run in processes of their own; the figures are CPU time
of one session on each side, the profile decoded. Peers read the same meter: gurux-dlms (GPL) and dlms-cosem (BSL) run
as programs of their own (``session_peers``).

    python benchmarks/headend_session.py --profile head-end|meter     where the time goes
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import subprocess
import sys
import time
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
SERIAL = "BENCH1"
SECRET = bytes(range(16))
WARM, MEASURED = 100, 600
PEER_SESSIONS = {"gurux-dlms": 12, "dlms-cosem": 40}
ROWS = 96


def run(work: Coroutine[Any, Any, None]) -> None:
    """On uvloop, as the head end does where it is there."""
    if find_spec("uvloop") is None:
        asyncio.run(work)
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


# -- the meter --------------------------------------------------------------------------------------------------------


async def serve() -> None:
    """One meter; prints its port, then its CPU seconds so far for each line it reads."""
    from meterway.meter.api import Keys, ListenConfig, MeterConfig, serve_meters

    meter = MeterConfig(serial=SERIAL, keys=Keys.derive(SECRET, SERIAL), profile_days=35)
    async with serve_meters([meter], listen=[ListenConfig(port=0)]) as host:
        print(host.endpoints[0].port, flush=True)
        loop = asyncio.get_running_loop()
        while (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            print(time.process_time(), flush=True)


# -- the head end -----------------------------------------------------------------------------------------------------


def caller_of(port: int) -> tuple[Any, Any, Any]:
    """The head end's caller and the meter's entry, as collection uses them."""
    from meterway.headend.contact import Caller, Timing
    from meterway.headend.fleet import Fleet
    from meterway.meter.api import Keys
    from meterway.store.database import open_store
    from meterway.store.devices import NewDevice
    from meterway.store.vault import Vault

    store, vault, keys = open_store("sqlite:///:memory:"), Vault(bytes(32)), Keys.derive(SECRET, SERIAL)
    sealed = vault.seal_all(SERIAL, {"guek": keys.guek, "gak": keys.gak})
    device = store.devices.add(NewDevice(serial=SERIAL, profile="idis", port=port, keys=sealed), now_ms=1)
    fleet = Fleet(store, vault, system_title=b"MWYBENCH")
    entry = fleet.of(device.id)
    fleet.prepare([entry])
    return Caller(fleet, Timing()), entry, fleet


def script(start: float) -> Any:
    """Clock, then a day of the load profile."""
    from meterway.base.obis import Obis
    from meterway.headend.collect import CLOCK_TIME, range_selection
    from meterway.stacks.dlms.client.script import Get
    from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor

    yield Get(CLOCK_TIME)
    selection = range_selection(start, start + (ROWS - 1) * 900.0, -60)
    profile = yield Get(AttributeDescriptor(7, Obis(1, 0, 99, 1, 0), 2), selection)
    return profile


async def call(side: tuple[Any, Any, Any], count: int) -> float:
    """``count`` sessions one after the other; CPU seconds."""
    from meterway.headend.decode import decode_profile
    from meterway.headend.layout import Channel, ProfileLayout

    caller, entry, fleet = side
    layout = ProfileLayout(
        "1-0:99.1.0*255",
        900,
        0,
        1,
        tuple(Channel(2 + i, f"1-0:{c}.8.0*255", 0, 30) for i, c in enumerate((1, 2, 3, 4))),
    )
    start = time.time() // 86400 * 86400 - 3 * 86400
    begun = time.process_time()
    for number in range(count):
        if number % 400 == 399:
            fleet.prepare([entry])
        outcome = await caller.call(entry, script(start))
        assert outcome.cause == "ok", outcome.report
        rows = decode_profile(outcome.report.result, layout, latest_s=time.time())
        assert rows.values.shape == (4, ROWS), rows.values.shape
    return time.process_time() - begun


async def called(port: int) -> None:
    """The head end as a program: CPU milliseconds of a session once warm, on standard output."""
    side = caller_of(port)
    await call(side, WARM)
    print("warm", flush=True)
    sys.stdin.readline()
    print(await call(side, MEASURED) * 1000 / MEASURED, flush=True)


# -- measuring --------------------------------------------------------------------------------------------------------


class Program:
    """One process that is talked to line by line."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def line(self, said: str | None = None) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if said is not None:
            self.process.stdin.write(said + "\n")
            self.process.stdin.flush()
        told = self.process.stdout.readline().strip()
        assert told, f"{self.process.args!r} said nothing"
        return told

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def against(meter: Program, count: int, *words: str) -> tuple[float, float]:
    """CPU milliseconds of a session on the client's side and on the meter's."""
    client = Program(*words)
    client.line()
    before = float(meter.line("cpu"))
    ours = float(client.line("go"))
    theirs = float(meter.line("cpu")) - before
    client.end()
    return ours, theirs * 1000 / count


def measure() -> list[dict[str, Any]]:
    """The head end's and the meter's share, peers as clients beside it."""
    meter = Program(str(HERE), "--serve")
    port = meter.line()
    head_end, served = against(meter, MEASURED, str(HERE), "--call", port)
    peers, keys = {}, _keys()
    for name, count in PEER_SESSIONS.items():
        if find_spec(name.replace("-", "_")) is not None:
            job = json.dumps({"peer": name, "port": int(port), "count": count, "rows": ROWS, **keys})
            peers[name], _ = against(meter, count, str(HERE.with_name("session_peers.py")), job)
    meter.end()
    name = f"session (connect, HLS5-GMAC, clock, {ROWS} rows, release)"
    return [
        {
            "name": f"{name}, client CPU",
            "unit": "ms",
            "ours": head_end,
            "peers": peers,
            "better": "lower",
            "limit": 0.4,
        },
        {"name": f"{name}, meter CPU", "unit": "ms", "ours": served, "better": "lower", "limit": 0.3},
    ]


def _keys() -> dict[str, str]:
    from meterway.meter.api import Keys

    keys = Keys.derive(SECRET, SERIAL)
    return {"guek": keys.guek.hex(), "gak": keys.gak.hex()}


def profiled(side: str) -> None:
    """Print where one side's time goes."""
    if side == "meter":
        meter = Program("-m", "cProfile", "-s", "tottime", str(HERE), "--serve")
        port = meter.line()
        client = Program(str(HERE), "--call", port)
        client.line()
        client.line("go")
        client.end()
        assert meter.process.stdin is not None
        meter.process.stdin.close()
        assert meter.process.stdout is not None
        print("".join(meter.process.stdout.readlines()[:60]))
        return
    meter = Program(str(HERE), "--serve")
    port = int(meter.line())
    profile = cProfile.Profile(time.process_time)

    async def work() -> None:
        side = caller_of(port)
        await call(side, WARM)
        profile.enable()
        await call(side, MEASURED)
        profile.disable()

    run(work())
    meter.end()
    pstats.Stats(profile).sort_stats("cumtime").print_stats(70)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--serve", action="store_true")
    asked.add_argument("--call", type=int)
    asked.add_argument("--profile", choices=("head-end", "meter"))
    given = asked.parse_args()
    if given.serve:
        run(serve())
    elif given.call:
        run(called(given.call))
    elif given.profile:
        profiled(given.profile)
    else:
        print(json.dumps(measure(), indent=1))


if __name__ == "__main__":
    main()
