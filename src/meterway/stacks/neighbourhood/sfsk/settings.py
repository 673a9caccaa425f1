"""What an S-FSK station can be told."""

from __future__ import annotations

from dataclasses import dataclass

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.llc432 import HEADER_SIZE
from meterway.stacks.neighbourhood.sfsk.mac import FIRST_INITIATOR, LAST_INITIATOR, MAX_SDU

__all__ = ["MAX_APDU", "SfskSettings"]

MAX_APDU = MAX_SDU - HEADER_SIZE
"""S-FSK has no segmentation below the application: one APDU, one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SfskSettings:
    """Times in seconds; all stations of a network need the same.

    ``initiator`` is the MAC address of an initiator (0xC00 to 0xDFF; None: drawn from its EUI), ``reply_within_s`` how
    long an answer is awaited before the question is sent again, ``repetitions`` how often it is, ``frame_lifetime_s``
    how long the medium may hold a frame back (less than half of ``reply_within_s``), ``ping_interval_s`` after how much
    silence a member is asked for, ``not_addressed_s`` after how much silence of its initiator a server is NEW again,
    ``settle_s`` the same for one that was never addressed after its registration, ``locked_for_s`` how long a NEW
    server waits for the initiator it has chosen before it looks for another one. ConfigError for what cannot work.
    """

    initiator: int | None = None
    reply_within_s: float = 10.0
    repetitions: int = 3
    frame_lifetime_s: float = 3.0
    discover_interval_s: float = 600.0
    discover_slots: int = 10
    slot_s: float = 1.5
    search_initiator_s: float = 0.0
    locked_for_s: float = 1800.0
    ping_interval_s: float = 3600.0
    not_addressed_s: float = 10800.0
    settle_s: float = 900.0
    refused_for_s: float = 3600.0
    initial_credit: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.initiator is not None and not FIRST_INITIATOR <= self.initiator <= LAST_INITIATOR:
            raise ConfigError(f"initiator: {self.initiator:#x}: an address from 0xc00 to 0xdff is wanted")
        if not 0 <= self.initial_credit <= 7:
            raise ConfigError(f"initial_credit: {self.initial_credit}: 0 to 7 is wanted")
        if self.frame_lifetime_s * 2 >= self.reply_within_s:
            raise ConfigError("frame_lifetime_s: less than half of reply_within_s is wanted")
        if not self.ping_interval_s < self.not_addressed_s:
            raise ConfigError("not_addressed_s: more than ping_interval_s is wanted")

    @property
    def question_memory_s(self) -> float:
        """How long a server knows a question again: until no copy of it can come any more."""
        return self.repetitions * self.reply_within_s + 2 * self.frame_lifetime_s

    @property
    def answer_memory_s(self) -> float:
        """How long an initiator knows an answer again."""
        return 2 * self.frame_lifetime_s
