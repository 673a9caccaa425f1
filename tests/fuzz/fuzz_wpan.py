"""Octets to a coordinator and a node of G3 and mesh, with right frame checks: nothing may come out but events.

The stations have joined beforehand; no APDU may appear, for nobody who has the key sent one.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports():
    from meterway.base.crc import kermit, xmodem
    from meterway.stacks.neighbourhood import g3, mesh
    from meterway.stacks.neighbourhood.ieee802154 import with_fcs
    from meterway.stacks.neighbourhood.station import Apdu, Joined
    from meterway.stacks.neighbourhood.wpan import Settings, WpanCoordinator, WpanNode

EUI, KEY = b"METER001", bytes(16)


def _pair(profile: object) -> tuple[WpanCoordinator, WpanNode]:
    settings = Settings(random=Random(1).randbytes, spread_s=0.0)
    coordinator = profile.coordinator(b"COORDINA", lambda eui: KEY, settings)
    node = profile.node(EUI, settings, KEY)
    coordinator.start(0.0)
    node.start(0.0)
    for now in range(1, 20):
        for one, other, number in ((coordinator, node, 0), (node, coordinator, 1)):
            if (due := one.next_timeout()) is not None and due <= now:
                one.handle_timeout(now)
            for frame in one.frames_to_send():
                other.receive_frame(frame.octets, number, now)
    if not coordinator.members or not isinstance(node.next_event(), Joined):
        raise AssertionError("the node has not joined")
    return coordinator, node


PAIRS = [_pair(g3), _pair(mesh)]


def one_input(octets: bytes) -> None:
    """Which pair, whether the frame check is made right, then the frame."""
    if not octets:
        return
    frame = with_fcs(octets[1:], kermit if octets[0] & 1 else xmodem) if octets[0] & 2 else octets[1:]
    for station in PAIRS[octets[0] & 1]:
        station.receive_frame(frame, octets[0] >> 2 & 1, 100.0)
        while (event := station.next_event()) is not None:
            if isinstance(event, Apdu):
                raise AssertionError("an APDU that nobody sent")
        station.frames_to_send()
        station.next_timeout()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
