"""A stand-in for a radio receiver: it speaks the receiver's framing on a line, virtual meters are behind it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path

from meterway.base.crc import x25
from meterway.links.radio import OnReception, Reception
from meterway.stacks.mbus.wireless.frames import decode_radio, encode_radio
from meterway.stacks.mbus.wireless.modes import DOWNLINK, MODES, RESPONSES, duration_s

# The framings here are written out by hand, so that they are not those of the codecs under test.


def bare(octets: bytes) -> bytes:
    """What a receiver hands on of a frame: without length and check sums."""
    frame = decode_radio(octets)
    return encode_radio(frame.control, frame.address, frame.body)[1:]


def imst(body: bytes) -> bytes:
    message = bytes((0x82 | 0x40, 0x03, len(body))) + body + b"\x80"
    return b"\xa5" + message + x25(message).to_bytes(2, "little")


def amber(body: bytes) -> bytes:
    message = bytes((0xFF, 0x03, len(body))) + body
    return message + bytes((reduce(xor, message),))


def plain(body: bytes) -> bytes:
    return bytes((len(body),)) + body


def line(body: bytes) -> bytes:
    frame = bytes((len(body),)) + body
    return f"T1;1;1;2026-11-23 12:00:00.000;99;110;{body[1:7].hex()};0x{frame.hex()}\n".encode()


def rtl_433(body: bytes) -> bytes:
    frame = bytes((len(body),)) + body
    return f'{{"time" : "2026-11-23", "model" : "Wireless-MBus", "mode" : "T", "data" : "{frame.hex()}"}}\n'.encode()


def imst_orders(octets: bytes) -> tuple[list[bytes], bytes]:
    """The frames the host wants to be sent, and what is left."""
    found = []
    while len(octets) >= 4 and octets[0] == 0xA5 and len(octets) >= octets[3] + 6:
        size = octets[3] + 6
        if octets[1] & 0x0F == 2 and octets[2] == 0x01:
            found.append(octets[4 : 4 + octets[3]])
        octets = octets[size:]
    return found, octets


def amber_orders(octets: bytes) -> tuple[list[bytes], bytes]:
    found = []
    while len(octets) >= 3 and octets[0] == 0xFF and len(octets) >= octets[2] + 4:
        if octets[1] == 0x00:
            found.append(octets[3 : 3 + octets[2]])
        octets = octets[octets[2] + 4 :]
    return found, octets


def no_orders(octets: bytes) -> tuple[list[bytes], bytes]:
    return [], b""


Orders = Callable[[bytes], tuple[list[bytes], bytes]]


class StandIn:
    """A receiver: ``say`` puts octets on the line to the gateway. For the meters it is a place on the air.

    It keeps the response windows, as a real device does: a meter hears an answer within its window.
    """

    def __init__(self, frame: Callable[[bytes], bytes], orders: Orders, say: Callable[[bytes], object]) -> None:
        self._frame = frame
        self._orders = orders
        self._say = say
        self._rest = b""
        self._meter: OnReception | None = None
        self._ends_s = 0.0
        self._mode = "T1"
        self.now = 0.0
        self.ordered = 0

    def listen(self, on_reception: OnReception) -> None:
        self._meter = on_reception

    def send(self, octets: bytes, *, mode: str, delay_s: float = 0.0) -> None:
        """A meter speaks."""
        self._mode = mode
        self._ends_s = self.now + delay_s + duration_s(MODES[mode], octets)
        self._say(self._frame(bare(octets)))

    def close(self) -> None:
        self._meter = None

    def told(self, octets: bytes) -> None:
        """The gateway speaks to the device."""
        found, self._rest = self._orders(self._rest + octets)
        for body in found:
            self.ordered += 1
            down = DOWNLINK[self._mode[0]]
            frame = bytes((len(body),)) + body
            checked = frame + bytes(2 * len(frame) // 16 + 4)
            self.now = self._ends_s + RESPONSES[self._mode[0]].opens_s + duration_s(MODES[down], checked)
            if self._meter is not None:
                self._meter(Reception(octets=frame, mode=down, time_s=self.now))


class Pty:
    """A serial line without a device: ``name`` is the end to open, ``heard`` is told what is written there."""

    def __init__(self, heard: Callable[[bytes], object]) -> None:
        self._ours, self._theirs = os.openpty()
        self.name = os.ttyname(self._theirs)
        self._heard = heard
        self._open = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def write(self, octets: bytes) -> None:
        os.write(self._ours, octets)

    def _read(self) -> None:
        while self._open:
            try:
                octets = os.read(self._ours, 4096)
            except OSError:
                return
            if octets and self._open:
                self._heard(octets)

    def close(self) -> None:
        self._open = False
        os.close(self._theirs)
        os.close(self._ours)


def fifo(folder: Path) -> Path:
    path = folder / "receiver.pipe"
    os.mkfifo(path)
    return path
