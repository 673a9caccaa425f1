"""M-Bus telegrams to readings: ours, pyMeterBus and pymbusparser (Rust) on the same octets.

``python benchmarks/mbus_decode.py`` prints the figures as JSON. CPU seconds for 1,000 telegrams, median of repeats, the
decoders taking turns. Ours goes all the way to readings with time, unit and quality; pyMeterBus to its JSON, the only
form in which it gives values; pymbusparser to its dict. A meter in the mix is asked again and again, as in the field:
its record headers are known, its values change.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from meterway.mapping.mbus import readings
from meterway.stacks.mbus.address import Address, manufacturer_code
from meterway.stacks.mbus.link.frames import LongFrame
from meterway.stacks.mbus.records.record import Record, make_record
from meterway.stacks.mbus.security import seal_payload
from meterway.stacks.mbus.telegram import decode
from meterway.stacks.mbus.tpl import Tpl
from meterway.stacks.mbus.wireless.frames import encode_radio

REPEATS: Final = 9
COUNT: Final = 300
KEY: Final = bytes(range(16))
START: Final = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)

Decoder = Callable[[bytes], Any]


def heat(rng: random.Random) -> list[Record]:
    """Twelve records of a heat meter."""
    now = (START + timedelta(minutes=rng.randrange(10**5))).replace(tzinfo=None)
    return [
        make_record(b"\x78", f"{rng.randrange(10**8):08d}", 12),
        make_record(b"\x06", rng.randrange(10**6) * 1000, 4),
        make_record(b"\x13", rng.randrange(10**6) / 1000, 4),
        make_record(b"\x2d", rng.randrange(300) * 100, 4),
        make_record(b"\x3b", rng.randrange(3000) / 1000, 4),
        make_record(b"\x5a", rng.randrange(400, 900) / 10, 2),
        make_record(b"\x5e", rng.randrange(200, 500) / 10, 2),
        make_record(b"\x61", rng.randrange(100, 4000) / 100, 2),
        make_record(b"\x6d", now, 4),
        make_record(b"\x06", rng.randrange(10**6) * 1000, 4, storage=1),
        make_record(b"\x6c", now.date(), 2, storage=1),
        make_record(b"\xfd\x17", 0, 2),
    ]


def water(rng: random.Random) -> list[Record]:
    """Seven records of a water meter."""
    now = (START + timedelta(minutes=rng.randrange(10**5))).replace(tzinfo=None)
    return [
        make_record(b"\x13", rng.randrange(10**6) / 1000, 12),
        make_record(b"\x6d", now, 4),
        make_record(b"\x3b", rng.randrange(3000) / 1000, 11),
        make_record(b"\x13", rng.randrange(10**6) / 1000, 12, storage=1),
        make_record(b"\x6c", now.date(), 2, storage=1),
        make_record(b"\x5b", rng.randrange(5, 30), 1),
        make_record(b"\xfd\x17", 0, 2),
    ]


def meter(rng: random.Random, device_type: int) -> Address:
    """One of fifty meters."""
    ident = f"{12345600 + rng.randrange(50):08d}"
    return Address(manufacturer=manufacturer_code("MWY"), ident=ident, version=1, device_type=device_type)


def wired(seed: int) -> list[bytes]:
    """Answers of heat meters on the two-wire bus."""
    rng = random.Random(seed)
    frames = []
    for number in range(COUNT):
        data = meter(rng, 4).to_wired() + bytes((number & 0xFF, 0, 0, 0))
        data += b"".join(record.encode() for record in heat(rng))
        frames.append(LongFrame(control=8, address=number % 250, ci=0x72, data=data).encode())
    return frames


def radio(seed: int, mode: int = 0) -> list[bytes]:
    """Telegrams of water meters as a receiver gives them."""
    rng = random.Random(seed)
    frames = []
    for number in range(COUNT):
        sender = meter(rng, 7)
        payload = b"".join(record.encode() for record in water(rng))
        tpl = Tpl(ci=0x7A, header="short", access=number & 0xFF, config=mode << 8)
        frames.append(encode_radio(0x44, sender, seal_payload(tpl, payload, KEY, sender=sender).encode()))
    return frames


def peers(key: bytes | None) -> dict[str, Decoder]:
    """The decoders that are installed; pyMeterBus has no keys."""
    found: dict[str, Decoder] = {}
    try:
        import pymbusparser
    except ImportError:
        pass
    else:
        parse = pymbusparser.parse
        found["pymbusparser"] = parse if key is None else lambda octets: parse(octets, key=key)
    try:
        import meterbus
    except ImportError:
        return found
    if key is None:
        found["pyMeterBus"] = lambda octets: meterbus.load(octets).to_JSON()
    return found


def cpu_s(work: Decoder, frames: list[bytes]) -> float:
    """CPU seconds for 1,000 telegrams."""
    start = time.process_time()
    for octets in frames:
        work(octets)
    return (time.process_time() - start) / len(frames) * 1000


def figure(name: str, make: Callable[[int], list[bytes]], key: bytes | None = None) -> dict[str, Any]:
    """One row: all decoders on the same fresh telegrams, in turns."""
    keys = [] if key is None else [key]
    decoders: dict[str, Decoder] = {"ours": lambda octets: readings(decode(octets, keys=keys)), **peers(key)}
    took: dict[str, list[float]] = {title: [] for title in decoders}
    for repeat in range(REPEATS + 1):
        frames = make(repeat)
        for title, work in decoders.items():
            spent = cpu_s(work, frames)
            if repeat:
                took[title].append(spent)
    middle = {title: round(statistics.median(times), 4) for title, times in took.items()}
    ours = middle.pop("ours")
    return {
        "name": f"M-Bus telegrams to readings, {name}",
        "unit": "CPU s per 1,000",
        "better": "lower",
        "ours": ours,
        "peers": middle,
        "ratios": {title: round(theirs / ours, 2) for title, theirs in middle.items()},
    }


def measure() -> list[dict[str, Any]]:
    """The figures of this benchmark."""
    return [
        {**figure("wired heat meters", wired), "target": {"pyMeterBus": 5, "pymbusparser": 1}, "limit": 0.05},
        {**figure("radio, plain", radio), "target": {"pyMeterBus": 5, "pymbusparser": 1}, "limit": 0.05},
        {
            **figure("radio, AES mode 5", lambda seed: radio(seed, mode=5), KEY),
            "target": {"pymbusparser": 1},
            "limit": 0.09,
        },
    ]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1, ensure_ascii=False))
