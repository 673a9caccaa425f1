"""Recorded octets to frames and APDUs, without a link: what a decoder of telegrams needs (IEC 62056-46)."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.base.errors import DecodeError
from meterway.stacks.dlms.hdlc.address import HdlcAddress
from meterway.stacks.dlms.hdlc.frame import FrameKind, HdlcFrame
from meterway.stacks.dlms.hdlc.segments import strip_llc
from meterway.stacks.dlms.hdlc.stream import Deframer, Found

__all__ = ["HdlcFault", "HdlcRecording", "PlacedApdu", "PlacedFrame", "decode_stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFrame:
    """A good frame, the offset of its format field and its octets without flags."""

    offset: int
    frame: HdlcFrame
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedApdu:
    """The information of one frame, or of segmented frames joined; ``frames`` are their places in the list of frames.

    ``llc`` says whether there was an LLC header (left out of ``apdu``). General-block-transfer is not looked into:
    each of its blocks is an APDU here.
    """

    offset: int
    apdu: bytes
    llc: bool
    destination: HdlcAddress
    source: HdlcAddress
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcFault:
    """Octets that are no good frame: their offset and octets, and what is wrong, where.

    ``error.kind`` is one of those of ``stream.Found``, or ``segments`` (an APDU that never got its last segment) or
    ``retransmission`` (a segment that was left out because it came twice).
    """

    offset: int
    octets: bytes
    error: DecodeError


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcRecording:
    """All that a stream of octets holds, in order."""

    frames: tuple[PlacedFrame, ...]
    apdus: tuple[PlacedApdu, ...]
    faults: tuple[HdlcFault, ...]


def decode_stream(octets: bytes) -> HdlcRecording:
    """Find every frame, join segments, and name every fault; never raises. A last flag may be missing."""
    deframer = Deframer()
    joiner = _Joiner()
    for found in (*deframer.feed(octets), *deframer.flush()):
        joiner.add(found)
    joiner.break_off()
    return HdlcRecording(
        frames=tuple(joiner.frames),
        apdus=tuple(joiner.apdus),
        faults=tuple(sorted(joiner.faults, key=lambda fault: fault.offset)),
    )


class _Joiner:
    """Collects what is found; one chain of segments is open at most for each direction."""

    def __init__(self) -> None:
        self.frames: list[PlacedFrame] = []
        self.apdus: list[PlacedApdu] = []
        self.faults: list[HdlcFault] = []
        self._chains: dict[tuple[HdlcAddress, HdlcAddress], list[int]] = {}

    def add(self, found: Found) -> None:
        if found.frame is not None:
            self.frames.append(PlacedFrame(offset=found.offset, frame=found.frame, octets=found.octets))
            if found.frame.kind in (FrameKind.I, FrameKind.UI):
                self._join(len(self.frames) - 1)
        elif found.error is not None:
            self.faults.append(HdlcFault(offset=found.offset, octets=found.octets, error=found.error))
            if found.error.kind not in ("noise", "flag"):
                self.break_off()

    def break_off(self) -> None:
        """A frame was lost or nothing follows: what was begun cannot be joined any more."""
        for chain in self._chains.values():
            first = self.frames[chain[0]]
            text = f"a segmented APDU breaks off after {len(chain)} segments"
            self._fault(first, text, "segments")
        self._chains.clear()

    def _join(self, index: int) -> None:
        placed = self.frames[index]
        frame = placed.frame
        key = (frame.destination, frame.source)
        chain = self._chains.setdefault(key, [])
        if chain and frame.kind is FrameKind.I and self.frames[chain[-1]].octets == placed.octets:
            self._fault(placed, "a segment came twice", "retransmission")
            return
        chain.append(index)
        if frame.segmented:
            return
        del self._chains[key]
        whole = b"".join(self.frames[place].frame.information for place in chain)
        apdu, llc = strip_llc(whole)
        if apdu:
            first = self.frames[chain[0]]
            self.apdus.append(
                PlacedApdu(
                    offset=first.offset,
                    apdu=apdu,
                    llc=llc,
                    destination=frame.destination,
                    source=frame.source,
                    frames=tuple(chain),
                )
            )

    def _fault(self, placed: PlacedFrame, message: str, kind: str) -> None:
        error = DecodeError(message, placed.offset, kind)
        self.faults.append(HdlcFault(offset=placed.offset, octets=placed.octets, error=error))
