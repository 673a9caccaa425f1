"""Counts what is said on the air of a radio hub."""

from __future__ import annotations

from meterway.interfaces import Entity, Network, label_of
from meterway.town.air import AirCount
from meterway.town.configurations.messages import Carried

__all__ = ["FrameCount"]

_FAR = {Entity.LNAP: "LNAP", Entity.NNAP: "NNAP"}


class FrameCount(AirCount):
    """Frames and octets between meters and who hears them, since ``start``: a gateway, or a concentrator."""

    def __init__(self, heard_by: Entity = Entity.LNAP) -> None:
        super().__init__()
        self._heard_by = heard_by

    def carried(self) -> list[Carried]:
        """What was carried over interface M or C by radio; nothing if nobody listens."""
        if not self.meters:
            return []
        network = Network.LOCAL if self._heard_by is Entity.LNAP else Network.NEIGHBOURHOOD
        label, far = label_of(Entity.METER, self._heard_by, network), _FAR[self._heard_by]
        return [Carried(label, f"meter – {far}, by radio", self.meters, self.frames, self.octets)]
