"""A station of any profile for which time runs faster: for a simulated medium that does so, and demonstrations on it.

All its waits (drawing lots to join, repetitions, beacons, keep-alive) take a fraction of their time; its octets do not
change. On a real network no station may be hastened.
"""

from __future__ import annotations

from typing import Final

from meterway.base.errors import ConfigError
from meterway.stacks.neighbourhood.station import Coordinator, Member, Outgoing, Station, StationEvent

__all__ = ["HastenedCoordinator", "HastenedStation"]


_SLOT_S: Final = 1 << 18
"""About three days. A clock of more, a thousand times as fast, would lead beyond the last frame counter."""


class HastenedStation:
    """Drives a station by a clock that runs ``factor`` times as fast.

    It runs so from a moment that all stations of some days share, not from when each starts: one that is started again
    finds it as far on as it left it, so that a frame counter taken from the clock is not used twice.
    """

    def __init__(self, station: Station, factor: float) -> None:
        if not factor > 0:
            raise ConfigError(f"a station cannot be {factor} times as fast")
        self._station = station
        self._factor = factor
        self._began: float | None = None

    @property
    def eui(self) -> bytes:
        """Its own EUI."""
        return self._station.eui

    @property
    def coordinator(self) -> bytes:
        """The coordinator's EUI, where the station can name it."""
        told = getattr(self._station, "coordinator", b"")
        return told if isinstance(told, bytes) else b""

    @property
    def max_apdu(self) -> int:
        """The longest APDU it carries."""
        return self._station.max_apdu

    def start(self, now: float) -> None:
        """Let it begin."""
        self._station.start(self._fast(now))

    def receive_frame(self, octets: bytes, source: int, now: float, *, is_broadcast: bool = False) -> None:
        """Take a frame from the medium."""
        self._station.receive_frame(octets, source, self._fast(now), is_broadcast=is_broadcast)

    def frames_to_send(self) -> list[Outgoing]:
        """What is to go out now."""
        return self._station.frames_to_send()

    def next_event(self) -> StationEvent | None:
        """The next thing that happened, or None."""
        return self._station.next_event()

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, by the clock outside, or None."""
        due = self._station.next_timeout()
        return None if due is None else self._slow(due)

    def handle_timeout(self, now: float) -> None:
        """Tell it that the time has come; what is due outside is due inside, whatever is lost in rounding."""
        due = self._station.next_timeout()
        fast = self._fast(now)
        self._station.handle_timeout(fast if due is None or self._slow(due) > now else max(fast, due))

    def send_apdu(
        self, eui: bytes | None, apdu: bytes, *, client: int, server: int, now: float, urgent: bool = False
    ) -> None:
        """Send one APDU; see ``Station``."""
        self._station.send_apdu(eui, apdu, client=client, server=server, now=self._fast(now), urgent=urgent)

    def _fast(self, now: float) -> float:
        if self._began is None:
            self._began = now - now % _SLOT_S
        return self._began + (now - self._began) * self._factor

    def _slow(self, when: float) -> float:
        began = when if self._began is None else self._began
        return began + (when - began) / self._factor


class HastenedCoordinator(HastenedStation):
    """The same for the station in the concentrator."""

    def __init__(self, station: Coordinator, factor: float) -> None:
        super().__init__(station, factor)
        self._coordinator = station

    @property
    def members(self) -> dict[bytes, Member]:
        """Who has joined, by EUI."""
        return self._coordinator.members

    def expel(self, eui: bytes, now: float) -> None:
        """Put a device out; ``Left`` follows."""
        self._coordinator.expel(eui, self._fast(now))
