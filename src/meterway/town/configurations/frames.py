"""Counts what is said on the air of a radio hub."""

from __future__ import annotations

from meterway.interfaces import Entity, Network, label_of
from meterway.town.air import AirCount
from meterway.town.configurations.messages import Carried

__all__ = ["FrameCount"]


class FrameCount(AirCount):
    """Frames and octets between meters and gateways since ``start``."""

    def carried(self) -> list[Carried]:
        """What was carried over interface M by radio; nothing if nobody listens."""
        if not self.meters:
            return []
        label = label_of(Entity.METER, Entity.LNAP, Network.LOCAL)
        return [Carried(label, "meter – LNAP, by radio", self.meters, self.frames, self.octets)]
