"""Counts what is said on the air of a radio hub."""

from __future__ import annotations

from meterway.interfaces import Entity, Network, label_of
from meterway.links.medium.client import RadioClient
from meterway.links.medium.wire import Figures, Gone
from meterway.town.configurations.messages import Carried

__all__ = ["FrameCount"]


class FrameCount:
    """Frames and octets between meters and gateways since ``start``."""

    def __init__(self) -> None:
        self.frames = 0
        self.octets = 0
        self._meters = 0
        self._client = RadioClient()

    async def start(self, hub_port: int, meters: int) -> None:
        """Begin to count; ``meters`` speak there. LinkError if there is no hub."""
        self._meters = meters
        await self._client.connect(hub_port)
        self._client.watch(self._gone, self._told)

    def stop(self) -> None:
        """Count no more."""
        self._client.close()

    def carried(self) -> list[Carried]:
        """What was carried over interface M by radio; nothing if nobody listens."""
        if not self._meters:
            return []
        label = label_of(Entity.METER, Entity.LNAP, Network.LOCAL)
        return [Carried(label, "meter – LNAP, by radio", self._meters, self.frames, self.octets)]

    def _told(self, figures: Figures) -> None:
        """The hub's own figures: not of interest, every frame is told."""

    def _gone(self, frame: Gone) -> None:
        if not frame.repeat:
            self.frames += 1
            self.octets += len(frame.octets)
