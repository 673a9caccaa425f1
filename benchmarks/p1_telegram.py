"""A P1 telegram of DSMR 5, decoded to typed values with its CRC: ours and dsmr_parser on the same telegrams.

``python benchmarks/p1_telegram.py`` prints the figures as JSON. CPU time a telegram, median of repeats, the two taking
turns. ``live feed`` is a meter's port second by second: clock, power, voltage and the running register change, the rest
stays. ``all new`` changes every value of every telegram, so that nothing remembered helps.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from meterway.stacks.p1.build import ChannelValues, P1Values, PhaseValues, dutch
from meterway.stacks.p1.telegram import decode, encode
from meterway.stacks.p1.values import value_of

REPEATS: Final = 9
COUNT: Final = 120
START: Final = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)


def live(count: int, seed: int) -> list[bytes]:
    """Telegrams of one meter at one-second intervals."""
    rng = random.Random(seed)
    energy = 4_567_890
    feed = []
    for second in range(count):
        power = 800 + rng.randrange(400)
        energy += power // 3600 + rng.randrange(2)
        feed.append(telegram(START + timedelta(seconds=second), (1_234_567, energy), power, rng, (4, 2)))
    return feed


def all_new(count: int, seed: int) -> list[bytes]:
    """Telegrams that share no value."""
    rng = random.Random(seed)
    return [
        telegram(
            START + timedelta(seconds=rng.randrange(10**7)),
            (rng.randrange(10**9), rng.randrange(10**9)),
            rng.randrange(20_000),
            rng,
            (rng.randrange(10**5), rng.randrange(10**5)),
        )
        for _ in range(count)
    ]


def telegram(
    now: datetime, energy: tuple[int, int], power: int, rng: random.Random, failures: tuple[int, int]
) -> bytes:
    """One Dutch telegram of three phases with a gas meter."""
    far = failures[0] > 100
    phases = tuple(
        PhaseValues(
            power_in_w=rng.randrange(20_000) if far else power // 3,
            power_out_w=rng.randrange(20_000) if far else 0,
            voltage_v=Decimal(2200 + rng.randrange(150)) / 10,
            current_a=power // 690,
            sags=rng.randrange(10**5) if far else 3,
            swells=rng.randrange(10**5) if far else 0,
        )
        for _ in range(3)
    )
    gas = Decimal(rng.randrange(10**8)) / 1000 if far else Decimal("1246.138")
    hour = now.replace(minute=0, second=0)
    return encode(
        dutch(
            P1Values(
                serial=f"E{rng.randrange(10**16):016d}" if far else "E0012345678901234",
                time=now,
                energy_in_wh=energy,
                energy_out_wh=(rng.randrange(10**9), rng.randrange(10**9)) if far else (0, 0),
                power_in_w=power,
                power_out_w=rng.randrange(20_000) if far else 0,
                phases=phases,
                tariff=2,
                power_failures=failures[0],
                long_power_failures=failures[1],
                failure_log=((START, failures[1]),),
                channels=(ChannelValues(channel=1, device_type=3, serial="G0098765432109876", time=hour, value=gas),),
            )
        )
    )


def ours(octets: bytes) -> None:
    """Decode with CRC and give every object its type."""
    for entry in decode(octets).objects:
        value_of(entry)


def peer() -> Callable[[bytes], Any] | None:
    """dsmr_parser with its CRC check, or None if it is not installed."""
    try:
        from dsmr_parser import telegram_specifications
        from dsmr_parser.parsers import TelegramParser
    except ImportError:
        return None
    parser = TelegramParser(telegram_specifications.V5)
    return lambda octets: parser.parse(octets.decode("ascii"), throw_ex=True)


def cpu_us(work: Callable[[bytes], Any], feed: list[bytes]) -> float:
    """CPU time a telegram in microseconds."""
    start = time.process_time()
    for octets in feed:
        work(octets)
    return (time.process_time() - start) / len(feed) * 1e6


def figure(name: str, make: Callable[[int, int], list[bytes]]) -> dict[str, Any]:
    """One row: both decoders on fresh telegrams each time."""
    theirs = peer()
    took: dict[str, list[float]] = {"ours": [], "dsmr_parser": []}
    cpu_us(ours, make(COUNT, 999))
    for repeat in range(REPEATS):
        feed = make(COUNT, repeat)
        took["ours"].append(cpu_us(ours, feed))
        if theirs is not None:
            took["dsmr_parser"].append(cpu_us(theirs, feed[: COUNT // 3]))
    return {
        "name": f"P1 telegram of DSMR 5 with CRC to typed values, {name}",
        "unit": "µs",
        "better": "lower",
        "ours": round(statistics.median(took["ours"]), 1),
        "peers": {"dsmr_parser": round(statistics.median(took["dsmr_parser"]), 1)} if theirs else {},
    }


def measure() -> list[dict[str, Any]]:
    """The figures of this benchmark."""
    return [{**figure("live feed", live), "target": {"dsmr_parser": 6}}, figure("all new", all_new)]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1, ensure_ascii=False))
