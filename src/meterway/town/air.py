"""Who listens to the air of a town's homes: how much goes over interface M, and every frame for the page of the air."""

from __future__ import annotations

from typing import Final

from meterway.headend.overheard import Frame, Overheard
from meterway.headend.traffic import InterfaceTraffic
from meterway.interfaces import Entity, Network, label_of
from meterway.links.medium.client import RadioClient
from meterway.links.medium.wire import Figures, Gone

__all__ = ["AirCount", "AirWatch"]

_LABEL: Final = label_of(Entity.METER, Entity.LNAP, Network.LOCAL)


class AirCount:
    """Counts the frames on the air of a radio hub from when it begins to watch: ``frames``, without those repeated."""

    def __init__(self) -> None:
        self.frames = 0
        self.octets = 0
        self.meters = 0
        self._client = RadioClient()

    async def start(self, hub_port: int, meters: int) -> None:
        """Watch; ``meters`` speak there or on the wires beside. LinkError if there is no hub."""
        self.meters = meters
        await self._client.connect(hub_port)
        self._client.watch(self._gone, self._told)

    def stop(self) -> None:
        """Watch no more."""
        self._client.close()

    def _told(self, figures: Figures) -> None:
        """The hub's own figures."""

    def _gone(self, frame: Gone) -> None:
        if not frame.repeat:
            self.frames += 1
            self.octets += len(frame.octets)


class AirWatch(AirCount):
    """Counts, and tells of each frame."""

    def __init__(self, overheard: Overheard) -> None:
        super().__init__()
        self._overheard = overheard
        self._before = 0

    def traffic(self) -> list[InterfaceTraffic]:
        """Frames and octets between meters and gateways."""
        return [
            InterfaceTraffic(
                label=_LABEL,
                between="meter – LNAP, by radio",
                entities=self.meters,
                sessions=self._before + self.frames,
                octets=self.octets,
            )
        ]

    def _told(self, figures: Figures) -> None:
        self._before = figures.sent - self.frames

    def _gone(self, frame: Gone) -> None:
        super()._gone(frame)
        self._overheard.tell(
            Frame(
                time_s=frame.start_s,
                interface=_LABEL,
                station=frame.station,
                mode=frame.mode,
                octets=frame.octets,
                heard=frame.heard,
                lost=frame.lost,
            )
        )
