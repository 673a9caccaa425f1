"""The process in which everything of a configuration lives that stands in the field: meters, gateways, concentrators.

One line of order, one of report; then a line for each thing that is to happen and one of answer, until its input is
closed.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from meterway.base.errors import ConfigError
from meterway.town.configurations.catalogue import configuration_of
from meterway.town.configurations.concentrators import Concentrators
from meterway.town.configurations.electricity import Electricity, list_saps
from meterway.town.configurations.gateways import Gateways
from meterway.town.configurations.messages import FieldOrder, FieldReport, Happening, Told
from meterway.town.configurations.plan import lay_out
from meterway.town.process import say, serve_order

__all__ = ["Field", "main"]


class Field:
    """All of it. ``happen`` is how the world acts on it."""

    def __init__(self, order: FieldOrder) -> None:
        layout = lay_out(configuration_of(order.label), order.meters, first=order.first)
        self._electricity = Electricity(layout, order, lambda serial, sap: self._gateways.device(serial, sap))
        self._concentrators = Concentrators(
            layout, order, lambda serial, sap: self._gateways.device(serial, sap), self._electricity.meter
        )
        self._gateways = Gateways(layout, order, self._concentrators.uplink)

    async def start(self) -> FieldReport:
        """Bring everything up."""
        await self._electricity.start()
        await self._concentrators.open()
        await self._gateways.start()
        await self._concentrators.start()
        self._join()
        return FieldReport(
            ways=[*self._electricity.ways(), *self._concentrators.ways(), *self._gateways.ways()],
            ports=[*self._electricity.ports(), *self._gateways.ports()],
        )

    def _join(self) -> None:
        """Gateways without a port of their own: where they are reached, and that the meters they live in list them."""
        for serial, lnap in self._gateways.lnaps.items():
            if port := self._concentrators.port_for(serial):
                lnap.ports["wan"] = port
        for serial, lnap in self._gateways.housed().items():
            lnap.ports["wan"] = self._concentrators.port_for(serial) or self._electricity.port_of(serial)
            meter = self._concentrators.meter(serial) or self._electricity.meter(serial)
            if meter is not None:
                list_saps(meter, lnap.saps)

    async def stop(self) -> None:
        """End everything."""
        await self._concentrators.stop()
        await self._gateways.stop()
        await self._electricity.stop()

    def happen(self, happening: Happening) -> Told:
        """Let something happen, or tell what was carried."""
        if not happening.serial:
            return Told(carried=[*self._gateways.carried(), *self._concentrators.carried()])
        for group in (self._electricity, self._gateways, self._concentrators):
            try:
                facts = group.happen(happening.serial, happening.what, happening.value)
            except ConfigError as error:
                return Told(error=str(error))
            if facts is not None:
                return Told(facts=facts)
        return Told(error=f"there is no {happening.serial} in the field")


async def _run(order: FieldOrder) -> None:
    field = Field(order)
    try:
        say(await field.start())
        await _hear(field)
    finally:
        await field.stop()


async def _hear(field: Field) -> None:
    """Carry out what is told, line by line, until the input is closed."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            told = field.happen(msgspec.json.decode(line, type=Happening))
        except msgspec.MsgspecError as error:
            told = Told(error=f"unreadable: {error}")
        say(told)


def main() -> int:
    """Run a field; exit status 1 if it could not start."""
    return serve_order(FieldOrder, _run, lambda reason: FieldReport(error=reason), "field")


if __name__ == "__main__":
    sys.exit(main())
