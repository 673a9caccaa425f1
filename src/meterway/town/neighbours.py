"""The town's neighbourhood as the town sees it: a field's process, its devices in the registry, what it carried."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import msgspec

from meterway.base.errors import LinkError
from meterway.headend.serve import HeadEnd
from meterway.headend.traffic import InterfaceTraffic
from meterway.town.child import Child
from meterway.town.configurations.messages import Carried, FieldOrder, FieldReport, Happening, Told
from meterway.town.configurations.neighbours import FIRST, NEIGHBOURS
from meterway.town.configurations.registering import register
from meterway.town.configurations.shape import Kind

__all__ = ["Neighbours"]

_LOOK_S: Final = 1.0
_ASK_TIMEOUT_S: Final = 30.0


class Neighbours:
    """``devices`` are to be called once ``enrol`` has put those in front into the registry; without a report, none."""

    def __init__(self) -> None:
        self.devices = 0
        self._report = FieldReport()
        self._carried: list[Carried] = []
        self._asking: asyncio.Task[None] | None = None

    @staticmethod
    def order(meters: int, folder: str, secret: bytes, push_port: int) -> FieldOrder:
        """What the field's process is told."""
        return FieldOrder(
            label=NEIGHBOURS.label,
            meters=meters,
            folder=folder,
            secret=secret.hex(),
            push={part.name: push_port for part in NEIGHBOURS.of_kind(Kind.HEAD_END)},
            first=FIRST,
        )

    def up(self, report: bytes, field: Child) -> None:
        """Take what the field reports, and keep asking it what it carried; LinkError if it did not come up."""
        self._report = msgspec.json.decode(report, type=FieldReport)
        if self._report.error:
            raise LinkError(f"the neighbourhood did not come up: {self._report.error}")
        self._asking = asyncio.create_task(self._keep_asking(field))

    def enrol(self, head_end: HeadEnd, secret: bytes) -> None:
        """Put the devices into the registry."""
        self.devices = register(head_end, self._report.ways, secret)

    def ids(self, head_end: HeadEnd) -> set[int]:
        """The devices of the registry that are reached where the neighbourhood is."""
        ports = {way.port for way in self._report.ways}
        return {device.id for device in head_end.store.devices.all() if device.port in ports}

    def traffic(self) -> list[InterfaceTraffic]:
        """What went over the interfaces within it."""
        return [InterfaceTraffic(**msgspec.structs.asdict(row)) for row in self._carried]

    async def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _keep_asking(self, field: Child) -> None:
        """Until the process is gone: that it is, its watch tells."""
        with contextlib.suppress(LinkError):
            while True:
                line = await field.ask(Happening(), _ASK_TIMEOUT_S)
                self._carried = msgspec.json.decode(line, type=Told).carried
                await asyncio.sleep(_LOOK_S)
