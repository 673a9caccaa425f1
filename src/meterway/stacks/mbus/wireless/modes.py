"""The radio modes of EN 13757-4 as data, how long a frame is on the air, and when an answer is heard.

The norm's own table of response times is not public. Where in its window an answer usually lies is what the maker of a
radio master prints (manual of the MBWBLUE, page on the radio mode: T2 2 ms, S2 10 ms, C2 100 ms fast, 1000 ms slow);
that modes C and N have a fast and a slow delay, announced in the extended link layer, is in public headers of a radio
stack (STACKFORCE). The edges of the windows, and all of mode N, are from memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

__all__ = ["DOWNLINK", "MODES", "RESPONSES", "SLOW_RESPONSES", "RadioMode", "ResponseWindow", "duration_s"]

Coding = Literal["manchester", "3of6", "nrz"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioMode:
    """One mode and direction.

    ``chip_rate`` is in chips per second; ``header_chips`` are preamble and synchronisation word, ``chips_per_octet``
    what the coding makes of an octet. ``formats`` are the frame formats used. ``from_meter`` false is the way to the
    meter.
    """

    name: str
    frequency_hz: int
    chip_rate: int
    coding: Coding
    header_chips: int
    formats: tuple[str, ...] = ("A",)
    from_meter: bool = True

    @property
    def chips_per_octet(self) -> int:
        """Chips for an octet: 16 Manchester, 12 three-of-six, 8 plain."""
        return {"manchester": 16, "3of6": 12, "nrz": 8}[self.coding]


_BOTH: Final = ("A", "B")


def _narrow(name: str, frequency_hz: int, bit_rate: int) -> RadioMode:
    return RadioMode(
        name=name, frequency_hz=frequency_hz, chip_rate=bit_rate, coding="nrz", header_chips=32, formats=_BOTH
    )


MODES: Final[dict[str, RadioMode]] = {
    mode.name: mode
    for mode in (
        RadioMode(name="S1", frequency_hz=868_300_000, chip_rate=32_768, coding="manchester", header_chips=576),
        RadioMode(name="S1m", frequency_hz=868_300_000, chip_rate=32_768, coding="manchester", header_chips=48),
        RadioMode(name="S2", frequency_hz=868_300_000, chip_rate=32_768, coding="manchester", header_chips=48),
        RadioMode(name="T1", frequency_hz=868_950_000, chip_rate=100_000, coding="3of6", header_chips=48),
        RadioMode(
            name="T2 down",
            frequency_hz=868_300_000,
            chip_rate=32_768,
            coding="manchester",
            header_chips=48,
            from_meter=False,
        ),
        RadioMode(name="C1", frequency_hz=868_950_000, chip_rate=100_000, coding="nrz", header_chips=64, formats=_BOTH),
        RadioMode(
            name="C2 down",
            frequency_hz=869_525_000,
            chip_rate=50_000,
            coding="nrz",
            header_chips=64,
            formats=_BOTH,
            from_meter=False,
        ),
        RadioMode(name="R2", frequency_hz=868_330_000, chip_rate=4_800, coding="manchester", header_chips=96),
        RadioMode(name="F2", frequency_hz=433_820_000, chip_rate=2_400, coding="nrz", header_chips=112, formats=_BOTH),
        _narrow("N1a", 169_406_250, 4_800),
        _narrow("N1b", 169_418_750, 4_800),
        _narrow("N1c", 169_431_250, 2_400),
        _narrow("N1d", 169_443_750, 2_400),
        _narrow("N1e", 169_456_250, 4_800),
        _narrow("N1f", 169_468_750, 4_800),
        _narrow("N2g", 169_437_500, 19_200),
    )
}


DOWNLINK: Final[dict[str, str]] = {"S": "S2", "T": "T2 down", "C": "C2 down"}
"""The mode in which a partner answers, by the letter of the meter's mode; in mode N it is the meter's own."""


class ResponseWindow(NamedTuple):
    """From when to when after the end of a meter's frame the answer must begin, seconds; the meter answers alike."""

    opens_s: float
    closes_s: float
    aim_s: float
    """When a partner of ours begins."""


RESPONSES: Final[dict[str, ResponseWindow]] = {
    "S": ResponseWindow(0.003, 0.050, 0.020),
    "T": ResponseWindow(0.002, 0.003, 0.0025),
    "C": ResponseWindow(0.099, 0.101, 0.100),
    "N": ResponseWindow(0.099, 0.101, 0.100),
}
"""By the letter of the mode; of C and N the fast delay."""

SLOW_RESPONSES: Final[dict[str, ResponseWindow]] = {"C": ResponseWindow(0.999, 1.001, 1.000)}
"""The slow delay of mode C; that of mode N is not known here."""


def duration_s(mode: RadioMode, frame: bytes) -> float:
    """Seconds on the air of a frame that is coded in format A or B, check sums included."""
    return (mode.header_chips + len(frame) * mode.chips_per_octet) / mode.chip_rate
