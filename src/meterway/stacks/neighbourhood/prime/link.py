"""One connection of the 4-32 convergence sublayer: whole LLC frames over segments over numbered packets."""

from __future__ import annotations

from meterway.stacks.neighbourhood.prime.arq import MAX_SUBHEADER, ArqWindow
from meterway.stacks.neighbourhood.prime.packet import MAX_PAYLOAD, overhead
from meterway.stacks.neighbourhood.prime.sar import HEADER_SIZE, MAX_SEGMENTS, Basket, segments
from meterway.stacks.neighbourhood.prime.settings import PrimeSettings

__all__ = ["Link", "max_lpdu", "segment_size"]


def segment_size(settings: PrimeSettings) -> int:
    """How many octets of an LLC frame one packet holds."""
    return min(settings.mtu - overhead(settings.version), MAX_PAYLOAD) - MAX_SUBHEADER - HEADER_SIZE


def max_lpdu(settings: PrimeSettings) -> int:
    """The longest LLC frame."""
    return MAX_SEGMENTS * segment_size(settings)


class Link:
    """Carries LLC frames both ways; ``lcid`` is the number of the connection."""

    __slots__ = ("_basket", "_open", "_settings", "_urgent", "_waiting", "_window", "lcid")

    def __init__(self, lcid: int, settings: PrimeSettings) -> None:
        self.lcid = lcid
        self._settings = settings
        self._window = ArqWindow(
            window=settings.window,
            wait=settings.acknowledge_within_s,
            repetitions=settings.repetitions,
            lifetime=settings.frame_lifetime_s,
        )
        self._basket = Basket()
        self._waiting: list[tuple[bytes, bytes]] = []
        self._urgent: list[tuple[bytes, bytes]] = []
        self._open: list[tuple[int, bytes]] = []

    @property
    def is_lost(self) -> bool:
        """Whether the other end does not answer any more."""
        return self._window.is_lost

    @property
    def repeated(self) -> int:
        """How many packets came that had come before."""
        return self._window.repeated

    def send(self, lpdu: bytes, apdu: bytes, *, urgent: bool) -> None:
        """Take an LLC frame to send; ``apdu`` is what ``undelivered`` tells if it does not arrive."""
        (self._urgent if urgent else self._waiting).append((lpdu, apdu))

    def receive(self, payload: bytes, now: float) -> list[bytes]:
        """Take a packet; the LLC frames that are whole now. DecodeError as of ``Basket.add``, ``ArqHeader.decode``."""
        wholes = (self._basket.add(segment) for segment in self._window.receive(payload, now))
        return [whole for whole in wholes if whole is not None]

    @property
    def is_flying(self) -> bool:
        """Whether packets are under way."""
        return self._window.is_flying

    @property
    def is_waiting(self) -> bool:
        """Whether something waits to be sent for the first time."""
        return bool(self._window.waiting or self._urgent or self._waiting)

    @property
    def is_urgent(self) -> bool:
        """Whether something urgent waits to be sent for the first time."""
        return bool(self._urgent) or self._window.is_urgent

    def outgoing(self, now: float, *, may_launch: bool = True) -> list[tuple[bytes, bool]]:
        """The packets that are to go out now, and whether each is urgent; new ones only if they may."""
        window = self._window
        while window.waiting < self._settings.window and (self._urgent or self._waiting):
            urgent = bool(self._urgent)
            lpdu, apdu = (self._urgent if urgent else self._waiting).pop(0)
            number = 0
            for segment in segments(lpdu, segment_size(self._settings)):
                number = window.enqueue(segment, urgent=urgent)
            self._open.append((number, apdu))
        while self._open and self._open[0][0] < window.first:
            self._open.pop(0)
        return window.outgoing(now, may_launch=may_launch)

    def next_timeout(self) -> float | None:
        """When handle_timeout wants to be called, or None."""
        return self._window.next_timeout()

    def handle_timeout(self, now: float) -> None:
        """The time has come."""
        self._window.handle_timeout(now)

    def undelivered(self) -> list[bytes]:
        """The APDUs that are not acknowledged, in the order they were sent in."""
        flying = [apdu for number, apdu in self._open if number >= self._window.first]
        return flying + [apdu for _, apdu in (*self._urgent, *self._waiting)]
