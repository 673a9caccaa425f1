"""A slave on the wired bus as an engine: what a virtual meter puts between the line and its data (EN 13757-2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from meterway.base.engine import QueuingEngine
from meterway.base.errors import LocalProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.deframer import Deframer, Noise
from meterway.stacks.mbus.link.exchange import LineSpeed
from meterway.stacks.mbus.link.frames import (
    ACK,
    ALL,
    ALL_REPLY,
    RSP_UD,
    SELECTED,
    SND_NKE,
    LongFrame,
    ShortFrame,
)
from meterway.stacks.mbus.link.procedures import BAUD_CIS

__all__ = ["Slave", "SlaveHost", "matches"]

_SND_UD, _REQ_UD1, _REQ_UD2 = 0x43, 0x4A, 0x4B
_FUNCTION: Final = 0x4F
_FCB, _FCV = 0x20, 0x10
_BAUDS: Final = {ci: baud for baud, ci in BAUD_CIS.items()}


class SlaveHost(Protocol):
    """The meter behind the link."""

    def user_data(self) -> Sequence[tuple[int, bytes]]:
        """The telegrams of a read-out now, each as CI and data (at most 252 octets); at least one."""

    def alarm(self) -> tuple[int, bytes] | None:
        """The alarm to give on REQ-UD1, or None."""

    def received(self, ci: int, data: bytes) -> bool:
        """Take user data; False leaves it unacknowledged."""


def matches(pattern: bytes, address: Address) -> bool:
    """Whether a selection (8 octets ``ID M V T``, nibble F matches anything) means this address."""
    if len(pattern) < 8:
        return False
    for wanted, have in zip(pattern, address.to_wired(), strict=False):
        if wanted >> 4 not in (15, have >> 4) or wanted & 15 not in (15, have & 15):
            return False
    return True


class Slave(QueuingEngine[LineSpeed]):
    """Answers a master; ``primary`` and ``secondary`` may be changed by the host at any time.

    The only event is ``LineSpeed``: the master switched this slave to another speed.
    """

    def __init__(self, host: SlaveHost, *, primary: int, secondary: Address) -> None:
        super().__init__()
        if not 0 <= primary <= 250:
            raise LocalProtocolError(f"{primary} is no primary address of a slave: 0 to 250")
        self.primary = primary
        self.secondary = secondary
        self.selected = False
        self._host = host
        self._deframer = Deframer()
        self._queue: deque[tuple[int, bytes]] = deque()
        self._last_bit: dict[int, bool] = {}
        self._last_answer = b""

    def receive_data(self, data: bytes, now: float) -> None:
        """Take octets from the line."""
        for part in self._deframer.receive(data):
            if isinstance(part, Noise):
                continue
            if isinstance(part, ShortFrame):
                self._short(part)
            elif isinstance(part, LongFrame):
                self._long(part)

    def next_timeout(self) -> float | None:
        """A frame that never ends is forgotten with the next one; nothing to wait for."""
        return None

    def handle_timeout(self, now: float) -> None:
        """Forget a frame that has begun: the line was quiet."""
        self._deframer.flush()

    def _is_mine(self, address: int) -> bool:
        if address == SELECTED:
            return self.selected
        return address in (self.primary, ALL_REPLY, ALL)

    def _answer(self, address: int, octets: bytes) -> None:
        self._last_answer = octets
        if address != ALL:
            self._out.append(octets)

    def _repeated(self, frame: ShortFrame | LongFrame) -> bool:
        """Whether the frame count bit says that the master did not get the last answer."""
        if not frame.control & _FCV:
            return False
        bit = bool(frame.control & _FCB)
        repeated = self._last_bit.get(frame.address) == bit
        self._last_bit[frame.address] = bit
        return repeated

    def _short(self, frame: ShortFrame) -> None:
        if not self._is_mine(frame.address):
            return
        if frame.control == SND_NKE:
            self._reset(frame.address)
            return
        function = frame.control & _FUNCTION
        if function not in (_REQ_UD1, _REQ_UD2):
            return
        if self._repeated(frame) and self._last_answer:
            self._answer(frame.address, self._last_answer)
            return
        if function == _REQ_UD1:
            self._give(frame.address, self._host.alarm())
            return
        if not self._queue:
            self._queue.extend(self._host.user_data())
        self._give(frame.address, self._queue.popleft() if self._queue else None)

    def _reset(self, address: int) -> None:
        if address == SELECTED:
            self.selected = False
        self._last_bit.clear()
        self._last_answer = b""
        self._queue.clear()
        if address != ALL:
            self._out.append(ACK)

    def _give(self, address: int, message: tuple[int, bytes] | None) -> None:
        if message is None:
            self._answer(address, ACK)
            return
        frame = LongFrame(control=RSP_UD, address=self.primary, ci=message[0], data=message[1])
        self._answer(address, frame.encode())

    def _long(self, frame: LongFrame) -> None:
        if frame.control & _FUNCTION != _SND_UD:
            return
        if frame.ci == 0x52 and frame.address == SELECTED:
            self._select(frame.data)
            return
        if not self._is_mine(frame.address):
            return
        if self._repeated(frame) and self._last_answer:
            self._answer(frame.address, self._last_answer)
            return
        baud = _BAUDS.get(frame.ci)
        if baud is not None:
            self._events.append(LineSpeed(baud=baud))
            self._answer(frame.address, ACK)
            return
        self._queue.clear()
        self._last_answer = b""  # a refusal is not made good by repeating it
        if self._host.received(frame.ci, frame.data):
            self._answer(frame.address, ACK)

    def _select(self, pattern: bytes) -> None:
        was = self.selected
        self.selected = matches(pattern, self.secondary)
        if self.selected or was:
            self._last_bit.pop(SELECTED, None)
            self._queue.clear()
        if self.selected:
            self._out.append(ACK)
