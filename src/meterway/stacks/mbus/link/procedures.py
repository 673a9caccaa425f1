"""What a master does on the wired bus (EN 13757-2): reset, select, read, write, switch speed.

Each procedure is a generator of exchanges. A request is repeated twice at most; the frame count bit of each slave
alternates with every answered request, so that a repetition is known as one.
"""

from __future__ import annotations

from typing import Final

from meterway.base.errors import DecodeError, LinkError, RemoteProtocolError
from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.exchange import Answer, Ask, Heard, LineSpeed, Procedure
from meterway.stacks.mbus.link.frames import ALL, REQ_UD1, REQ_UD2, SELECTED, SND_NKE, SND_UD, LongFrame, ShortFrame
from meterway.stacks.mbus.records.record import decode_records
from meterway.stacks.mbus.tpl import decode_tpl

__all__ = [
    "BAUD_CIS",
    "WILDCARD",
    "CountBits",
    "deselect",
    "more_follows",
    "read",
    "reset",
    "select",
    "send",
    "set_baud",
]

TRIES: Final = 3
MAX_TELEGRAMS: Final = 64
WILDCARD: Final = b"\xff" * 8
BAUD_CIS: Final[dict[int, int]] = {
    300: 0xB8,
    600: 0xB9,
    1200: 0xBA,
    2400: 0xBB,
    4800: 0xBC,
    9600: 0xBD,
    19200: 0xBE,
    38400: 0xBF,
}
_FCB: Final = 0x20
_CI_SELECT: Final = 0x52
_CI_LONG: Final = 0x72


class CountBits:
    """The frame count bit for each primary address; set after a reset."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: dict[int, bool] = {}

    def reset(self, address: int) -> None:
        """The slave was reset: its next request carries the bit."""
        self._next[address] = True

    def control(self, base: int, address: int) -> int:
        """The control field of the next request to ``address``."""
        return base | _FCB if self._next.get(address, True) else base & ~_FCB

    def answered(self, address: int) -> None:
        """The request was answered: the next one carries the other bit."""
        self._next[address] = not self._next.get(address, True)


def _ask(frame: ShortFrame | LongFrame, tries: int = TRIES) -> Procedure[Answer]:
    """Send until something intelligible comes back; the last answer if nothing does."""
    answer = yield Ask(frame=frame)
    for _ in range(tries - 1):
        if answer.heard in (Heard.ACK, Heard.FRAME):
            break
        answer = yield Ask(frame=frame)
    return answer


def reset(bits: CountBits, address: int, *, tries: int = TRIES) -> Procedure[bool]:
    """SND-NKE: True if the slave acknowledged (nobody does at 255)."""
    frame = ShortFrame(control=SND_NKE, address=address)
    bits.reset(address)
    if address == ALL:
        yield Ask(frame=frame, quiet=True)
        return True
    answer = yield from _ask(frame, tries)
    return answer.heard is Heard.ACK


def deselect(bits: CountBits) -> Procedure[bool]:
    """Send every selected slave back to its primary address."""
    return (yield from reset(bits, SELECTED, tries=1))


def select(bits: CountBits, pattern: bytes, *, tries: int = TRIES) -> Procedure[Answer]:
    """Select by secondary address (8 octets ``ID M V T``, nibble F matches anything); slaves then listen at 253."""
    bits.reset(SELECTED)
    return (yield from _ask(LongFrame(control=SND_UD, address=SELECTED, ci=_CI_SELECT, data=pattern), tries))


def more_follows(frame: LongFrame) -> bool:
    """Whether the records of a plain answer end with DIF 1F."""
    if frame.ci != _CI_LONG:
        return False
    body = bytes((frame.ci,)) + frame.data
    try:
        header, end = decode_tpl(body, 0, extended=False)
        return header.mode == 0 and decode_records(body[end:]).more_follows
    except DecodeError:
        return False


def read(bits: CountBits, target: int | Address, *, alarms: bool = False) -> Procedure[list[LongFrame]]:
    """All telegrams of a slave (REQ-UD2, with ``alarms`` REQ-UD1), by primary or secondary address.

    LinkError if it does not answer, RemoteProtocolError if it answers with something else or without end.
    """
    address = yield from _reach(bits, target)
    base = REQ_UD1 if alarms else REQ_UD2
    frames: list[LongFrame] = []
    while len(frames) < MAX_TELEGRAMS:
        answer = yield from _ask(ShortFrame(control=bits.control(base, address), address=address))
        if answer.heard is Heard.SILENCE:
            raise LinkError(f"meter {target} does not answer")
        if alarms and answer.heard is Heard.ACK:
            bits.answered(address)
            return frames
        if answer.frame is None:
            raise RemoteProtocolError(f"meter {target} answered {answer.octets[:16].hex()}")
        bits.answered(address)
        frames.append(answer.frame)
        if not more_follows(answer.frame):
            return frames
    raise RemoteProtocolError(f"meter {target} has more than {MAX_TELEGRAMS} telegrams")


def send(bits: CountBits, target: int | Address, ci: int, data: bytes = b"") -> Procedure[None]:
    """SND-UD to a slave by primary or secondary address; LinkError if it is not acknowledged."""
    address = yield from _reach(bits, target)
    frame = LongFrame(control=bits.control(SND_UD, address), address=address, ci=ci, data=data)
    if address == ALL:
        yield Ask(frame=frame, quiet=True)
        return
    answer = yield from _ask(frame)
    if answer.heard is not Heard.ACK:
        raise LinkError(f"meter {target} does not acknowledge CI 0x{ci:02X}")
    bits.answered(address)


def set_baud(bits: CountBits, target: int | Address, baud: int) -> Procedure[None]:
    """Switch a slave to another speed, and the line with it."""
    ci = BAUD_CIS.get(baud)
    if ci is None:
        raise LinkError(f"{baud} is no speed of the bus")
    yield from send(bits, target, ci)
    yield LineSpeed(baud=baud)


def _reach(bits: CountBits, target: int | Address) -> Procedure[int]:
    if isinstance(target, int):
        return target
    answer = yield from select(bits, target.to_wired())
    if answer.heard is not Heard.ACK:
        raise LinkError(f"meter {target} cannot be selected")
    return SELECTED
