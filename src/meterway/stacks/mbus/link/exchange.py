"""One request on the bus and what came back: what the procedures of a master are written in.

A procedure is a generator: it yields an ``Ask`` (or a line speed to switch to, or something found) and is sent the
``Answer``. The master engine runs it; a test can run it by hand.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from meterway.stacks.mbus.address import Address
from meterway.stacks.mbus.link.frames import Ack, Frame, LongFrame

__all__ = ["Answer", "Ask", "Found", "Heard", "LineSpeed", "Procedure", "Progress", "heard"]

ResultT = TypeVar("ResultT")


class Heard(Enum):
    """What an answer amounts to; ``GARBAGE`` is a collision or a disturbance."""

    SILENCE = auto()
    ACK = auto()
    FRAME = auto()
    GARBAGE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A frame to send; ``quiet`` says that nobody answers it."""

    frame: Frame
    quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back within the time the norm allows; ``frame`` if it was exactly one long frame."""

    heard: Heard
    frame: LongFrame | None = None
    octets: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSpeed:
    """The line is to be switched to this speed from here on."""

    baud: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A meter a search came upon; ``primary`` if it answers there, ``secondary`` as it names itself.

    ``conflict`` says that several meters have this very address.
    """

    primary: int | None = None
    secondary: Address | None = None
    baud: int | None = None
    conflict: bool = False


Progress = Ask | LineSpeed | Found
Procedure = Generator[Progress, Answer, ResultT]


def heard(frames: list[Frame | bytes]) -> Answer:
    """Sum up what was received in one window; octets stand for noise."""
    octets = b"".join(part if isinstance(part, bytes) else part.encode() for part in frames)
    if not frames:
        return Answer(heard=Heard.SILENCE)
    only = frames[0] if len(frames) == 1 else None
    if isinstance(only, Ack):
        return Answer(heard=Heard.ACK, octets=octets)
    if isinstance(only, LongFrame):
        return Answer(heard=Heard.FRAME, frame=only, octets=octets)
    return Answer(heard=Heard.GARBAGE, octets=octets)
