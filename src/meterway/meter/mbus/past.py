"""What meters said in the past: the telegrams they would have sent, at given moments, with their real counters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from meterway.meter.mbus.config import MeterConfig
from meterway.meter.mbus.device import MbusMeter
from meterway.meter.mbus.radio import RadioMeter
from meterway.meter.mbus.state import FileState
from meterway.meter.mbus.wired import WiredMeter
from meterway.stacks.mbus.link.frames import SND_NKE, ShortFrame

__all__ = ["Said", "said"]

_REQ_UD2 = 0x5B


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One telegram as it left a meter; ``mode`` is empty on a bus."""

    time_s: float
    octets: bytes
    mode: str = ""


class _Speaker:
    """A meter that is made to speak at a moment."""

    def __init__(self, meter: MbusMeter, begin_s: float) -> None:
        self.meter = meter
        self._now = begin_s
        self._radio = None if meter.primary else RadioMeter(meter, begin_s)
        self._wired = WiredMeter(meter, lambda: self._now).slave if meter.primary else None

    def speak(self, now: float) -> Iterator[Said]:
        self._now = now
        if self._radio is not None:
            self._radio.next_s = now
            for frame in self._radio.due(now):
                yield Said(time_s=now, octets=frame.octets, mode=frame.mode)
        elif self._wired is not None:
            for control in (SND_NKE, _REQ_UD2):
                self._wired.receive_data(ShortFrame(control=control, address=self.meter.primary).encode(), now)
                octets = self._wired.data_to_send()
            yield Said(time_s=now, octets=octets)


def said(meters: Sequence[MeterConfig], times: Iterable[float], *, state: Path | None = None) -> Iterator[Said]:
    """Each meter's telegram at each moment (Unix seconds, rising): on the air, or polled if it has a primary address.

    Counters go on from the file of ``state`` and are left there, so that the meters' process goes on where this ends.
    """
    kept = FileState(state) if state is not None else None
    speakers: list[_Speaker] = []
    try:
        for time_s in times:
            if not speakers:
                speakers = [_Speaker(_restored(config, kept), time_s) for config in meters]
            for speaker in speakers:
                yield from speaker.speak(time_s)
    finally:
        if kept is not None:
            kept.close(tuple(speaker.meter for speaker in speakers))


def _restored(config: MeterConfig, kept: FileState | None) -> MbusMeter:
    meter = MbusMeter(config)
    if kept is not None:
        kept.restore(meter)
    return meter
