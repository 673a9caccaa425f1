"""Logical devices of a site that has titles and a clock of its own, beside the engine's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from meterway.stacks.dlms.tabled.logical import CounterStore, Party, TabledDevice

__all__ = ["SitedDevice"]


class Site(Protocol):
    """What logical devices belong to."""

    @property
    def clock_offset_s(self) -> float:
        """How far its clock was set off the clock of the machine."""

    def title(self, channel: int) -> bytes:
        """The system title of a logical device."""


SiteT = TypeVar("SiteT", bound=Site)
PartyT = TypeVar("PartyT", bound=Party)


class SitedDevice(TabledDevice[SiteT, PartyT]):
    """A tabled device whose time is ``unix`` (Unix seconds) and the offset of its site, whatever the engine counts."""

    __slots__ = ("_unix",)

    def __init__(self, site: SiteT, channel: int, *, counters: CounterStore[PartyT], unix: Callable[[], float]) -> None:
        super().__init__(site, channel, counters=counters)
        self._unix = unix

    @property
    def system_title(self) -> bytes:
        """Eight octets."""
        return self._site.title(self.channel)

    def _now(self) -> float:
        return self._unix() + self._site.clock_offset_s

    def _moment(self, now: float) -> float:
        return self._now()
