"""The simulated neighbourhood network: frames over one hop a second of CPU, and what a node takes of memory.

``python benchmarks/neighbourhood.py`` prints the figures as JSON. A network of 300 nodes with its coordinator; every
node answers what it is asked at once, so that there is always something on the medium. ``queries`` of 100 octets go
to every node and back until each has answered ``ROUNDS`` times; a frame-hop is one transmission, also one that fails.
Memory is counted by tracemalloc, on 200 networks that share a clock.
"""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from typing import Any, Final

from meterway.links.clocks import VirtualClock
from meterway.links.medium.neighbourhood import NeighbourhoodSettings, SimulatedNeighbourhood, preset
from meterway.links.node import FrameHeard

NODES: Final = 300
ROUNDS: Final = 100
NETWORKS: Final = 200
START: Final = 1_773_226_800.0
MEDIA: Final = {
    "PRIME-like, three hops, 10 % loss": preset("prime", loss=0.10, hops=3, lifetime_s=0.0),
    "PRIME-like, by distance and noise": preset("prime", lifetime_s=0.0),
    "radio mesh, by distance and noise": preset("rf-mesh", lifetime_s=0.0),
}


def hops_per_s(settings: NeighbourhoodSettings) -> float:
    """Transmissions a second of CPU time."""
    network = SimulatedNeighbourhood(settings, start=START)
    root = network.join(0)
    left = dict.fromkeys(range(1, NODES + 1), ROUNDS)

    def ask(node: int) -> None:
        left[node] -= 1
        if left[node] >= 0:
            root.send(bytes(100), to=node)

    for number in left:
        node = network.join(number)
        node.listen(lambda frame, node=node: node.send(frame.octets, to=0))

    def heard(frame: FrameHeard) -> None:
        ask(frame.source)

    root.listen(heard)
    network.routes()
    for number in left:
        ask(number)
    begun = time.process_time()
    network.run(START + 30 * 86400)
    return network.statistics.transmissions / (time.process_time() - begun)


def octets_per_node() -> float:
    """Memory of a node with its place, its links and its way to the coordinator."""
    gc.collect()
    tracemalloc.start()
    clock = VirtualClock(START)
    kept = []
    for seed in range(NETWORKS):
        network = SimulatedNeighbourhood(preset("prime", seed=seed), clock=clock)
        kept.append([network.join(number) for number in range(NODES)])
        network.routes()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / (NETWORKS * NODES)


def measure() -> list[dict[str, Any]]:
    """The figures of this benchmark."""
    rows: list[dict[str, Any]] = [
        {
            "name": f"frames over one hop, {NODES} nodes, {name}",
            "unit": "1/s",
            "better": "higher",
            "ours": round(hops_per_s(settings)),
            "limit": 33_000,
        }
        for name, settings in MEDIA.items()
    ]
    rows.append(
        {
            "name": f"memory of a node, {NETWORKS} networks of {NODES}",
            "unit": "octets",
            "better": "lower",
            "ours": round(octets_per_node()),
            "limit": 1500,
        }
    )
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1, ensure_ascii=False))
