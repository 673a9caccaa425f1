"""What a radio hub and its clients say to each other, in the manner of ``messages``.

A client puts stations on the air by a number of its own choice and sends for them; the hub says what they hear.
"""

from __future__ import annotations

from typing import Final

import msgspec

from meterway.links.medium.messages import Closed, MessageEngine

__all__ = ["Closed", "Figures", "Gone", "Heard", "Join", "Leave", "Message", "Refused", "Send", "Watch", "WireEngine"]


class Join(msgspec.Struct, frozen=True, array_like=True, tag="j"):
    """A station comes on the air under ``number``; place in metres (east, north, up)."""

    number: int
    name: str
    hears: tuple[str, ...]
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power_dbm: float = 10.0
    loss_db: float = 0.0


class Leave(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A station goes off the air."""

    number: int


class Send(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A station sends a frame: ``delay_s`` from ``since_s`` (the time of a reception it answers), or else from now."""

    number: int
    mode: str
    octets: bytes
    delay_s: float = 0.0
    since_s: float | None = None


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """A frame that stations of this client heard, each with its signal in dBm; ``time_s`` is the frame's end.

    ``repeat`` is ``late`` or ``repeated`` where the air was set to do so.
    """

    mode: str
    octets: bytes
    time_s: float
    stations: tuple[tuple[int, float], ...]
    repeat: str = ""


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """What a station asked for was not done. ``duty`` says that its share of the band is used up."""

    number: int
    reason: str
    duty: bool = False


class Watch(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """The client wants to know of every frame on the air (``Gone``), and the figures now."""

    frames: bool = True


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """A frame was on the air: who sent it, how many heard it, and how many lost it for which cause."""

    station: str
    mode: str
    octets: bytes
    start_s: float
    end_s: float
    heard: int
    lost: dict[str, int]
    repeat: str = ""


class Figures(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """Counts of the hub since it began."""

    stations: int
    sent: int
    refused: int
    received: int
    unheard: int
    late: int
    repeated: int
    airtime_s: float
    lost: dict[str, int]


Message = Join | Leave | Send | Heard | Refused | Watch | Gone | Figures | Closed

_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


class WireEngine(MessageEngine[Message]):
    """What is said on a line to the radio hub."""

    def __init__(self) -> None:
        super().__init__(_DECODER, "the radio hub")
