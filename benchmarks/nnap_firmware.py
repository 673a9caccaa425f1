"""Firmware for 300 meters on the simulated PRIME-like medium: airtime by broadcast and by unicast.

``python benchmarks/nnap_firmware.py [BYTES [SEED ...]]`` prints the figures as JSON, for meters with image parity (an
option of ours, the profile ``idis-parity``) and for meters with class 18 alone. The street is that of ``nnap_night``.

From the opening to the last meter's word that it runs the new one, in seconds of airtime: questions, repair,
verification and activation are in it. By unicast some meters at all distances get the opening, some blocks, and what
comes after them, by the concentrator's own associations; the airtime of a block is scaled to all blocks, and all to all
meters. What the network takes for itself is taken off both ways. A small image gains less, since what each meter costs
once (association, questions, activation) weighs more. ``measure`` leaves out 300 kB by class 18 alone, which takes as
long in real time as all the rest.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any, Final

from nnap_night import BROADCAST_KEYS, START, TITLE, WINDOW_S, Street

from meterway.base.obis import Obis
from meterway.meter.firmware import signed_image
from meterway.nnap.broadcast import Broadcaster
from meterway.nnap.image import Campaign, CampaignRules, Firmware, Phase, Progress
from meterway.stacks.dlms import axdr
from meterway.stacks.dlms.client.script import Act, Get, Script
from meterway.stacks.dlms.xdlms.parts import AttributeDescriptor, MethodDescriptor

PROFILES: Final = {"with image parity, an option of ours": "idis-parity", "by class 18 alone": "idis"}


def firmware(size: int) -> Firmware:
    """An image that virtual meters take for genuine."""
    return Firmware(identifier=b"MWY-2", image=signed_image(random.Random(1).randbytes(size - 32)))


def everybody_in(street: Street) -> None:
    while street.joined < street.meters and street.network.now() < START + WINDOW_S:
        street.run(60)


def quiet(street: Street) -> float:
    """Seconds of airtime a second that the network takes for itself: it is there anyhow, and taken off both ways."""
    before = street.airtime_s
    street.run(600)
    return (street.airtime_s - before) / 600


def by_broadcast(meters: int, seed: int, image: Firmware, profile: str = "idis") -> dict[str, Any]:
    """The whole campaign: how long, how much airtime, how many have it."""
    street = Street(meters, seed, parallel=0, profile=profile)
    everybody_in(street)
    street.run(300)
    rate = quiet(street)
    began, airtime = street.network.now(), street.airtime_s
    sender = Broadcaster(title=TITLE, keys=BROADCAST_KEYS, counter=street.ledger.send_counter(at_least=0))
    work = Campaign(street.device, sender, image, list(street.ledger.roll), CampaignRules(pace_s=2.0), now=began)
    street.driver.call(lambda device, now: device.workers.append(work))
    while work.phase is not Phase.DONE and street.network.now() < began + 7 * 86400:
        street.run(600)
    return {
        "active": sum(one is Progress.ACTIVE for one in work.progress.values()),
        "passes": work.passes,
        "rounds": work.rounds,
        "broadcasts": work.broadcasts,
        "symbols": work.symbols,
        "unicasts": work.unicasts,
        "hours": round((street.network.now() - began) / 3600, 1),
        "airtime_s": round(street.airtime_s - airtime - rate * (street.network.now() - began)),
    }


def by_unicast(meters: int, seed: int, image: Firmware, *, sample: int = 12, blocks: int = 60) -> float:
    """Airtime for all blocks to all meters, scaled from some blocks to some meters at all distances."""
    street = Street(meters, seed, parallel=0)
    everybody_in(street)
    street.run(300)
    image_at = Obis(0, 0, 44, 0, 0)
    opening, block, verify, activate = (MethodDescriptor(18, image_at, number) for number in range(1, 5))
    nothing, status = axdr.encode(axdr.i8(0)), AttributeDescriptor(18, image_at, 6)
    done: list[object] = []

    def begin() -> Script[None]:
        yield Act(opening, image.opening)

    def transfer() -> Script[None]:
        for number in range(blocks):
            yield Act(block, image.block(number))

    def end() -> Script[None]:
        """Refused, since blocks lack; a refusal is as long as an answer."""
        for method in (verify, activate):
            yield Act(method, nothing)
            yield Get(status)

    rate = quiet(street)
    nodes = [street.ledger.roll.channels[1 + place * (meters - 1) // (sample - 1)] for place in range(sample)]
    once = each = 0.0
    for node in nodes:
        for script in (begin, transfer, end):
            one = script()
            began, airtime, count = street.network.now(), street.airtime_s, len(done)
            street.driver.call(
                lambda device, now, node=node, one=one: device.ask(
                    node, one, lambda error, at: done.append(error), now=now, urgent=False
                )
            )
            while len(done) == count:
                street.run(1)
            spent = street.airtime_s - airtime - rate * (street.network.now() - began)
            once, each = (once, each + spent) if script is transfer else (once + spent, each)
    assert not any(done), done
    return (once + each / blocks * image.count) / sample * meters


def row(size: int, words: str, seed: int, alone: float, **judged: float) -> dict[str, Any]:
    """How many times less airtime a broadcast takes."""
    sent = by_broadcast(300, seed, firmware(size), PROFILES[words])
    assert sent["active"] == 300, sent
    name = f"{size // 1000} kB to 300 meters {words}: airtime by unicast over that by broadcast"
    return {"name": name, "unit": "x", "better": "higher", "ours": round(alone / sent["airtime_s"], 1), **judged}


def measure() -> list[dict[str, Any]]:
    """For ``run.py``."""
    ours, plain = PROFILES
    small = by_unicast(300, 1, firmware(60_000))
    return [
        row(300_000, ours, 1, by_unicast(300, 1, firmware(300_000)), limit=20.0),
        row(60_000, ours, 1, small, limit=20.0),
        row(60_000, plain, 1, small),
    ]


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    for seed in [int(word) for word in sys.argv[2:]] or [1, 2, 3]:
        image = firmware(size)
        alone = by_unicast(300, seed, image)
        for words, profile in PROFILES.items():
            began = time.monotonic()
            sent = by_broadcast(300, seed, image, profile)
            times, real_s = round(alone / sent["airtime_s"], 1), round(time.monotonic() - began)
            found = {"seed": seed, "bytes": size, "meters": words, **sent, "unicast_airtime_s": round(alone)}
            print(json.dumps({**found, "times": times, "real_s": real_s}), flush=True)


if __name__ == "__main__":
    main()
