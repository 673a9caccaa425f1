"""Text lines of software radios: ``rtl_wmbus`` (fields between semicolons) and ``rtl_433 -F json``.

Proven on lines that both programs printed, not on a device. Neither tells the strength in dBm, nor can it send.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from meterway.base.errors import LinkError
from meterway.links.radio import Reception

__all__ = ["LineCodec"]

_LONGEST: Final = 4096
_MODES: Final = {"S": "S1", "S1": "S1", "T": "T1", "T1": "T1", "C": "C1", "C1": "C1"}
_HEX: Final = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2}){11,320})")


class _Rtl433(msgspec.Struct):
    """The members of an object of rtl_433 that matter here."""

    model: str
    mode: str = ""
    data: str = ""


_DECODER: Final = msgspec.json.Decoder(_Rtl433)


class LineCodec:
    """Both programs' lines, also mixed; what is neither is passed over.

    A line of rtl_wmbus that says that the check sums were wrong is rejected.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._buffer = b""

    def setup(self) -> bytes:
        """Nothing: the program was given its settings when it was started."""
        return b""

    def receive(self, data: bytes, time_s: float) -> list[Reception]:
        """Take octets; the frames of the lines they complete."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > _LONGEST:
            self._buffer = b""
            self.rejected += 1
        out = []
        for line in lines:
            found = self._line(line.strip(), time_s)
            if found is not None:
                out.append(found)
        return out

    def encode(self, octets: bytes, mode: str) -> bytes:
        """LinkError: a software radio of this kind only listens."""
        raise LinkError("this receiver cannot send")

    def _line(self, line: bytes, time_s: float) -> Reception | None:
        if line.startswith(b"{"):
            frame = _from_json(line)
        elif line.count(b";") >= 7:
            frame = _from_fields(line.decode("ascii", "replace").split(";"))
        else:
            return None
        if frame is None:
            self.rejected += 1
            return None
        return Reception(octets=frame[1], mode=frame[0], time_s=time_s)


def _from_json(line: bytes) -> tuple[str, bytes] | None:
    try:
        said = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if said.model.lower().replace("_", "-") != "wireless-mbus":
        return None
    return _frame(said.mode, said.data)


def _from_fields(fields: list[str]) -> tuple[str, bytes] | None:
    """Mode, check sums right, line code right, time, two strengths without unit, identification number, frame."""
    if fields[1] != "1" or fields[2] != "1":
        return None
    return _frame(fields[0], fields[7])


def _frame(mode: str, text: str) -> tuple[str, bytes] | None:
    found = _HEX.fullmatch(text)
    name = _MODES.get(mode)
    return (name, bytes.fromhex(found[1])) if found and name else None
